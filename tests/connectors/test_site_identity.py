"""A visitor who is signed in on the site is the same person in every browser, and nobody else can say they are."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors.webchat.site_identity import BadIdentity, SiteIdentity
from connectors.webchat.tokens import BadToken, VisitorTokens
from tests.connectors.desk import AGENT, Server, running_server
from tests.connectors.test_polling import call, poll

KEY = "a site identity key of the tests, long enough"
OLD_KEY = "the key before it, which is in force for a while"
ANN = "user-1001"
EXAMPLE = "bf56ad1beca436ce9ec6cb1cdd3b4ebef7dcdd0eaf4fd554bfa4c12c2c58d984"
ROOT = Path(__file__).resolve().parents[2]


def signed(id: str = ANN, key: str = KEY, seconds: int = 3600, **fields: str) -> dict[str, Any]:
    """What a site's server makes of its user; written down here once more, as the documentation tells it."""
    ends = int(time.time()) + seconds
    parts = [fields.get(name, "") for name in ("name", "email", "phone")]
    text = "\n".join(["frontdesk-identity-v1", id, str(ends), *parts])
    signature = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return {"id": id, "expires_at": ends, "signature": signature, **fields}


_serial = iter(range(1, 10_000))


def fresh(id: str = ANN, **fields: str) -> dict[str, Any]:
    """A signature that no other page got: its end differs."""
    return signed(id, seconds=3600 + next(_serial), **fields)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_server(tmp_path, site=SiteIdentity((KEY, OLD_KEY))) as server:
        yield server


async def hello(server: Server, token: str | None = None, identity: Any = None) -> dict[str, Any]:
    answer = await server.http.post("/webchat/hello", json={"token": token, "language": "en", "identity": identity})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def said_to(server: Server, token: str) -> list[str]:
    body = await poll(server, token, wait=0)
    return [one["message"]["text"] for one in body["frames"] if one["type"] == "message"]


async def test_a_user_of_the_site_goes_on_in_another_browser(site: Server) -> None:
    first = (await hello(site))["token"]
    laptop = await hello(site, first, fresh())
    assert (laptop["signed_in"], laptop["identity"]) == (True, {"ok": True})
    said = (await call(site, laptop["token"], "messages", client_msg_id="12345678", text="where is it?")).json()
    second = (await hello(site))["token"]
    phone = await hello(site, second, fresh())
    assert phone["visitor"] == laptop["visitor"]
    assert phone["conversation"]["id"] == said["conversation_id"]
    again = (await call(site, phone["token"], "messages", client_msg_id="22345678", text="still me")).json()
    assert again["conversation_id"] == said["conversation_id"]
    assert "where is it?" in await said_to(site, phone["token"])


async def test_what_was_said_before_signing_in_goes_along_and_the_old_token_reads_nothing_of_it(site: Server) -> None:
    anonymous = (await hello(site))["token"]
    before = (await call(site, anonymous, "messages", client_msg_id="12345678", text="do you ship?")).json()
    user = await hello(site, anonymous, fresh(name="Ann"))
    assert user["conversation"]["id"] == before["conversation_id"]
    on = (await call(site, user["token"], "messages", client_msg_id="22345678", text="my secret order")).json()
    assert on["conversation_id"] == before["conversation_id"]
    assert "do you ship?" in await said_to(site, user["token"])
    assert not any("secret" in text for text in await said_to(site, anonymous))
    refused = await call(site, anonymous, "messages", client_msg_id="32345678", text="who is there?")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "signed_in")
    gone = await site.http.post("/webchat/hello", json={"token": anonymous})
    assert (gone.status_code, gone.json()["error"]["code"]) == (401, "bad_token")
    shown = await site.desk.get_conversation(on["conversation_id"])
    assert shown.contact_name == "Ann"


async def test_what_began_in_two_browsers_ends_in_the_one_that_signs_in_last(site: Server) -> None:
    user = await hello(site, (await hello(site))["token"], fresh())
    old = (await call(site, user["token"], "messages", client_msg_id="12345678", text="first matter")).json()
    anonymous = (await hello(site))["token"]
    new = (await call(site, anonymous, "messages", client_msg_id="22345678", text="second matter")).json()
    after = await hello(site, anonymous, fresh())
    assert after["conversation"]["id"] == new["conversation_id"]
    ended = await site.desk.get_conversation(old["conversation_id"])
    assert (ended.status, ended.resolved_by) == ("resolved", "linked")
    texts = await said_to(site, after["token"])
    assert texts.index("first matter") < texts.index("second matter")


async def test_nobody_is_cut_off_from_the_person_who_helps_them(site: Server) -> None:
    user = await hello(site, (await hello(site))["token"], fresh())
    anonymous = (await hello(site))["token"]
    held = []
    for token in (user["token"], anonymous):
        said = (await call(site, token, "messages", client_msg_id="12345678", text="a person please")).json()
        await said_until(site, token, 2)
        await site.desk.assign(said["conversation_id"], AGENT, over_capacity=True)
        held.append(said["conversation_id"])
    claim = fresh()
    later = await hello(site, anonymous, claim)
    assert (later["token"], later["identity"]["code"]) == (anonymous, "identity_later")
    await site.desk.resolve(held[0], AGENT, ask=False)
    after = await hello(site, anonymous, claim)
    assert (after["signed_in"], after["conversation"]["id"]) == (True, held[1])
    await site.desk.reply_as_agent(held[1], AGENT, "here I am")
    assert "here I am" in await said_to(site, after["token"])


async def said_until(server: Server, token: str, count: int) -> None:
    after, found = None, 0
    while found < count:
        body = await poll(server, token, after)
        found += sum(one["type"] == "message" for one in body["frames"])
        after = body["after"] or after


async def test_the_socket_identifies_as_well(site: Server) -> None:
    async with site.widget() as widget:
        token = widget.token
    async with site.widget(token, identity=fresh()) as widget:
        assert widget.welcome["identity"] == {"ok": True}
        await widget.say("hello")
        assert (await widget.messages(2))[1]["text"] == "you said hello"
    async with site.widget(widget.token) as again:  # a page that does not say who it is, a moment later
        assert again.welcome["visitor"] == widget.welcome["visitor"]


async def test_a_forged_signature_identifies_nobody_and_the_chat_goes_on(site: Server) -> None:
    token = (await hello(site))["token"]
    good = fresh(email="ann@example.com")
    spoiled = [
        good | {"id": "user-1002"},
        good | {"email": "bob@example.com"},
        good | {"expires_at": good["expires_at"] + 60},
        {name: value for name, value in good.items() if name != "email"},
        good | {"name": "Somebody"},
        good | {"signature": "0" * 64},
        signed(key="x" * 40),
        # What is moved from one field to the next is another text.
        signed(name="a", email="b") | {"name": "", "email": "a"},
    ]
    for claim in spoiled:
        answer = await hello(site, token, claim)
        assert (answer["signed_in"], answer["token"]) == (False, token)
        assert answer["identity"]["code"] == "identity_forged"
        assert "SITE_IDENTITY_KEY" in answer["identity"]["message"]
        assert "签名" in answer["identity"]["message_zh"]
    assert (await call(site, token, "messages", client_msg_id="12345678", text="hello")).status_code == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": ""}, "malformed"),
        ({"id": 7}, "malformed"),
        ({"id": None}, "malformed"),
        ({"id": "a\nb"}, "malformed"),
        ({"name": "a\u2028b"}, "malformed"),
        ({"id": "x" * 201}, "malformed"),
        ({"expires_at": "soon"}, "malformed"),
        ({"expires_at": True}, "malformed"),
        ({"expires_at": -1}, "malformed"),
        ({"signature": "abc"}, "malformed"),
        ({"role": "admin"}, "malformed"),
    ],
)
def test_an_identity_of_another_form_is_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(BadIdentity) as refused:
        SiteIdentity((KEY,)).check(signed() | change)
    assert refused.value.code == f"identity_{code}"


@pytest.mark.parametrize(("seconds", "code"), [(-1, "expired"), (0, "expired"), (25 * 3600, "too_long")])
def test_a_signature_ends_and_does_not_end_too_late(seconds: int, code: str) -> None:
    with pytest.raises(BadIdentity) as refused:
        SiteIdentity((KEY,)).check(signed(seconds=seconds))
    assert refused.value.code == f"identity_{code}"


def test_old_keys_hold_until_they_are_taken_away() -> None:
    claim = signed(key=OLD_KEY)
    assert SiteIdentity((KEY, OLD_KEY)).check(claim).id == ANN
    with pytest.raises(BadIdentity):
        SiteIdentity((KEY,)).check(claim)
    with pytest.raises(BadIdentity, match="SITE_IDENTITY_KEY"):
        SiteIdentity(()).check(claim)


def test_the_documented_example_is_what_is_checked() -> None:
    claim = {
        "id": "1001",
        "expires_at": 1_800_000_000,
        "name": "李婷",
        "email": "liting@example.cn",
        "signature": EXAMPLE,
    }
    user = SiteIdentity(("0123456789abcdef0123456789abcdef",), clock=lambda: 1_799_999_000).check(claim)
    assert (user.id, user.name, user.email, user.phone) == ("1001", "李婷", "liting@example.cn", None)


def snippet(language: str) -> str:
    """The code of the documentation in a language that signs something."""
    text = (ROOT / "docs" / "embedding.md").read_text()
    return next(
        one
        for one in re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        if "hmac" in one.lower()
    )


USER = {"id": "1001", "name": "李婷", "email": "liting@example.cn"}
RUN = {
    "python": (sys.executable, "-c", "import json\nprint(json.dumps(chat_identity({key!r}, **{user})))"),
    "js": ("node", "-e", "console.log(JSON.stringify(chatIdentity({key!r}, {user})));"),
    "php": ("php", "-r", "echo json_encode(chat_identity({key!r}, ...json_decode('{user}', true)));"),
}


@pytest.mark.parametrize("language", list(RUN))
def test_what_the_documented_server_code_signs_is_accepted(language: str) -> None:
    program, flag, call_it = RUN[language]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    user = json.dumps(USER, ensure_ascii=False)
    code = snippet(language) + call_it.format(key=KEY, user=user)
    printed = subprocess.run([program, flag, code], capture_output=True, text=True, check=True, timeout=60).stdout
    claim = json.loads(printed)
    assert claim["expires_at"] > time.time() + 3000
    known = SiteIdentity((KEY,)).check(claim)
    assert (known.id, known.name, known.email, known.phone) == ("1001", "李婷", "liting@example.cn", None)


def test_the_documentation_names_the_signature_of_its_example() -> None:
    assert (ROOT / "docs" / "embedding.md").read_text().count(EXAMPLE) == 1


async def test_a_copied_signature_is_refused_in_another_browser(site: Server) -> None:
    claim = fresh()
    victim = (await hello(site))["token"]
    assert (await hello(site, victim, claim))["signed_in"]
    for thief in (None, (await hello(site))["token"]):
        answer = await hello(site, thief, claim)
        assert (answer["signed_in"], answer["identity"]["code"]) == (False, "identity_used")
    # The same browser may bring it again: its answer may have been lost.
    assert (await hello(site, victim, claim))["signed_in"]


async def test_somebody_elses_signature_in_a_signed_in_browser_shows_neither_person(site: Server) -> None:
    ann = await hello(site, (await hello(site))["token"], fresh())
    await call(site, ann["token"], "messages", client_msg_id="12345678", text="Ann's matter")
    bob = await hello(site, ann["token"], fresh("user-1002"))  # the site forgot to say that Ann is gone
    assert bob["signed_in"]
    assert bob["visitor"] != ann["visitor"]
    assert bob["conversation"] is None
    forged = await hello(site, ann["token"], signed("user-1002", key="y" * 40))
    assert (forged["signed_in"], forged["conversation"]) == (False, None)
    assert forged["visitor"] not in (ann["visitor"], bob["visitor"])
    assert "Ann's matter" in await said_to(site, (await hello(site, (await hello(site))["token"], fresh()))["token"])


async def test_an_outdated_signature_does_not_sign_out_whom_the_token_still_knows(site: Server) -> None:
    ann = await hello(site, (await hello(site))["token"], fresh())
    later = await hello(site, ann["token"], signed(seconds=-5))
    assert (later["visitor"], later["identity"]["code"]) == (ann["visitor"], "identity_expired")


def test_a_signed_in_token_lasts_a_day_and_is_never_renewed() -> None:
    now = [1_000_000_000.0]
    tokens = VisitorTokens("a secret that nobody knows", clock=lambda: now[0])
    token = tokens.issue(tokens.visitor_of(ANN), signed_in=True)
    assert tokens.renewed(token) == token
    assert tokens.is_signed_in(token)
    with pytest.raises(BadToken):
        tokens.read("v1" + token[2:])  # its kind is signed as well
    now[0] += 24 * 3600 + 1
    with pytest.raises(BadToken):
        tokens.read(token)
    assert tokens.visitor_of(ANN) != tokens.visitor_of(f"{ANN} ")
    assert ANN not in tokens.visitor_of(ANN)


async def test_a_customer_whom_the_site_vouches_for_is_known_to_the_bot(tmp_path: Path) -> None:
    asked: list[tuple[str, str | None, str | None]] = []

    async def customer_of(id: str, email: str | None, phone: str | None) -> str | None:
        asked.append((id, email, phone))
        if email == "down@example.com":
            raise ConnectionError
        return "C0001" if email == "ann@example.com" else None

    async with running_server(tmp_path, site=SiteIdentity((KEY,), customer_of)) as server:
        ann = await hello(server, (await hello(server))["token"], fresh(email="ann@example.com"))
        said = (await call(server, ann["token"], "messages", client_msg_id="12345678", text="my order")).json()
        assert (await server.desk.get_conversation(said["conversation_id"])).customer_id == "C0001"
        down = await hello(server, (await hello(server))["token"], fresh("u2", email="down@example.com"))
        assert down["signed_in"]
        await hello(server, (await hello(server))["token"], signed(key="z" * 40, email="ann@example.com"))
    assert [email for _, email, _ in asked] == ["ann@example.com", "down@example.com"]
