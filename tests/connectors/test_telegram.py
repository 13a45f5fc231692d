"""What comes in from Telegram: who may knock, what is read of an update, and what is left alone."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.accounts import BadAccount, connectors_of
from connectors.base import Arrival, BadPayload, BadSignature, Means, WebhookRequest
from connectors.telegram import TelegramConnector
from tests.connectors.desk import Server, running_server
from tests.connectors.test_channels import MEANS
from tests.doubles.telegram import BOT, TOKEN

SECRET = "secret-of-the-webhook_1"
HEADER = "x-telegram-bot-api-secret-token"
PATH = "/webhooks/telegram/default"
ANN = {"id": 42, "is_bot": False, "first_name": "Ann", "last_name": "Lee", "language_code": "zh-hans"}
PRIVATE = {"id": 42, "type": "private", "first_name": "Ann"}
GROUP = {"id": -1001, "type": "supergroup", "title": "Friends"}


def connector(means: Means = MEANS, **settings: Any) -> TelegramConnector:
    entry = {"channel": "telegram", "token": TOKEN, "secret": SECRET} | settings
    return TelegramConnector(TelegramConnector.Settings.model_validate(entry), means)


def update(**message: Any) -> dict[str, Any]:
    whole = {"message_id": 7, "date": 1_780_000_000, "chat": PRIVATE, "from": ANN} | message
    return {"update_id": 1, "message": {name: value for name, value in whole.items() if value is not None}}


def read(event: Any, one: TelegramConnector | None = None) -> list[Arrival]:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return (one or connector()).parse(WebhookRequest("POST", {}, {}, body))


def test_a_text_says_who_wrote_what_where_and_when() -> None:
    [arrival] = read(update(text="  你好 😀 "))
    message = arrival.message
    assert (str(message.address), message.external_id) == ("telegram:default:42", f"{BOT['id']}/42/7")
    assert (message.text, message.contact_name, message.language) == ("你好 😀", "Ann Lee", "zh")
    assert message.sent_at is not None
    assert message.sent_at.timestamp() == 1_780_000_000
    assert message.sent_at.tzinfo is not None


@pytest.mark.parametrize(
    ("content", "kind", "reference"),
    [
        (
            {"photo": [{"file_id": f"p{n}", "file_unique_id": "u", "width": n, "height": n} for n in (9, 800, 90)]},
            "image",
            "p800",
        ),
        ({"voice": {"file_id": "v", "file_unique_id": "u", "duration": 3, "mime_type": "audio/ogg"}}, "voice", "v"),
        (
            {"video": {"file_id": "m", "file_unique_id": "u", "width": 1, "height": 1, "duration": 3}},
            "video",
            "m",
        ),
        ({"video_note": {"file_id": "n", "file_unique_id": "u", "length": 1, "duration": 3}}, "video", "n"),
        ({"document": {"file_id": "d", "file_unique_id": "u", "file_name": "bill.pdf"}}, "file", "d"),
        ({"audio": {"file_id": "a", "file_unique_id": "u", "duration": 3, "file_name": "a.mp3"}}, "file", "a"),
    ],
)
def test_files_are_named_with_their_kind_and_their_caption_is_the_text(
    content: dict[str, Any], kind: str, reference: str
) -> None:
    [arrival] = read(update(caption="see", **content))
    [media] = arrival.media
    assert (media.kind, media.reference, arrival.message.text) == (kind, reference, "see")


def test_an_album_is_one_message_for_each_picture() -> None:
    photo = [{"file_id": "p", "file_unique_id": "u", "width": 9, "height": 9}]
    ids = [read(update(message_id=n, media_group_id="5", photo=photo))[0].message.external_id for n in (7, 8)]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(("language", "word"), [("zh-hans", "位置"), ("en", "Location"), (None, "Location")])
def test_a_place_is_a_text_with_a_map_that_anybody_can_open(language: str | None, word: str) -> None:
    person = {name: value for name, value in (ANN | {"language_code": language}).items() if value is not None}
    [arrival] = read(update(**{"from": person}, location={"latitude": 31.2304, "longitude": 121.4737}))
    first, link = arrival.message.text.split("\n")
    assert first == f"📍 {word} (31.230400, 121.473700)"
    assert link.startswith("https://www.openstreetmap.org/?mlat=31.230400&mlon=121.473700")


def test_only_ones_own_card_in_a_private_chat_vouches_for_a_number() -> None:
    card = {"phone_number": "8613800000000", "first_name": "Ann", "user_id": ANN["id"]}
    assert read(update(contact=card))[0].message.vouched == "+8613800000000"
    others = [
        card | {"user_id": 43},
        {name: value for name, value in card.items() if name != "user_id"},
        card | {"phone_number": "110"},
    ]
    for other in others:
        assert read(update(contact=other))[0].message.vouched is None
    origin = {"type": "hidden_user", "sender_user_name": "Ann", "date": 1_780_000_000}
    assert read(update(contact=card, forward_origin=origin))[0].message.vouched is None
    assert read(update(text="+8613800000000"))[0].message.vouched is None


def test_a_venue_a_card_a_sticker_and_a_command_are_readable() -> None:
    place = {"latitude": 1, "longitude": 2}
    venue = {"location": place, "title": "Kite shop", "address": "Bund 1"}
    assert read(update(venue=venue, location=place))[0].message.text.startswith("📍 Kite shop, Bund 1 (1.0")
    card = {"phone_number": "+8613800000000", "first_name": "Bo"}
    assert read(update(contact=card))[0].message.text == "Bo: +8613800000000"
    assert read(update(contact=card))[0].message.vouched is None
    sticker = {"file_id": "s", "file_unique_id": "u", "type": "regular", "width": 1, "height": 1, "emoji": "👍"}
    sticker |= {"is_animated": False, "is_video": False}
    assert read(update(sticker=sticker))[0].message.text == "👍"
    assert read(update(text="/start from-the-shop"))[0].message.text == "你好"
    assert read(update(text="/help@KiteDeskBot me"))[0].message.text == "help me"
    assert read(update(text="/link"))[0].message.text == "/link"
    assert read(update(text="/link 4839 2057"))[0].message.text == "/link 4839 2057"
    assert read(update(text="/start 48392057"))[0].message.text == "/link 48392057"


def press(chat: dict[str, Any], data: Any = "b" * 32, user: dict[str, Any] = ANN) -> dict[str, Any]:
    message = {"message_id": 9, "date": 1_780_000_000, "chat": chat, "from": BOT, "text": "Which?"}
    query = {"id": "77", "from": user, "chat_instance": "1", "message": message, "data": data}
    return {"update_id": 2, "callback_query": query}


def test_a_press_carries_the_id_of_the_button_and_nothing_else() -> None:
    [arrival] = read(press(PRIVATE))
    message = arrival.message
    assert (message.button_id, message.text, message.external_id) == ("b" * 32, "", f"{BOT['id']}/press/77")
    assert str(message.address) == "telegram:default:42"
    assert str(read(press(GROUP))[0].message.address) == "telegram:default:-1001:42"


@pytest.mark.parametrize(
    "event",
    [
        {"update_id": 3, "edited_message": update(text="x")["message"]},
        {"update_id": 3, "channel_post": update(text="x")["message"]},
        {"update_id": 3, "my_chat_member": {"chat": PRIVATE, "from": ANN}},
        {"update_id": 3, "what_comes_next_year": [1, 2]},
        {"update_id": 3},
        update(new_chat_title="Kites", chat=GROUP),
        update(text="to the others", chat=GROUP),
        update(text="x", chat={"id": -5, "type": "channel", "title": "News"}),
        update(text="x", **{"from": ANN | {"is_bot": True}}),
        update(text="x", **{"from": None}),
        update(text="   "),
        {"update_id": 3, "callback_query": {"id": "1", "from": ANN, "chat_instance": "1", "game_short_name": "g"}},
    ],
)
def test_what_is_not_for_us_gives_no_message(event: dict[str, Any]) -> None:
    assert read(event) == []


def test_in_a_group_a_mention_or_an_answer_to_the_bot_is_for_us_and_each_member_speaks_for_themselves() -> None:
    one = connector()
    one._reader.username = "KiteDeskBot"  # what getMe tells at the start
    mention = {"type": "mention", "offset": 3, "length": 12}
    [arrival] = read(update(chat=GROUP, text="😀 @kitedeskbot where is it?", entities=[mention]), one)
    assert (arrival.message.address.contact, arrival.message.text) == ("-1001:42", "😀  where is it?")
    answered = {"message_id": 1, "date": 1, "chat": GROUP, "from": BOT, "text": "x"}
    assert read(update(chat=GROUP, text="yes", reply_to_message=answered), one)[0].message.text == "yes"
    other = answered | {"from": ANN}
    assert read(update(chat=GROUP, text="yes", reply_to_message=other), one) == []
    stranger = {"type": "mention", "offset": 0, "length": 8}
    assert read(update(chat=GROUP, text="@someone hi", entities=[stranger]), one) == []
    named = {"type": "text_mention", "offset": 0, "length": 4, "user": BOT}
    assert len(read(update(chat=GROUP, text="Kite hi", entities=[named]), one)) == 1
    command = {"type": "bot_command", "offset": 0, "length": 18}
    assert read(update(chat=GROUP, text="/order@KiteDeskBot", entities=[command]), one)[0].message.text == "/order"[1:]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"update_id":"1"}',
        b"[" * 100_000,
        b'{"update_id":1,"message":5}',
        json.dumps(update(text=5)).encode(),
        json.dumps(update(text="x", chat={"id": "42", "type": "private"})).encode(),
        json.dumps(update(text="x", date="soon")).encode(),
        json.dumps(update(text="x", date=10**30)).encode(),
        json.dumps(update(location={"latitude": "north", "longitude": None})).encode(),
        json.dumps(press(PRIVATE, data=7)).encode(),
    ],
)
def test_what_is_not_as_documented_is_a_bad_payload(body: bytes) -> None:
    with pytest.raises(BadPayload):
        read(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*update()["message"], "text"]), inner),
    max_leaves=6,
)
FIELDS = ["message_id", "date", "chat", "from", "text", "caption", "photo", "voice", "location", "venue", "contact"]
FIELDS += ["entities", "sticker", "document", "reply_to_message", "data", "id", "message"]


@given(st.sampled_from(["message", "callback_query"]), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3))
def test_any_update_is_read_or_refused_with_a_reason(kind: str, changed: dict[str, Any]) -> None:
    base = update(text="x")["message"] if kind == "message" else press(PRIVATE)["callback_query"]
    with suppress(BadPayload):
        for arrival in read({"update_id": 1, kind: base | changed}, ONE):
            assert arrival.message.address.channel == "telegram"
            assert isinstance(arrival.message.text, str)


ONE = connector()


@given(st.text(max_size=40) | st.sampled_from([SECRET[:-1], SECRET + "x", SECRET.upper(), SECRET + "\n", "é"]))
def test_only_the_secret_opens(given_secret: str) -> None:
    request = WebhookRequest("POST", {HEADER: given_secret})
    with pytest.raises(BadSignature):
        ONE.verify(request)
    ONE.verify(WebhookRequest("POST", {HEADER: SECRET}))


def test_a_secret_made_from_the_token_tells_nothing_of_it_and_differs_by_account_and_bot() -> None:
    entry = {"channel": "telegram", "set_webhook": True}
    other = TOKEN.replace("AAH", "AAG")
    secrets = {
        TelegramConnector(TelegramConnector.Settings.model_validate(entry | changed), MEANS)._secret
        for changed in ({"token": TOKEN}, {"token": TOKEN, "account": "b"}, {"token": other})
    }
    assert len(secrets) == 3
    assert all(len(secret) == 64 and TOKEN[10:] not in secret for secret in secrets)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"token": "1:short"}, "token"),
        ({"secret": ""}, "secret"),
        ({"secret": "short"}, "secret"),
        ({"secret": "sixteen letters!"}, "secret"),
        ({"secret": None}, "set_webhook: true, or polling"),
        ({"polling": True, "set_webhook": True}, "exclude each other"),
        ({"api_base": "ftp://x"}, "api_base"),
        ({"per_second": 0}, "per_second"),
    ],
)
def test_an_account_that_cannot_work_stops_the_start_without_telling_its_token(
    changed: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadAccount, match=named) as stopped:
        connectors_of([{"channel": "telegram", "token": TOKEN, "secret": SECRET} | changed], MEANS)
    assert TOKEN not in str(stopped.value)
    assert TOKEN not in repr(TelegramConnector.Settings(channel="telegram", token=TOKEN, polling=True))


async def stored(server: Server) -> int:
    return len(await server.desk.transcript(connector().address("42")))


async def test_no_forged_request_is_stored_and_none_breaks_the_desk(tmp_path: Path) -> None:
    # api_base leads nowhere: nothing here needs Telegram
    async with running_server(tmp_path, lambda means: [connector(means, api_base="http://127.0.0.1:9")]) as server:
        body = json.dumps(update(text="hello")).encode()
        forged: list[list[tuple[str, str]]] = [[], [(HEADER, "")], [(HEADER, SECRET.upper())], [(HEADER, f"{SECRET}x")]]
        forged += [[(HEADER, SECRET[:at] + "~" + SECRET[at + 1 :])] for at in range(len(SECRET))]
        forged += [[("authorization", f"Bearer {SECRET}")], [("x-signature", SECRET)]]
        forged += [[(HEADER, SECRET), (HEADER, "x")], [(HEADER, "x"), (HEADER, SECRET)], [(HEADER, SECRET)] * 2]
        for headers in forged:
            answer = await server.http.post(PATH, content=body, headers=headers)
            assert answer.status_code in (401, 403), headers
        odd = await server.http.post(PATH, content=body, headers=[(HEADER.encode(), "schlüssel".encode())])
        assert 400 <= odd.status_code < 500
        with suppress(httpx.TransportError):  # the server may hang up on such a header
            huge = await server.http.post(PATH, content=body, headers={HEADER: "x" * 1024 * 1024})
            assert 400 <= huge.status_code < 500
        for broken in (body[:-1], b"\xff" + body, b"", b"[]", b"x" * 1_000_000):
            answer = await server.http.post(PATH, content=broken, headers={HEADER: SECRET})
            assert answer.status_code == 400
        assert (await server.http.get(PATH)).status_code == 404
        assert await stored(server) == 0


async def test_the_same_update_twenty_times_at_once_is_one_turn(tmp_path: Path) -> None:
    async with running_server(tmp_path, lambda means: [connector(means, api_base="http://127.0.0.1:9")]) as server:
        body = json.dumps(update(text="hello")).encode()
        answers = await asyncio.gather(
            *(server.http.post(PATH, content=body, headers={HEADER: SECRET}) for _ in range(20))
        )
        assert {answer.status_code for answer in answers} == {200}
        async with asyncio.timeout(10), server.hub.subscribe(f"contact:{connector().address('42')}") as news:
            while await stored(server) < 2:
                await anext(aiter(news))
        said = [message.text for message in await server.desk.transcript(connector().address("42"))]
        assert said == ["hello", "you said hello"]
        for event in ({"update_id": 9, "poll": {"id": "1"}}, press(PRIVATE, "never offered")):
            answer = await server.http.post(PATH, content=json.dumps(event).encode(), headers={HEADER: SECRET})
            assert answer.status_code == 200
        assert await stored(server) == 2
