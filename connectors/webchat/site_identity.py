"""Who the site says its visitor is: signed on the site's server, checked here, never taken from the page alone.

The signature is the HMAC-SHA256, in hexadecimal, of six lines (UTF-8, joined by one line feed, none at the end):
``frontdesk-identity-v1``, id, expires_at, name, email, phone; what is not given is an empty line.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

VERSION = "frontdesk-identity-v1"
LONGEST_SECONDS = 24 * 3600
_SKEW_SECONDS = 300  # between our clock and the site's
_CRM_SECONDS = 1.5
_LIMITS = {"id": 200, "name": 200, "email": 254, "phone": 40}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_SIGNATURE = re.compile(r"[0-9a-fA-F]{64}")

log = structlog.get_logger()

#: Id, e-mail and phone of a site's user → the customer they are, where exactly one is.
CustomerOf = Callable[[str, str | None, str | None], Awaitable[str | None]]

#: What the developer of the page reads in the console of their browser.
_WHY = {
    "off": (
        "This desk takes no signed identities; set SITE_IDENTITY_KEY and start it again.",
        "这个客服台没有启用签名身份：请设置 SITE_IDENTITY_KEY 后重启。",
    ),
    "malformed": (
        "The identity is not complete: id, expires_at (whole seconds since 1970) and signature are needed, every value is "
        "text of one line, and only id, name, email, phone, expires_at and signature are known.",
        "身份信息不完整：必须有 id、expires_at（1970 年以来的整秒数）和 signature；每项都是单行文本；只认 id、name、email、"
        "phone、expires_at、signature 这几项。",
    ),
    "forged": (
        "The signature does not fit these values. Sign exactly what you pass to the chat, in the documented order, on your "
        "server, with the SITE_IDENTITY_KEY of this desk.",
        "签名与内容对不上：请在服务器上用本客服台的 SITE_IDENTITY_KEY，按文档的顺序，对传给聊天窗口的内容原样签名。",
    ),
    "expired": (
        "The signature has expired. Sign a new one whenever a page is served, and check the clock of your server.",
        "签名已过期：请在每次输出页面时重新签名，并检查服务器的时钟。",
    ),
    "too_long": (
        "The signature would hold for more than 24 hours; let it end sooner, an hour is plenty.",
        "签名有效期超过 24 小时：请缩短，一小时就够了。",
    ),
    "later": (
        "An agent is helping this visitor, and another one the same user elsewhere. Neither is cut off: the visitor is signed "
        "in when a page says so again after one of them is done.",
        "这位访客正由客服接待，同一用户在别处也有客服在接待。为了不打断任何一边，等其中一边结束后，页面再次提交身份时就会登录。",
    ),
    "used": (
        "Another browser used this signature before. Sign a new one for every page, and let no cache keep the page.",
        "这个签名已在另一个浏览器里用过：请为每个页面单独签名，并且不要让缓存保存这个页面。",
    ),
}


class BadIdentity(Exception):
    """The site's word for who the visitor is cannot be taken; ``en`` and ``zh`` tell the page's developer why."""

    def __init__(self, code: str) -> None:
        self.code = f"identity_{code}"
        self.en, self.zh = _WHY[code]
        super().__init__(self.en)


@dataclass(frozen=True, slots=True)
class SiteUser:
    """A user of the site, by the site's own signature."""

    id: str
    name: str | None
    email: str | None
    phone: str | None
    expires_at: datetime
    signature_hash: str


async def _nobody(_id: str, _email: str | None, _phone: str | None) -> str | None:
    return None


class SiteIdentity:
    """Checks what sites sign; without keys nothing is believed."""

    def __init__(
        self, keys: Sequence[str], customer_of: CustomerOf = _nobody, clock: Callable[[], float] = time.time
    ) -> None:
        if any(len(key) < 32 for key in keys):
            raise ValueError("a site identity key needs at least 32 characters")
        self._keys = tuple(key.encode() for key in keys)
        self._customer_of = customer_of
        self._clock = clock

    def check(self, claim: Mapping[str, Any]) -> SiteUser:
        """Who the site signed; raises ``BadIdentity``."""
        if not self._keys:
            raise BadIdentity("off")
        texts = {name: claim.get(name) for name in _LIMITS}
        ends, signature = claim.get("expires_at"), claim.get("signature")
        if (
            set(claim) - set(_LIMITS) - {"expires_at", "signature"}
            or any(not _is_line(text, _LIMITS[name]) for name, text in texts.items() if text is not None)
            or not texts["id"]
            or not isinstance(ends, int)
            or isinstance(ends, bool)
            or not 0 < ends < 10**11
            or not isinstance(signature, str)
            or _SIGNATURE.fullmatch(signature) is None
        ):
            raise BadIdentity("malformed")
        message = canonical(texts["id"], ends, texts["name"], texts["email"], texts["phone"])
        given = bytes.fromhex(signature)
        # Every key is tried, so that the time taken does not tell which one fits.
        fits = [hmac.compare_digest(hmac.digest(key, message, hashlib.sha256), given) for key in self._keys]
        if not any(fits):
            raise BadIdentity("forged")
        now = self._clock()
        if ends <= now:
            raise BadIdentity("expired")
        if ends > now + LONGEST_SECONDS + _SKEW_SECONDS:
            raise BadIdentity("too_long")
        return SiteUser(
            texts["id"],
            texts["name"] or None,
            texts["email"] or None,
            texts["phone"] or None,
            datetime.fromtimestamp(ends, UTC),
            hashlib.sha256(given).hexdigest(),
        )

    async def customer_of(self, user: SiteUser) -> str | None:
        """The one customer the site vouches for; a customer system that does not answer keeps nobody out."""
        try:
            async with asyncio.timeout(_CRM_SECONDS):
                return await self._customer_of(user.id, user.email, user.phone)
        except Exception as error:
            log.warning("site_customer_unknown", error=str(error))
            return None


def canonical(user_id: str, expires_at: int, name: str | None, email: str | None, phone: str | None) -> bytes:
    """What is signed."""
    return "\n".join((VERSION, user_id, str(expires_at), name or "", email or "", phone or "")).encode()


def _is_line(text: Any, longest: int) -> bool:
    return isinstance(text, str) and len(text) <= longest and _CONTROL.search(text) is None
