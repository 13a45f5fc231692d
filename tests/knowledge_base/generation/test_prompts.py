"""Prompts are checked before they are kept, filled in without surprises, and never changed afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge_base.articles import Passage
from knowledge_base.generation.prompt_store import Author, PromptStore
from knowledge_base.generation.prompts import DEFAULTS, PROMPTS, BadPrompt, Said, check_prompt, render
from tests.crm.databases import database, engine, postgres_schema, sqlite_template  # noqa: F401

LIN = Author("1" * 32, "Lin Wei")
GOOD = "Answer {{question}} from {{passages}} in {{language}}."


def passage(text: str, article_id: str = "returns") -> Passage:
    return Passage(article_id, "en", "intro-1", "Returns", ("How",), text, "1", 0)


def refused(template: str, values: dict[str, str] | None = None, name: str = "answer_en", note: str = "") -> BadPrompt:
    with pytest.raises(BadPrompt) as problem:
        check_prompt(name, template, values or {}, note)
    return problem.value


@pytest.mark.parametrize(
    ("template", "code", "name"),
    [
        ("", "empty", ""),
        (" \x00\n", "empty", ""),
        (GOOD + "{{shop}}", "unknown_variable", "shop"),
        (GOOD + "{{ Question }}", "unknown_variable", "Question"),
        (GOOD + "{{}}", "unknown_variable", "{{}}"),
        (GOOD + "{{language", "open_braces", "{{"),
        (GOOD + "}}", "open_braces", "}}"),
        ("{{question}}", "missing_variable", "passages"),
        ("{{passages}}", "missing_variable", "question"),
        (GOOD + "{{question}}", "twice", "question"),
        (GOOD + "{{tone}}", "missing_value", "tone"),
        (GOOD + "x" * 9000, "too_long", "template"),
    ],
)
def test_what_is_wrong_with_a_template_is_named(template: str, code: str, name: str) -> None:
    problem = refused(template)
    assert (problem.code, problem.name) == (code, name)


def test_unknown_prompts_and_values_are_refused() -> None:
    assert refused(GOOD, name="greeting").code == "unknown_prompt"
    assert refused(GOOD, {"colour": "red"}).code == "unknown_value"
    assert refused(GOOD, {"tone": "x" * 301}).code == "too_long"
    assert refused(GOOD, note="x" * 301).code == "too_long"


@pytest.mark.parametrize("name", PROMPTS)
def test_the_prompts_of_the_product_pass_their_own_check(name: str) -> None:
    template, values = DEFAULTS[name]
    assert check_prompt(name, template, values).template == template


def test_data_stands_between_marks_that_nobody_can_guess() -> None:
    prompt = check_prompt("answer_en", GOOD, {})
    rendered = [render(prompt, "Why?", [(passage("Because."), "Because.")]) for _ in range(3)]
    assert len({one.boundary for one in rendered}) == 3
    one = rendered[0]
    system, user = (message.content for message in one.messages)
    assert one.boundary in system
    assert f"<data {one.boundary} question>\nWhy?\n</data {one.boundary}>" in user
    assert f"<data {one.boundary} passage p1>\nReturns / How\nBecause.\n</data {one.boundary}>" in user
    assert "BOUNDARY" not in system


def test_variables_in_data_are_not_filled_in() -> None:
    prompt = check_prompt("answer_en", GOOD + " {{shop_name}}", {"shop_name": "{{passages}}"})
    rendered = render(prompt, "{{shop_name}} {{passages}}", [(passage("{{question}}"), "{{question}}")])
    user = rendered.messages[1].content
    assert "question>\n{{shop_name}} {{passages}}\n<" in user
    assert "{{question}}" in user
    assert user.endswith("{{passages}}")


def test_history_is_data_as_well() -> None:
    prompt = check_prompt("answer_en", GOOD + "{{history}}", {})
    user = render(prompt, "x", [], history=[Said("contact", "hi"), Said("bot", "hello")]).messages[1].content
    assert "history>\ncontact: hi\nbot: hello\n<" in user


@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_people_write_stays_inside_its_block(question: str, text: str) -> None:
    rendered = render(check_prompt("answer_en", GOOD, {}), question, [(passage(text), text)])
    user = rendered.messages[1].content
    assert user.count(f"<data {rendered.boundary}") == 2
    assert user.count(f"</data {rendered.boundary}>") == 2
    assert f" question>\n{question}\n</data {rendered.boundary}>" in user


@pytest.fixture
async def store(engine: AsyncEngine) -> AsyncIterator[PromptStore]:  # noqa: F811
    store = PromptStore(engine)
    await store.create_tables()
    yield store
    async with engine.begin() as connection:
        from knowledge_base.generation.tables import metadata

        await connection.run_sync(metadata.drop_all)


async def test_the_first_start_brings_a_prompt_per_language_and_later_ones_change_nothing(store: PromptStore) -> None:
    await store.ensure_defaults({"answer_en": {"shop_name": "Kite"}})
    await store.ensure_defaults({"answer_en": {"shop_name": "Other"}})
    for name in PROMPTS:
        active = await store.active(name)
        assert (active.version, active.author, active.language) == (1, "Frontdesk", name[-2:])
        assert len(await store.versions(name)) == 1
    assert (await store.active("answer_en")).values["shop_name"] == "Kite"


async def test_a_saved_version_is_used_only_once_it_is_put_into_use_and_can_be_taken_back(store: PromptStore) -> None:
    await store.ensure_defaults()
    saved = await store.save(check_prompt("answer_en", GOOD, {}, "shorter"), LIN)
    assert (saved.version, saved.note, saved.author) == (2, "shorter", "Lin Wei")
    assert (await store.active("answer_en")).version == 1
    await store.activate("answer_en", 2, LIN)
    assert (await store.active("answer_en")).template == GOOD
    await store.activate("answer_en", 1, LIN)
    assert (await store.active("answer_en")).version == 1
    assert [one.version for one in await store.activations("answer_en")] == [1, 2, 1]
    assert [one.version for one in await store.versions("answer_en")] == [2, 1]
    assert (await store.active("answer_zh")).version == 1


async def test_versions_keep_what_they_were_and_when(store: PromptStore) -> None:
    await store.ensure_defaults()
    before = await store.find("answer_en", 1)
    await store.save(check_prompt("answer_en", GOOD, {}), LIN)
    assert await store.find("answer_en", 1) == before
    saved = await store.find("answer_en", 2)
    assert saved is not None
    assert saved.created_at is not None
    assert abs((datetime.now(UTC) - saved.created_at).total_seconds()) < 60
    assert await store.find("answer_en", 9) is None


async def test_a_version_that_does_not_exist_cannot_be_used(store: PromptStore) -> None:
    await store.ensure_defaults()
    with pytest.raises(BadPrompt, match="no version 7"):
        await store.activate("answer_en", 7, LIN)
    with pytest.raises(BadPrompt, match="no prompt"):
        await store.active("answer_fr\0")


async def test_trainers_who_save_at_once_get_versions_of_their_own(store: PromptStore) -> None:
    await store.ensure_defaults()
    drafts = [check_prompt("answer_en", f"{GOOD} {number}", {}) for number in range(4)]
    saved = await asyncio.gather(*(store.save(draft, LIN) for draft in drafts))
    assert sorted(one.version for one in saved) == [2, 3, 4, 5]
    assert {one.template for one in await store.versions("answer_en")} >= {draft.template for draft in drafts}
