"""What WhatsApp and Messenger share: signed webhooks, their set-up handshake, and the Graph API with its errors.

Sources: developers.facebook.com/docs, "Webhooks: Getting started", "Graph API: Handle errors", "WhatsApp Cloud API: Error
codes", "Messenger Platform: Error codes".
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from connectors.base import AccountSettings, BadPayload, BadSignature, Unreadable, WebhookRequest
from connectors.vendor_calls import call, download, is_host_of, json_of, retry_after
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    MessageRejected,
    RateLimited,
    SendError,
    WindowClosed,
)

_CHALLENGE = re.compile(r"[0-9A-Za-z_-]{1,128}")
_OUR_ID = re.compile(r"[\x21-\x7e]{1,256}")
_REMEMBERED = 10_000
_COURTESIES = 64  #: calls that only look nice, at the same time
_LONGEST_POWER = 5  #: 4^5 s are 17 minutes

_TOO_FAST = {4, 17, 32, 613, 80006, 80007, 130429, 131048, 133016}
_PAIR = 131056  #: too many messages from our number to this one contact
_LATER = {1, 2, 1200, 131000, 131016, 131057, 133004}
_WINDOW = 131047
_WINDOW_SUBCODES = {2018278, 2018065}  #: of code 10
_UNREACHABLE = {551, 130472, 130497, 131026, 131050}  #: 131050: they stopped such messages [doc]
_UNREACHABLE_SUBCODES = {1545041, 2018001, 2018108}
#: Somebody must act before anything goes out.
_ADVICE = {
    0: "the access token cannot be used; make a new one and set access_token",
    3: "the app lacks a permission",
    10: "the app lacks a permission",
    190: "the access token has expired or was withdrawn; make a new one and set access_token",
    200: "the app lacks a permission, or is not published and the contact is none of its testers",
    368: "Meta has blocked the account for a breach of its policies; look into the Business Support Home",
    131005: "the app lacks a permission",
    131030: "the test number writes only to the recipients on its list; add this one or use a real number",
    131031: "Meta has locked the account; look into the Business Support Home",
    131042: "the WhatsApp account has no valid way to pay",
    131045: "the phone number is not registered for the Cloud API",
    133010: "the phone number is not registered for the Cloud API",
}


def _not_blank(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("it is empty")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_not_blank)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,40}$")]


class MetaSettings(AccountSettings):
    """An app at developers.facebook.com and its access to one number or page."""

    app_secret: Secret
    verify_token: Secret  #: our own words, which are typed in again where the webhook is set up
    access_token: Secret
    api_base: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")] = (
        "https://graph.facebook.com"
    )
    api_version: Annotated[str, StringConstraints(pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$")] = "v25.0"
    media_hosts: tuple[str, ...] = ("lookaside.fbsbx.com",)  #: besides the API's own [doc, seen in samples]
    show_typing: bool = True  #: and that the message was read, while the bot is about to answer
    #: The first pause after "too many messages"; each further one is four times as long [2nd, for WhatsApp].
    backoff_seconds: Annotated[float, Field(gt=0, le=60)] = 1.0


def verify(secret: bytes, request: WebhookRequest) -> None:
    """Raise ``BadSignature`` unless X-Hub-Signature-256 is the HMAC of the raw body with the app secret."""
    right = f"sha256={hmac.new(secret, request.body, 'sha256').hexdigest()}"
    given = request.headers.get("x-hub-signature-256", "")
    if not hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")):
        raise BadSignature("x-hub-signature-256 does not match")


def answer_challenge(token: bytes, request: WebhookRequest) -> str:
    """What Meta wants to read back when the webhook is set up; raises ``BadSignature``.

    Only letters, digits, - and _ are read back: whoever knows the token cannot make this address say anything else.
    """
    given = request.query.get("hub.verify_token", "")
    right = hmac.compare_digest(token, given.encode("utf-8", "replace"))
    if request.query.get("hub.mode") != "subscribe" or not right:
        raise BadSignature("hub.verify_token is not the verify_token of this channel account")
    challenge = request.query.get("hub.challenge", "")
    if not _CHALLENGE.fullmatch(challenge):
        raise BadSignature("hub.challenge is not one of Meta's")
    return challenge


def read_entries(raw: bytes, kind: str) -> list[Mapping[str, Any]]:
    """The entries of a webhook about objects of a kind, none for other kinds; raises ``BadPayload``."""
    try:
        body = json.loads(raw.decode())
    except (ValueError, RecursionError):
        raise BadPayload("the body is no JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("object"), str):
        raise BadPayload("the body has no object")
    entries = body.get("entry")
    if not isinstance(entries, list):
        raise BadPayload("entry is not a list")
    return [one for one in entries if isinstance(one, dict)] if body["object"] == kind else []


def events_of(value: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any] | Unreadable]:
    """The events in a list of a webhook; what is no object is none that Meta documents."""
    events = value.get(name)
    for event in events if isinstance(events, list) else []:
        yield event if isinstance(event, dict) else unreadable(event, "an event is not an object")


def unreadable(event: object, reason: str) -> Unreadable:
    """One event of a webhook, as it came."""
    return Unreadable(json.dumps(event), reason)


def dict_of(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A field that is an object; an empty one where it is anything else."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def dicts_of(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in a field that is a list; none where it is anything else."""
    value = body.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A field that is a text; an empty one where it is anything else."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def id_of(body: Mapping[str, Any], name: str) -> str:
    """A field that is an id of ours which comes back, such as a button's; an empty one where it cannot be one."""
    value = text_of(body, name)
    return value if _OUR_ID.fullmatch(value) else ""


def place(latitude: object, longitude: object, *names: str) -> str:
    """A location as people read it, with a link that opens everywhere; raises ``BadPayload``."""
    try:
        north, east = float(latitude), float(longitude)  # type: ignore[arg-type]  # what is no number raises
        inside = abs(north) <= 90 and abs(east) <= 180
    except (TypeError, ValueError, OverflowError):
        inside = False
    if not inside:
        raise BadPayload("a location has no coordinates")
    title = ", ".join(filter(None, names))
    where = f"{north:.6f}, {east:.6f}"
    link = f"https://www.openstreetmap.org/?mlat={north:.6f}&mlon={east:.6f}#map=17/{north:.6f}/{east:.6f}"
    return f"📍 {title} ({where})\n{link}" if title else f"📍 {where}\n{link}"


def remember(known: OrderedDict[str, Any], key: str, value: Any) -> None:
    """Put something at the end of what is known; of ten thousand, the oldest is forgotten."""
    known[key] = value
    known.move_to_end(key)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)


class Backoff:
    """Pauses after refusals, each four times as long as the one before, for a contact or (key "") all of them."""

    def __init__(self, first_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._first = first_seconds
        self._clock = clock
        self._refusals: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def check(self, *keys: str) -> None:
        """Raises ``RateLimited`` while a pause lasts."""
        left = max(self._refusals.get(key, (0, 0.0))[1] for key in keys) - self._clock()
        if left > 0:
            raise RateLimited(left)

    def refused(self, key: str, at_least: float = 0.0) -> float:
        """The pause to make now; messages refused at the same time count once."""
        power, until = self._refusals.pop(key, (0, 0.0))
        now = self._clock()
        if now >= until:
            until = now + max(at_least, self._first * 4.0 ** min(power, _LONGEST_POWER))
            power += 1
        remember(self._refusals, key, (power, until))
        return until - now

    def taken(self, *keys: str) -> None:
        """A message went out: the next refusal is the first again."""
        for key in keys:
            self._refusals.pop(key, None)


class Courtesies:
    """Calls for which nobody waits, and whose failure harms nobody."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def meanwhile(self, do: Callable[[], Awaitable[None]]) -> None:
        """Try it in the background, unless too much is going on there."""

        async def try_it() -> None:
            with contextlib.suppress(SendError):
                await do()

        if len(self._tasks) < _COURTESIES:
            task = asyncio.create_task(try_it())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let go of what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Graph:
    """The calls of one account; the token goes in a header, never into an address."""

    def __init__(self, http: httpx.AsyncClient, settings: MetaSettings) -> None:
        self._http = http
        self._base = settings.api_base.rstrip("/")
        self._version = settings.api_version
        self._token = settings.access_token.get_secret_value()
        self._hosts = settings.media_hosts
        self._backoff = Backoff(settings.backoff_seconds)

    async def deliver(self, what: str, path: str, to: str, **request: Any) -> dict[str, Any]:
        """Send something to a contact, after the pauses Meta asked for; raises a ``SendError``."""
        self._backoff.check(to, "")
        answer = await self._call(what, "POST", path, to, delivers=True, **request)
        self._backoff.taken(to, "")
        return answer

    async def post(self, what: str, path: str, **request: Any) -> dict[str, Any]:
        """Anything else; raises a ``SendError``."""
        return await self._call(what, "POST", path, **request)

    async def get(self, what: str, path: str, **params: str) -> dict[str, Any]:
        """Read something; raises a ``SendError``."""
        return await self._call(what, "GET", path, params=params)

    async def download(self, what: str, url: str, *, with_token: bool) -> bytes:
        """A file behind a link that Meta named; raises a ``SendError``, also for hosts that are not in media_hosts."""
        if not is_host_of(url, self._hosts, self._base):
            raise MessageRejected(f"{what}: the link leads to a host that is not in media_hosts")
        return await download(self._http, what, url, self._bearer() if with_token else None)

    def _bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"}

    async def _call(
        self, what: str, method: str, path: str, to: str = "", *, delivers: bool = False, **request: Any
    ) -> dict[str, Any]:
        url = f"{self._base}/{self._version}/{path}"
        response = await call(
            self._http, what, method, url, delivers=delivers, explains_429=True, headers=self._bearer(), **request
        )
        answer = json_of(response)
        if response.status_code == 200 and "error" not in answer:
            return answer
        waits = partial(self._backoff.refused, at_least=retry_after(response, 0.0))
        raise error_of(what, response.status_code, dict_of(answer, "error"), waits, to, self._token)


def error_of(
    what: str, status: int, error: Mapping[str, Any], waits: Callable[[str], float], to: str = "", token: str = ""
) -> SendError:
    """What a refusal means for the message; ``waits`` gives the pause for a contact or (with "") for all."""
    code, subcode = (value if isinstance(value := error.get(name), int) else -1 for name in ("code", "error_subcode"))
    number = str(code) if code >= 0 else f"HTTP {status}" if status else "failed"
    reason = f"{what}: {number}/{subcode}" if subcode > 0 else f"{what}: {number}"
    if code == _PAIR:
        return RateLimited(waits(to))
    if code in _TOO_FAST or (status == 429 and code < 0):
        return RateLimited(waits(""))
    if code == _WINDOW or (code == 10 and subcode in _WINDOW_SUBCODES):
        return WindowClosed(f"{reason} (the contact wrote too long ago, the time in which Meta lets us answer is over)")
    if code in _UNREACHABLE or subcode in _UNREACHABLE_SUBCODES:
        return ContactUnreachable(f"{reason} (Meta cannot reach the contact, or they do not want to hear from us)")
    if code in _LATER or error.get("is_transient") is True:
        return ChannelUnavailable(reason)
    if code in _ADVICE:  # Meta's own words may quote the token
        return MessageRejected(f"{reason} ({_ADVICE[code]})")
    said = text_of(dict_of(error, "error_data"), "details") or text_of(error, "message") or text_of(error, "title")
    said = (said.replace(token, "***") if token else said).replace("\x00", "").encode("utf-8", "replace").decode()
    return MessageRejected(f"{reason} ({said[:200]})" if said else reason)
