"""Where messages of every channel come in: their files are fetched, then they are stored, and only then acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

import structlog

from connectors.base import Arrival, Connector, Files, Media
from connectors.desk import Inbox
from connectors.speech import Speech
from conversations.errors import ConversationError, InvalidMessage, SendError
from conversations.model import SPOKEN, Attachment, InboundMessage

log = structlog.get_logger()

#: All files of one request together; channels take back a webhook that is not answered within three to five seconds.
FETCH_SECONDS = 2.5
_STORE_SECONDS = 0.5  #: left for storing the message, of what its channel waits
#: What stands in the transcript for a file that could not be fetched or is not accepted.
NOT_FETCHED = {
    "zh": {
        "image": "［图片未能接收］",
        "voice": "［语音未能接收］",
        "video": "［视频未能接收］",
        "file": "［文件未能接收］",
    },
    "en": {
        "image": "[a picture that could not be received]",
        "voice": "[a voice message that could not be received]",
        "video": "[a video that could not be received]",
        "file": "[a file that could not be received]",
    },
}


class Door:
    """Brings arrivals into the inbox; what a file's channel or type forbids never stops the message itself."""

    def __init__(
        self, inbox: Inbox, files: Files, speech: Speech | None = None, *, fetch_seconds: float = FETCH_SECONDS
    ) -> None:
        self._inbox = inbox
        self._files = files
        self._speech = speech
        self._fetch_seconds = fetch_seconds

    async def receive(self, connector: Connector, arrivals: Iterable[Arrival]) -> None:
        """Store messages in their order; raises what the inbox raises, having stored those before.

        A message that can never be stored is left out with a log line where the channel would send it again and again.
        """
        clock = asyncio.get_running_loop()
        until = clock.time() + self._fetch_seconds
        stored_by = clock.time() + connector.answers_within - _STORE_SECONDS
        for arrival in arrivals:
            message = arrival.message
            if arrival.media:
                message = await self._with_files(connector, arrival, until - clock.time(), stored_by)
            message = await self._introduced(connector, message, until - clock.time())
            try:
                await self._inbox.receive(message)
            except InvalidMessage as error:
                if connector.reads_transcript:
                    raise  # whoever wrote the program that sent it can mend it
                # A channel that is told no sends the same again for hours and holds back what comes after it.
                log.warning("message_refused", channel=connector.channel, account=connector.account, error=str(error))

    async def close(self) -> None:
        """Let go of connections."""
        if self._speech is not None:
            await self._speech.close()

    async def _introduced(self, connector: Connector, message: InboundMessage, seconds: float) -> InboundMessage:
        if type(connector).introduce is Connector.introduce:
            return message
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                return await connector.introduce(message)
        except (TimeoutError, SendError) as error:
            reason = str(error) or type(error).__name__
            log.info("sender_not_introduced", channel=connector.channel, account=connector.account, error=reason)
            return message

    async def _with_files(
        self, connector: Connector, arrival: Arrival, seconds: float, stored_by: float
    ) -> InboundMessage:
        message = arrival.message
        fetched = await asyncio.gather(
            *(self._fetched(connector, one, str(message.address), seconds) for one in arrival.media)
        )
        words = NOT_FETCHED[message.language or connector.language]
        missing = [words[media.kind] for media, file in zip(arrival.media, fetched, strict=True) if file is None]
        spoken = [] if message.text.strip() else await self._heard(arrival.media, fetched, stored_by)
        return replace(
            message,
            text="\n".join(filter(None, [message.text, *spoken, *missing])),
            attachments=(*message.attachments, *(file[0] for file in fetched if file is not None)),
        )

    async def _heard(
        self, media: Sequence[Media], fetched: Sequence[tuple[Attachment, bytes] | None], stored_by: float
    ) -> list[str]:
        """What is said in voice messages; one that is not understood in time stays a file."""
        if self._speech is None:
            return []
        left = stored_by - asyncio.get_running_loop().time()
        voices = [file for one, file in zip(media, fetched, strict=True) if one.kind == "voice" and file is not None]
        heard = await asyncio.gather(*(self._speech.transcribe(file.name, content, left) for file, content in voices))
        return [f"{SPOKEN}{text}" for text in heard if text]

    async def _fetched(
        self, connector: Connector, media: Media, owner: str, seconds: float
    ) -> tuple[Attachment, bytes] | None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                name, content = await connector.fetch(media)
            return await self._files.save(owner, media.name or name, content), content
        except (TimeoutError, SendError, ConversationError) as error:
            reason = str(error) or type(error).__name__
            log.warning("file_not_received", channel=connector.channel, account=connector.account, error=reason)
            return None
