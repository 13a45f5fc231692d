"""An endpoint on loopback that writes down voices, as OpenAI documents ``POST /audio/transcriptions``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.doubles.vendor_server import Answer, Call, serving

KEY, MODEL = "sk-of-the-tests", "small-hearing"


class SpeechDouble:
    """Knows what is said in some files; what it does not know it hears as silence."""

    def __init__(self) -> None:
        self.url = ""
        self.knows: dict[bytes, str] = {}
        self.heard: list[str] = []  #: names of the files
        self.next: deque[Answer | str] = deque()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SpeechDouble]:
        """While it serves."""
        async with serving(self._handle) as base:
            self.url = f"{base}/v1"
            yield self

    async def _handle(self, call: Call) -> Answer:
        planned = self.next.popleft() if self.next else None
        if planned == "silence":
            await asyncio.sleep(60)
        if isinstance(planned, Answer):
            return planned
        if (call.method, call.path) != ("POST", "/v1/audio/transcriptions"):
            return _error(404, "no such address")
        if call.headers.get("authorization") != f"Bearer {KEY}":
            return _error(401, "wrong key")
        form = call.form()
        name, content = call.parts().get("file", ("", b""))
        if "." not in name or not content:
            return _error(400, "file is missing or has no extension")
        if form.get("model") != MODEL or form.keys() - {"model", "response_format", "language"}:
            return _error(400, "unknown model or parameter")
        self.heard.append(name)
        return Answer({"text": self.knows.get(content, "")})


def _error(status: int, message: str) -> Answer:
    return Answer({"error": {"message": message, "type": "invalid_request_error"}}, status)
