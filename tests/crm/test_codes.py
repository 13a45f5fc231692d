"""Codes reach people by a demo mailbox or by mail, and a failure tells nothing."""

from __future__ import annotations

import asyncio
import json
import logging
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from crm.codes import MailboxCodeSender, SmtpCodeSender, keyed_hash, new_code


async def test_the_demo_mailbox_gets_one_json_line_per_code(tmp_path: Path) -> None:
    path = tmp_path / "var" / "mailbox.jsonl"
    sender = MailboxCodeSender(path)
    await asyncio.gather(*(sender.send("13800132468", f"{n:06d}", "zh") for n in range(20)))
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert {line["code"] for line in lines} == {f"{n:06d}" for n in range(20)}
    assert lines[0]["to"] == "13800132468"
    assert lines[0]["code"] in lines[0]["text"]
    assert sender.can_send("13800132468")
    assert sender.can_send("a@example.com")


class SmtpServer:
    """Enough of a mail server to take one message."""

    def __init__(self) -> None:
        self.mail = b""

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            if line.upper().startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                self.mail = await reader.readuntil(b"\r\n.\r\n")
            elif line.upper().startswith(b"QUIT"):
                writer.write(b"221 bye\r\n")
                break
            writer.write(b"250 ok\r\n")
        writer.close()


@pytest.mark.parametrize(("language", "words"), [("zh", "验证码"), ("en", "one-time code")])
async def test_a_code_is_mailed_in_the_customers_language(language: str, words: str) -> None:
    server = SmtpServer()
    async with server as port:
        sender = SmtpCodeSender(f"smtp://127.0.0.1:{port}", "help@kite.example", timeout_seconds=5)
        await sender.send("emma.clarke@example.com", "123456", language)
        await sender.close()
    mail = message_from_bytes(server.mail, policy=default)
    body = mail.get_body()
    assert body is not None
    assert (mail["To"], mail["From"]) == ("emma.clarke@example.com", "help@kite.example")
    assert words in body.get_content()
    assert "123456" in body.get_content()


async def test_a_dead_mail_server_is_logged_without_the_code(caplog: pytest.LogCaptureFixture) -> None:
    sender = SmtpCodeSender("smtp://127.0.0.1:1", "help@kite.example", timeout_seconds=2)
    with caplog.at_level(logging.ERROR):
        await sender.send("emma.clarke@example.com", "123456", "en")
        await sender.close()
    assert "could not be mailed" in caplog.text
    assert "123456" not in caplog.text


@pytest.mark.parametrize("url", ["", "http://example.com", "smtp://", "mail.example.com"])
def test_a_bad_smtp_address_is_explained(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL"):
        SmtpCodeSender(url, "help@kite.example")


def test_codes_are_six_digits_and_hashes_depend_on_key_and_reference() -> None:
    assert all(len(code) == 6 and code.isdigit() for code in (new_code() for _ in range(50)))
    hashes = {keyed_hash(key, reference, "123456") for key in (b"a", b"b") for reference in ("x", "y")}
    assert len(hashes) == 4
