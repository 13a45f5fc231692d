"""Conversations by e-mail, through a real IMAP server and real SMTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from conversations.model import Address, Author
from conversations.tables import addresses
from tests.connectors.desk import AGENT, Server
from tests.connectors.mail_desk import desk_with_mailbox
from tests.doubles.dovecot import Dovecot
from tests.doubles.mail_server import MailServer, mail, mail_server, reply
from tests.pictures import PNG

WORDS = {
    "zh": (
        "李雷 <lilei@kehu.example>",
        "咨询",
        "怎么退货？",
        "我要退掉它",
        "已登记退货 2",
        "转人工",
        "您好，我是林 <b>",
        "在 2026年11月30日，{who} 写道：",
        "回复：",
        "感谢您的评价",
    ),
    "en": (
        "Ann <Ann.Lee@customer.example>",
        "A question",
        "How do I return a kite?",
        "I want to send back it",
        "Return noted for 2",
        "Let me talk to a person",
        "Hello, this is Lin <b>",
        "On Mon, 30 Nov 2026 at 10:00, {who} wrote:",
        "Re: ",
        "Thank you for your rating",
    ),
}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("vouched", [True, False], ids=["vouched", "unproven"])
async def test_a_conversation_goes_from_a_question_to_a_rating(
    dovecot: Dovecot, tmp_path: Path, language: str, vouched: bool
) -> None:
    sender, subject, question, task, noted, person, greeting, quote, prefix, thanks = WORDS[language]
    email = sender.partition("<")[2].rstrip(">")
    async with (
        mail_server(dovecot) as provider,
        desk_with_mailbox(tmp_path, provider, plus_addressing=not vouched) as server,
    ):
        if vouched:
            provider.proven.add(email.partition("@")[2])
        await provider.write(email, mail(sender, subject, question))
        answer = await provider.answer_to(email, 1)
        assert answer["subject"] == prefix + subject
        assert f"{server.url}/articles/returns-{language}" in answer.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert f'href="{server.url}/articles/returns-{language}"' in answer.get_body(("html",)).get_content()  # type: ignore[union-attr]
        assert answer["auto-submitted"] == "auto-replied"

        sent = 1

        async def say(text: str) -> str:
            nonlocal answer, sent
            await provider.write(email, reply(answer, sender, text, quote))
            sent += 1
            answer = await provider.answer_to(email, sent)
            body = answer.get_body(("plain",))
            assert body is not None
            assert str(answer["in-reply-to"]).startswith("<reply-to-")
            return str(body.get_content())

        assert "\n2. " in await say(task)
        assert noted in await say("2")
        await say(person)
        conversation = await server.desk.find_current(await only_address(server))
        assert conversation is not None
        contact, _, thread = conversation.address.contact.partition("#")
        assert (contact, bool(thread)) == (email, not vouched)
        await server.desk.assign(conversation.id, AGENT)
        await provider.answer_to(email, sent + 1)
        await server.desk.reply_as_agent(conversation.id, AGENT, greeting)
        await provider.until(lambda: any(greeting in text for text in texts(provider, email)))
        from_agent = next(one for one in provider.received(email) if one["auto-submitted"] is None)
        assert from_agent["auto-submitted"] is None
        assert "&lt;b&gt;" in from_agent.get_body(("html",)).get_content()  # type: ignore[union-attr]
        await server.desk.resolve(conversation.id, AGENT)
        await provider.until(lambda: "5" in texts(provider, email)[-1])
        answer, sent = provider.received(email)[-1], len(texts(provider, email))
        assert thanks in await say("5")
        transcript = await server.desk.transcript(conversation.address)
        assert {message.conversation_id for message in transcript} == {conversation.id}


async def test_files_of_a_mail_are_kept_and_what_is_not_taken_is_named(dovecot: Dovecot, tmp_path: Path) -> None:
    sender, picture = "ann@shop.example", PNG
    message = mail(sender, "My order", "The picture shows the damage; please have a look at it soon.\n\n-- \nAnn Lee")
    message.add_attachment(picture, maintype="image", subtype="png", filename="破损.png")
    message.add_attachment(b"MZ\x90\x00", maintype="application", subtype="octet-stream", filename="tool.exe")
    async with mail_server(dovecot) as provider, desk_with_mailbox(tmp_path, provider, unproven="join") as server:
        await provider.write(sender, message)
        await provider.answer_to(sender, 1)
        said = (await server.desk.transcript(Address("email", "default", sender)))[0]
        assert [file.name for file in said.attachments] == ["破损.png", "whole mail.txt"]
        assert (await server.attachments.content(said.attachments[0].id))[1] == picture
        assert "Ann Lee" in (await server.attachments.content(said.attachments[1].id))[1].decode()
    assert said.text.startswith("My order\n\nThe picture shows")
    assert "[a file that could not be received]" in said.text


async def test_somebody_who_only_writes_a_name_into_from_gets_no_place_in_a_thread(
    dovecot: Dovecot, tmp_path: Path
) -> None:
    """F46: a spoofed From enters no thread and is told nothing."""
    ann = "ann@shop.example"
    async with mail_server(dovecot) as provider, desk_with_mailbox(tmp_path, provider) as server:
        provider.proven.add("shop.example")
        await provider.write(ann, mail(ann, "Hi", "I want to send back it"))
        await provider.answer_to(ann, 1)
        provider.proven.clear()
        await provider.write("evil@x.example", mail(f"Ann <{ann}>", "Re: Hi", "2"))
        await provider.answer_to(ann, 2)  # to her, never to whoever wrote it
        transcript = await server.desk.transcript(Address("email", "default", ann))
    assert [one.text for one in transcript if one.author is Author.CONTACT] == ["Hi\n\nI want to send back it"]
    assert set(provider.inboxes) == {ann}


def texts(provider: MailServer, email: str) -> list[str]:
    return [str(body.get_content()) for one in provider.received(email) if (body := one.get_body(("plain",)))]


async def only_address(server: Server) -> Address:
    async with server.desk.database.read() as connection:
        found = (await connection.execute(select(addresses))).one()._mapping
    return Address(found["channel"], found["account"], found["contact"])
