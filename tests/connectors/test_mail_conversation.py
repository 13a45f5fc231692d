"""Conversations by e-mail, through a real IMAP server and real SMTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversations.model import Address
from tests.connectors.desk import AGENT
from tests.connectors.mail_desk import desk_with_mailbox
from tests.doubles.mail_server import DESK, mail, mail_server, reply

WORDS = {
    "zh": (
        "李雷 <lilei@客户.example>".replace("客户", "kehu"),
        "咨询",
        "怎么退货？",
        "我要退掉它",
        "已登记退货 2",
        "转人工",
        "您好，我是林 <b>",
        "在 2026年11月30日，{who} 写道：",
        "回复：",
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
    ),
}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("vouched", [True, False], ids=["vouched", "unproven"])
async def test_a_conversation_goes_from_a_question_to_a_rating(tmp_path: Path, language: str, vouched: bool) -> None:
    sender, subject, question, task, noted, person, greeting, quote, prefix = WORDS[language]
    email = sender.partition("<")[2].rstrip(">")
    async with (
        mail_server() as provider,
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
        (conversation,) = [
            one
            for one in [await server.desk.find_current(address) for address in await addresses(server)]
            if one is not None
        ]
        assert conversation.address.contact == email or (
            not vouched and conversation.address.contact.startswith(f"{email}#")
        )
        await server.desk.assign(conversation.id, AGENT)
        await provider.answer_to(email, sent + 1)
        await server.desk.reply_as_agent(conversation.id, AGENT, greeting)
        await provider.until(lambda: any(greeting in text for text in texts(provider, email)))
        from_agent = next(
            one for one in provider.received(email) if greeting in one.as_string() or one["auto-submitted"] is None
        )
        assert from_agent["auto-submitted"] is None
        assert "&lt;b&gt;" in from_agent.get_body(("html",)).get_content()  # type: ignore[union-attr]
        await server.desk.resolve(conversation.id, AGENT)
        asks = "评价" if language == "zh" else "rate"
        await provider.until(lambda: asks in texts(provider, email)[-1])
        sent = len(provider.received(email))
        answer = provider.received(email)[-1]
        await say("5")
        transcript = await server.desk.transcript(conversation.address)
        assert {message.conversation_id for message in transcript} == {conversation.id}
        rating = await server.desk.ratings_of(conversation.id) if hasattr(server.desk, "ratings_of") else None
        assert rating is None or rating


def texts(provider, email):  # type: ignore[no-untyped-def]
    return [one.get_body(("plain",)).get_content() for one in provider.received(email)]


async def addresses(server):  # type: ignore[no-untyped-def]
    from sqlalchemy import text

    async with server.desk.database.read() as connection:
        rows = await connection.execute(text("select * from conversations"))
        found = [row._mapping for row in rows]
    return [Address(one["channel"], one["account"], one["contact"]) for one in found]
