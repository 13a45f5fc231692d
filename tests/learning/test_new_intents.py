"""Intents that trainers make: one line each, with the same safety, history and undo as examples."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import failpoints
from learning.changes import (
    Add,
    DropIntent,
    ExampleRefused,
    MadeIntent,
    Move,
    NewIntent,
    ReviseIntent,
    change_json,
    change_of,
)
from learning.example_book import ExampleBook
from learning.example_files import BadFile
from learning.example_folder import ExampleFolder
from learning.intent_file import FILE, IntentFile, check_intent, intent_of, line_of, new_intent_file
from tests.learning.example_shelf import FILES, MEI, OTTO, as_training_reads, contents, make_folder, open_database

ROOT = Path(__file__).resolve().parent.parent.parent
WRAPPING = MadeIntent("gift_wrapping", "礼品包装", "Gift wrapping", "reply", "可以包装。", "We wrap gifts.")
BOSS = MadeIntent("the_boss", "找老板", "The boss", "handoff")


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[ExampleBook]:
    async with open_database(tmp_path) as database:
        yield ExampleBook(database, make_folder(tmp_path))


def listed(book: ExampleBook) -> list[dict[str, object]]:
    """What the bot's training reads."""
    path = book.folder.root / FILE
    return yaml.safe_load(path.read_text(encoding="utf-8")) or [] if path.exists() else []


async def refused(work: object) -> ExampleRefused:
    with pytest.raises(ExampleRefused) as error:
        await work  # type: ignore[misc]
    return error.value


async def test_a_new_intent_is_one_line_that_training_reads(book: ExampleBook) -> None:
    await book.apply(
        [NewIntent(WRAPPING), Add("en", "gift_wrapping", "wrap it"), Add("zh", "gift_wrapping", "包一下")], MEI, ""
    )
    assert listed(book) == [
        {
            "name": "gift_wrapping", "title": {"zh": "礼品包装", "en": "Gift wrapping"}, "does": "reply",
            "reply": {"zh": "可以包装。", "en": "We wrap gifts."},
        }
    ]  # fmt: skip
    assert as_training_reads(book.folder.root / "en/gift_wrapping.yml") == [("gift_wrapping", "wrap it")]
    before = (book.folder.root / FILE).read_text(encoding="utf-8")
    await book.apply([NewIntent(BOSS)], MEI, "")
    after = (book.folder.root / FILE).read_text(encoding="utf-8")
    assert after.startswith(before)
    assert after.removeprefix(before).count("\n") == 1
    shelf = await book.shelf()
    assert shelf.made == {"gift_wrapping": WRAPPING, "the_boss": BOSS}
    assert {"gift_wrapping", "the_boss"} <= set(shelf.intents)


async def test_it_is_taken_back_and_made_again_from_the_history(book: ExampleBook) -> None:
    made = await book.apply([NewIntent(WRAPPING), Add("en", "gift_wrapping", "wrap it")], MEI, "new")
    undone = await book.undo(made.id, OTTO)
    assert listed(book) == []
    assert "gift_wrapping" not in (await book.shelf()).intents
    await book.undo(undone.id, MEI)
    assert (await book.shelf()).made == {"gift_wrapping": WRAPPING}
    assert [edit.by_name for edit in await book.history(intent="gift_wrapping")] == ["Mei", "Otto", "Mei"]


async def test_it_cannot_be_taken_back_once_others_have_given_it_examples(book: ExampleBook) -> None:
    made = await book.apply([NewIntent(WRAPPING), Add("en", "gift_wrapping", "wrap it")], MEI, "")
    await book.apply([Add("en", "gift_wrapping", "put it in gift paper")], OTTO, "")
    assert (await refused(book.undo(made.id, MEI))).code == "intent_used"
    assert (await refused(book.apply([DropIntent(WRAPPING)], MEI, ""))).code == "intent_used"


async def test_an_intent_goes_with_its_last_examples_in_one_edit(book: ExampleBook) -> None:
    await book.apply([NewIntent(WRAPPING), Add("en", "gift_wrapping", "wrap it")], MEI, "")
    await book.apply([Move("en", "gift_wrapping", "thanks", "wrap it"), DropIntent(WRAPPING)], MEI, "not needed")
    assert listed(book) == []


async def test_two_who_change_the_same_intent_do_not_overwrite_each_other(book: ExampleBook) -> None:
    await book.apply([NewIntent(WRAPPING), NewIntent(BOSS)], MEI, "")
    mine = replace(WRAPPING, reply_en="For two euros.")
    await book.apply([ReviseIntent(WRAPPING, mine)], MEI, "")
    theirs = replace(WRAPPING, title_en="Presents")
    assert (await refused(book.apply([ReviseIntent(WRAPPING, theirs)], OTTO, ""))).code == "gone"
    assert (await book.shelf()).made["gift_wrapping"] == mine
    assert [one["name"] for one in listed(book)] == ["gift_wrapping", "the_boss"], "it keeps its line"


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (replace(WRAPPING, name="greet"), "intent_exists"),
        (replace(WRAPPING, name="order_status"), "intent_exists"),
        (replace(WRAPPING, name="clarify"), "bad_intent"),
        (replace(WRAPPING, name="out_of_scope"), "bad_intent"),
        (replace(WRAPPING, name="restart"), "bad_intent"),
        (replace(WRAPPING, name="Gift"), "bad_intent"),
        (replace(WRAPPING, name="gift wrapping"), "bad_intent"),
        (replace(WRAPPING, name="礼品"), "bad_intent"),
        (replace(WRAPPING, name="../gift"), "bad_intent"),
        (replace(WRAPPING, name="g" * 41), "bad_intent"),
        (replace(WRAPPING, name=""), "bad_intent"),
        (replace(WRAPPING, title_en=" "), "bad_intent"),
        (replace(WRAPPING, reply_zh=""), "bad_intent"),
        (replace(WRAPPING, does="dance"), "bad_intent"),
        (replace(WRAPPING, title_zh="长" * 61), "too_long"),
        (replace(WRAPPING, reply_en="Dear {name}"), "bad_text"),
        (replace(WRAPPING, reply_en="a\x00b"), "bad_text"),
    ],
)
async def test_what_can_be_no_intent_is_refused_and_nothing_is_written(
    book: ExampleBook, made: MadeIntent, code: str
) -> None:
    before = contents(book.folder)
    assert (await refused(book.apply([Add("en", "greet", "hey"), NewIntent(made)], MEI, ""))).code == code
    assert contents(book.folder) == before
    assert await book.history() == []


async def test_examples_of_an_intent_that_nobody_makes_are_refused(book: ExampleBook) -> None:
    assert (await refused(book.apply([Add("en", "gift_wrapping", "wrap it")], MEI, ""))).code == "unknown_intent"


async def test_what_was_written_by_hand_is_read_and_stays_as_it_is(book: ExampleBook) -> None:
    by_hand = "# ours\n- name: the_boss\n  title:\n    zh: 找老板\n    en: The boss   # he is in\n  does: handoff\n"
    (book.folder.root / FILE).write_text(by_hand, encoding="utf-8")
    assert (await book.shelf()).made == {"the_boss": BOSS}
    await book.apply([NewIntent(WRAPPING)], MEI, "")
    assert (book.folder.root / FILE).read_text(encoding="utf-8") == f"{by_hand}{line_of(WRAPPING)}\n"
    assert (await refused(book.apply([DropIntent(BOSS)], MEI, ""))).code == "not_editable"
    await book.apply([DropIntent(WRAPPING)], MEI, "")
    assert (book.folder.root / FILE).read_text(encoding="utf-8") == by_hand


@pytest.mark.parametrize(
    "content", ["{", "name: x", "- {name: x}", "- 5", "[]", "- {name: a_b, title: {zh: a, en: b}, does: x}"]
)
async def test_a_file_that_is_no_list_of_intents_is_told_and_not_written_over(book: ExampleBook, content: str) -> None:
    (book.folder.root / FILE).write_text(content, encoding="utf-8")
    if content != "[]":
        assert [problem.file for problem in (await book.shelf()).problems] == [FILE]
    assert (await refused(book.apply([NewIntent(WRAPPING)], MEI, ""))).code == "not_editable"
    assert (book.folder.root / FILE).read_text(encoding="utf-8") == content
    await book.apply([Add("en", "greet", "hey")], MEI, "")


TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{}\u2028\u2029\ufeff\ufffe\uffff"),
    min_size=1,
    max_size=60,
)


@given(st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["knowledge", "reply", "handoff"])), max_size=5), st.data())
def test_whatever_it_is_called_it_is_read_as_it_was_meant(
    wanted: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    content, made = new_intent_file(), list[MadeIntent]()
    for number, (one, other, does) in enumerate(wanted):
        replies = (other, one) if does == "reply" else ("", "")
        intent = MadeIntent(f"intent_{number}", one.strip(), other.strip(), does, *(text.strip() for text in replies))
        try:
            check_intent(intent, frozenset())
        except ExampleRefused:
            continue
        content, made = IntentFile(content).add(intent), [*made, intent]
    assert [intent_of(form) for form in yaml.safe_load(content) or []] == made
    if made:
        gone = data.draw(st.sampled_from(made))
        content = IntentFile(content).remove(gone)
        assert [intent_of(form) for form in yaml.safe_load(content) or []] == [one for one in made if one != gone]


@pytest.mark.parametrize(
    "change", [NewIntent(WRAPPING), DropIntent(BOSS), ReviseIntent(BOSS, replace(BOSS, title_en="Him"))]
)
def test_the_history_keeps_changes_of_intents_whole(change: NewIntent | DropIntent | ReviseIntent) -> None:
    assert change_of(change_json(change)) == change


def test_the_file_is_told_apart_from_one_in_another_encoding() -> None:
    with pytest.raises(BadFile, match="not UTF-8"):
        IntentFile("# 意图".encode("gbk"))


# -- kill -9 -------------------------------------------------------------------------------------------------------

EDIT = """
import asyncio, sys
from pathlib import Path
import failpoints
from conversations.model import Agent
from conversations.store import Database
from learning.changes import Add, MadeIntent, NewIntent
from learning.example_book import ExampleBook
from learning.example_folder import ExampleFolder

async def main():
    place = Path(sys.argv[1])
    database = Database.open(f"sqlite+aiosqlite:///{place / 'desk.db'}")
    book = ExampleBook(database, ExampleFolder(place / "nlu_data", place / "domain.yml"))
    await book.start()
    failpoints.arm(sys.argv[2])
    await book.apply(
        [
            NewIntent(MadeIntent("gift_wrapping", "礼品包装", "Gift wrapping", "knowledge")),
            Add("en", "gift_wrapping", "wrap it"),
            Add("zh", "gift_wrapping", "包一下"),
        ],
        Agent("a" * 32, "Mei"),
        "dies",
    )
    await database.close()

asyncio.run(main())
"""
STEPS = [(point, nth) for point in failpoints.EDIT_POINTS for nth in ((1, 2, 3) if "replaced" in point else (1,))]


@pytest.mark.parametrize(("point", "nth"), STEPS)
async def test_a_killed_edit_that_makes_an_intent_is_finished_at_the_next_start(
    tmp_path: Path, point: str, nth: int
) -> None:
    make_folder(tmp_path)
    async with open_database(tmp_path) as database:
        command = [sys.executable, "-c", EDIT, str(tmp_path), f"{point}=kill@{nth}"]
        run = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True)
        assert run.returncode == -9, run.stderr
        left = tmp_path / "nlu_data" / FILE
        if left.exists():
            assert len(list(IntentFile(left.read_bytes()).intents())) == 1, "half a file"
        book = ExampleBook(database, ExampleFolder(tmp_path / "nlu_data", tmp_path / "domain.yml"))
        await book.start()
        assert [one["name"] for one in listed(book)] == ["gift_wrapping"]
        assert as_training_reads(book.folder.root / "zh/gift_wrapping.yml") == [("gift_wrapping", "包一下")]
        (edit,) = await book.history()
        await book.undo(edit.id, MEI)
        after = contents(book.folder)
        assert {name: after[name].decode() for name in FILES} == FILES
        assert listed(book) == []
