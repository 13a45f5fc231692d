"""Posts signed notes (alerts, digests) to addresses that people typed into the console."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import httpx

from connectors.checked_address import ForbiddenAddress, check_url, checked_client
from connectors.standard_webhooks import Signatures


class SignedPosts:
    """Signed as Standard Webhooks with a secret of the desk's own; addresses inside of networks are refused unless ``private``."""

    def __init__(
        self, key: bytes, failed: Callable[[str], Exception], *, private: bool = False, clock: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        """``failed`` makes what is raised when something is not taken."""
        self.secret = "whsec_" + base64.b64encode(key).decode()
        self._signatures = Signatures([key])
        self._failed = failed
        self._private = private
        self._clock = clock
        self._http = checked_client(private=private)

    def check(self, url: str) -> None:
        """Raise ``ValueError`` for an address that nothing may be posted to."""
        check_url(url, private=self._private, setting="PRIVATE_WEBHOOKS")

    async def send(self, url: str, post_id: str, body: str, about: str) -> None:
        """Post it once, as ``frontdesk-<about>``; anything but 2xx is a failure. Nobody reads the answer."""
        self.check(url)
        content = body.encode("utf-8", "replace")
        headers = self._signatures.headers(post_id, content, self._clock())
        headers |= {"content-type": "application/json", "user-agent": f"frontdesk-{about}"}
        try:
            async with self._http.stream("POST", url, content=content, headers=headers) as response:
                status = response.status_code
        except ForbiddenAddress:
            raise self._failed("the address leads into a private network") from None
        except httpx.HTTPError as error:
            raise self._failed(f"no answer ({type(error).__name__})") from None
        if not 200 <= status < 300:
            raise self._failed(f"HTTP {status}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
