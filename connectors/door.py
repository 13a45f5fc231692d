"""Where messages of every channel come in: their files are fetched, then they are stored, and only then acknowledged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

import structlog
from structlog.contextvars import bound_contextvars

from connectors.base import Arrival, Connector, Files, Media, Unreadable
from connectors.desk import Inbox
from connectors.speech import Speech
from connectors.unreadables import Unreadables
from conversations.errors import ConversationError, InvalidMessage, SendError
from conversations.model import SPOKEN, Address, Attachment, InboundMessage

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


def _private(message: InboundMessage) -> tuple[str | None, ...]:
    """What must not get into the log while a message is worked on."""
    return message.text, message.contact_name, message.address.contact, message.contact_point


async def _nothing_goes_on(_address: Address) -> bool:
    return False


class Door:
    """Brings arrivals into the inbox; what a file's channel or type forbids never stops the message itself."""

    def __init__(
        self,
        inbox: Inbox,
        files: Files,
        speech: Speech | None = None,
        *,
        goes_on: Callable[[Address], Awaitable[bool]] = _nothing_goes_on,
        fetch_seconds: float = FETCH_SECONDS,
        unreadables: Unreadables | None = None,
    ) -> None:
        """Without ``unreadables``, what nobody can read is only told in the log."""
        self._inbox = inbox
        self._files = files
        self._speech = speech
        self._goes_on = goes_on  #: whether a conversation at an address can be continued without calling us
        self._fetch_seconds = fetch_seconds
        self._unreadables = unreadables

    async def receive(
        self, connector: Connector, arrivals: Iterable[Arrival], unreadable: Iterable[Unreadable] = ()
    ) -> None:
        """Store messages in their order; raises what the inbox raises, having stored those before.

        A message that can never be stored is kept aside where the channel would send it again and again.
        """
        for one in unreadable:
            await self._set_aside(connector, one)
        clock = asyncio.get_running_loop()
        until = clock.time() + self._fetch_seconds
        stored_by = clock.time() + connector.answers_within - _STORE_SECONDS
        for arrival in arrivals:
            with bound_contextvars(
                channel=connector.channel, account=connector.account, private_words=_private(arrival.message)
            ):
                await self._take(connector, arrival, until, stored_by)

    async def _take(self, connector: Connector, arrival: Arrival, until: float, stored_by: float) -> None:
        clock, message = asyncio.get_running_loop(), arrival.message
        if arrival.follows and not await self._goes_on(message.address):
            return
        if arrival.media:
            message = await self._with_files(connector, arrival, until - clock.time(), stored_by)
        message = await self._introduced(connector, message, until - clock.time())
        try:
            await self._inbox.receive(message)
            connector.report("received", "", "")
        except InvalidMessage as error:
            if connector.reads_transcript:
                raise  # whoever wrote the program that sent it can mend it
            # A channel that is told no sends the same again for hours and holds back what comes after it.
            await self._set_aside(connector, Unreadable(_as_text(message), str(error)))

    async def _set_aside(self, connector: Connector, unreadable: Unreadable) -> None:
        """Keep what nobody can read; what cannot even be kept must not be acknowledged, so its ``OSError`` goes on."""
        here = {"channel": connector.channel, "account": connector.account, "error": unreadable.reason}
        log.warning("message_refused", **here)
        if self._unreadables is not None:
            await self._unreadables.keep(connector.channel, connector.account, unreadable)

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
            log.info("sender_not_introduced", error=reason)
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
            log.warning("file_not_received", error=reason)
            return None


def _as_text(message: InboundMessage) -> str:
    said = {"contact": message.address.contact, "id": message.external_id, "text": message.text}
    return json.dumps(said | {"button_id": message.button_id, "files": [file.name for file in message.attachments]})
