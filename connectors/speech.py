"""Writes down what is said in voice messages, with any endpoint that speaks OpenAI's ``/audio/transcriptions``.

Source: https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

from __future__ import annotations

import asyncio
import json

import httpx
import structlog

log = structlog.get_logger()

LONGEST_TEXT = 4000
_LEAST_SECONDS = 0.3  #: less time than this is not worth a request
_MAX_ANSWER_BYTES = 256 * 1024
_AT_ONCE = 8


class Speech:
    """One endpoint and model; close it at the end."""

    def __init__(self, url: str, model: str, key: str | None = None, *, timeout_seconds: float = 12.0) -> None:
        self._address = f"{url.rstrip('/')}/audio/transcriptions"
        self._model = model
        self._key = key
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout_seconds, connect=min(2.0, timeout_seconds)),
            limits=httpx.Limits(max_connections=_AT_ONCE),
            follow_redirects=False,  # the key goes to one host only
            trust_env=False,
        )

    @classmethod
    def at(cls, url: str | None, model: str | None, key: str | None, timeout_seconds: float) -> Speech | None:
        """The endpoint of the settings, or None where there is none."""
        return cls(url, model, key, timeout_seconds=timeout_seconds) if url and model else None

    async def transcribe(self, name: str, content: bytes, seconds: float) -> str | None:
        """What is said, in whatever language; None if it is not known within ``seconds``. Raises nothing.

        The file's name tells the endpoint how it is encoded.
        """
        allowed = min(seconds, self._timeout_seconds)
        if allowed < _LEAST_SECONDS:
            return None
        try:
            async with asyncio.timeout(allowed):
                text = await self._ask(name, content)
        except (TimeoutError, httpx.HTTPError, ValueError, RecursionError) as error:
            # The answer itself is not logged: it may repeat what the customer said.
            log.warning("voice_not_understood", error=str(error) if type(error) is ValueError else type(error).__name__)
            return None
        if self._key:
            text = text.replace(self._key, "[key]")
        return text.replace("\x00", "").encode("utf-8", "replace").decode().strip()[:LONGEST_TEXT] or None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(self, name: str, content: bytes) -> str:
        form = {"model": self._model, "response_format": "json"}
        files = {"file": (name, content, "application/octet-stream")}
        async with self._client.stream("POST", self._address, data=form, files=files) as response:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            data = bytearray()
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > _MAX_ANSWER_BYTES:
                    raise ValueError("the answer is too large")
        try:
            answer = json.loads(data)
        except ValueError:
            raise ValueError("the answer is no JSON") from None
        text = answer.get("text") if isinstance(answer, dict) else None
        if not isinstance(text, str):
            raise ValueError("the answer has no text")
        return text
