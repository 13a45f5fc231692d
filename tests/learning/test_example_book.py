"""Whole edits, with a history, taken back at will; what would make a worse bot is refused with the reason."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from learning.annotations import annotated, annotations_of, key_of, plain
from learning.changes import Add, Change, ExampleRefused, Move, Remove, Reword, change_json, change_of
from learning.example_book import ExampleBook
from learning.example_writing import sole_editor
from tests.learning.example_shelf import FILES, MEI, OTTO, as_training_reads, contents, open_book


@pytest.fixture(params=["sqlite", "postgresql"])
async def book(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ExampleBook]:
    schema = request.getfixturevalue("desk_schema") if request.param == "postgresql" else None
    async with open_book(tmp_path, schema) as opened:
        yield opened


@pytest.fixture
async def light(tmp_path: Path) -> AsyncIterator[ExampleBook]:
    """On SQLite only, for what no database decides."""
    async with open_book(tmp_path) as opened:
        yield opened


async def texts(book: ExampleBook, intent: str, language: str = "en") -> list[str]:
    return [one.text for one in await book.examples(intent, language)]


async def refused(book: ExampleBook, *changes: Change) -> ExampleRefused:
    before = contents(book.folder)
    with pytest.raises(ExampleRefused) as found:
        await book.apply(changes, MEI, "")
    assert contents(book.folder) == before
    assert await book.history() == []
    return found.value


async def test_every_intent_has_its_row_and_what_no_intent_fits_comes_last(book: ExampleBook) -> None:
    rows = [(one.name, one.counts, one.trained) for one in await book.intents()]
    assert rows == [
        ("greet", {"zh": 2, "en": 3}, True),
        ("order_status", {"zh": 2, "en": 3}, True),
        ("thanks", {"zh": 0, "en": 0}, True),
        ("out_of_scope", {"zh": 1, "en": 1}, False),
    ]


async def test_one_edit_may_change_several_files_and_its_history_says_who_and_why(book: ExampleBook) -> None:
    edit = await book.apply(
        [
            Add("en", "greet", "hey there"),
            Reword("zh", "greet", "早上好", "早上好呀"),
            Move("en", "order_status", "greet", "has it shipped"),
            Remove("en", "order_status", "track my parcel"),
            Add("zh", "out_of_scope", "帮我写首诗"),
            Add("zh", "thanks", "多谢"),
        ],
        MEI,
        "  from the\n inbox ",
    )
    assert await texts(book, "greet") == ["hello", "good morning", "hi there", "hey there", "has it shipped"]
    assert await texts(book, "greet", "zh") == ["你好", "早上好呀"]
    assert await texts(book, "order_status") == ["where is my order"]
    root = book.folder.root
    assert as_training_reads(root / "gate" / "near_zh.yml")[-1] == ("out_of_scope", "帮我写首诗")
    assert as_training_reads(root / "zh" / "thanks.yml") == [("thanks", "多谢")]
    (told,) = await book.history()
    assert told == edit
    assert (told.by_id, told.by_name, told.why, len(told.changes)) == (MEI.id, "Mei", "from the inbox", 6)
    assert [one.id for one in await book.history(intent="thanks")] == [edit.id]
    assert await book.history(intent="cancel_order") == []


async def test_taking_an_edit_back_leaves_every_byte_as_it_was(book: ExampleBook) -> None:
    before = contents(book.folder)
    edit = await book.apply(
        [
            Remove("en", "greet", "good morning"),
            Remove("en", "greet", "hello"),
            Move("en", "greet", "order_status", "hi there"),
            Reword("en", "order_status", "track my parcel", "track it"),
        ],
        MEI,
        "",
    )
    undo = await book.undo(edit.id, OTTO)
    assert contents(book.folder) == before
    assert undo.undoes == edit.id
    assert [(one.by_name, one.undone_by) for one in await book.history()] == [("Otto", None), ("Mei", undo.id)]
    with pytest.raises(ExampleRefused) as twice:
        await book.undo(edit.id, MEI)
    assert twice.value.code == "already_undone"
    again = await book.undo(undo.id, MEI)
    assert await texts(book, "greet") == []
    assert again.undoes == undo.id


async def test_an_edit_of_long_ago_is_taken_back_below_later_ones(book: ExampleBook) -> None:
    first = await book.apply([Add("en", "greet", "hey")], MEI, "")
    second = await book.apply([Add("en", "greet", "howdy")], OTTO, "")
    await book.apply([Remove("en", "greet", "hello")], OTTO, "")
    await book.undo(first.id, MEI)
    assert await texts(book, "greet") == ["good morning", "hi there", "howdy"]
    newest = await book.history(2)
    assert [one.id for one in await book.history(2, before=newest[-1].id)] == [second.id, first.id]


async def test_taking_back_what_somebody_has_changed_since_is_refused_in_words(book: ExampleBook) -> None:
    edit = await book.apply([Add("en", "greet", "hey"), Add("en", "greet", "yo")], MEI, "")
    later = await book.apply([Reword("en", "greet", "hey", "hey you")], OTTO, "")
    before = contents(book.folder)
    with pytest.raises(ExampleRefused, match="“hey” is not an example of greet any more") as found:
        await book.undo(edit.id, MEI)
    assert contents(book.folder) == before
    assert found.value.code == "gone"
    assert {name: found.value.detail[name] for name in ("by", "did", "now", "edit")} == {
        "by": "Otto",
        "did": "reword",
        "now": "hey you",
        "edit": later.id,
    }


async def test_a_removed_line_that_now_belongs_to_another_intent_is_not_put_back_beside_it(light: ExampleBook) -> None:
    edit = await light.apply([Remove("en", "greet", "hello")], MEI, "")
    await light.apply([Add("en", "order_status", "Hello!")], OTTO, "")
    with pytest.raises(ExampleRefused, match="already an example of order_status"):
        await light.undo(edit.id, MEI)


async def test_a_line_that_stood_in_two_intents_by_hand_is_put_back_as_it_was(light: ExampleBook) -> None:
    path = light.folder.root / "en" / "order_status.yml"
    path.write_text(path.read_text() + "      - hello\n")
    before = contents(light.folder)
    edit = await light.apply([Remove("en", "order_status", "hello")], MEI, "a conflict")
    await light.undo(edit.id, MEI)
    assert contents(light.folder) == before


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (Add("en", "greet", "Hello!"), "exists", {"intent": "greet", "as": "hello"}),
        (Add("en", "order_status", "hello"), "exists", {"intent": "greet"}),
        (Add("zh", "greet", "How long do I boil an egg?"), "exists", {"intent": "out_of_scope"}),
        (Add("zh", "out_of_scope", "hello"), "exists", {"intent": "greet", "language": "en"}),
        (Add("en", "greet", "good evening"), "held_out", {"file": "test/en.yml"}),
        (Add("zh", "greet", "Could the courier jump-start my van?"), "held_out", {"file": "near/en.yml"}),
        (Add("en", "greet", "Helo"), "held_out", {"file": "families/typos.en.yml"}),
        (Add("en", "dance", "shall we"), "unknown_intent", {"intent": "dance"}),
        (Add("en", "clarify", "what"), "unknown_intent", {}),
        (Add("en", "greet", " \t "), "empty", {}),
        (Add("en", "greet", "x" * 501), "too_long", {}),
        (Add("en", "greet", "a\nb"), "bad_text", {}),
        (Add("en", "greet", "see [this](http://x)"), "bad_annotation", {"words": "this"}),
        (Add("en", "greet", 'my [Aria]{"entity": "robot"}'), "bad_annotation", {}),
        (Add("en", "greet", "my [Aria]{entity}"), "bad_annotation", {}),
        (Add("en", "greet", 'an [apple]{"entity": "brand", "value": "Apple Inc"}'), "bad_annotation", {}),
        (Add("en", "greet", 'my [Aria]{"entity": "product", "value": "Aria 99"}'), "bad_annotation", {}),
        (Remove("en", "greet", "goodbye"), "gone", {"text": "goodbye"}),
        (Reword("en", "greet", "hello", "track my parcel"), "exists", {"intent": "order_status"}),
        (Move("en", "greet", "dance", "hello"), "unknown_intent", {}),
        (Move("en", "order_status", "greet", "hello"), "gone", {}),
    ],
)  # fmt: skip
async def test_what_would_make_a_worse_bot_is_refused_and_nothing_is_changed(
    light: ExampleBook, change: Change, code: str, told: dict[str, str]
) -> None:
    good = Add("en", "thanks", "much obliged")
    found = await refused(light, good, change)
    assert found.code == code, found.message
    assert told.items() <= found.detail.items()
    assert found.message.endswith((".", "?"))


async def test_no_edit_and_an_edit_that_is_too_large_are_refused(light: ExampleBook) -> None:
    assert (await refused(light)).code == "empty"
    assert (await refused(light, *[Add("en", "greet", f"number {n}") for n in range(20_001)])).code == "too_many"


async def test_people_mix_languages_so_both_may_hold_the_same_words(light: ExampleBook) -> None:
    await light.apply([Add("zh", "greet", "hello"), Add("zh", "greet", "Good evening")], MEI, "")
    assert (await texts(light, "greet", "zh"))[-2:] == ["hello", "Good evening"]


async def test_a_line_that_measures_already_may_still_be_spelt_and_marked_another_way(light: ExampleBook) -> None:
    path = light.folder.root / "en" / "greet.yml"
    path.write_text(path.read_text() + "      - good evening\n")
    await light.apply([Reword("en", "greet", "good evening", "Good evening.")], MEI, "")
    assert (await texts(light, "greet"))[-1] == "Good evening."
    found = await _refusal_of(light, Reword("en", "greet", "hello", "helo"))
    assert (found.code, found.detail["file"]) == ("held_out", "families/typos.en.yml")


async def test_only_spelling_may_change_within_a_line(light: ExampleBook) -> None:
    await light.apply([Reword("en", "greet", "hello", "Hello!")], MEI, "")
    assert (await texts(light, "greet"))[0] == "Hello!"


async def test_marked_entities_are_written_inline_and_count_as_the_plain_words(light: ExampleBook) -> None:
    text = annotated("where is my Aria", 12, 16, "product", "Aria 5")
    assert text == 'where is my [Aria]{"entity": "product", "value": "Aria 5"}'
    await light.apply([Add("en", "order_status", text)], MEI, "")
    assert text in await texts(light, "order_status")
    assert (await light.shelf()).entries[-1].plain != text
    found = await _refusal_of(light, Add("en", "greet", "Where is my Aria?"))
    assert (found.code, found.detail["as"]) == ("exists", text)
    (mark,) = annotations_of(text)
    assert (plain(text)[mark.start : mark.end], mark.entity, mark.value) == ("Aria", "product", "Aria 5")
    assert key_of("[偷笑]") == key_of("偷笑")
    assert plain("[偷笑]") == "[偷笑]"


async def _refusal_of(book: ExampleBook, change: Change) -> ExampleRefused:
    with pytest.raises(ExampleRefused) as found:
        await book.apply([change], MEI, "")
    return found.value


async def test_what_is_changed_by_hand_is_seen_at_the_next_look(light: ExampleBook) -> None:
    path = light.folder.root / "en" / "greet.yml"
    assert len(await texts(light, "greet")) == 3
    path.write_text(path.read_text() + "      - good day\n")
    assert (await texts(light, "greet"))[-1] == "good day"
    await light.apply([Add("en", "greet", "hey")], MEI, "")
    assert as_training_reads(path)[-2:] == [("greet", "good day"), ("greet", "hey")]
    assert await light.shelf() is await light.shelf()


async def test_a_file_that_is_broken_by_hand_is_named_and_the_rest_can_be_edited(light: ExampleBook) -> None:
    path = light.folder.root / "en" / "greet.yml"
    path.write_text("nlu:\n  - intent: [\n")
    shelf = await light.shelf()
    assert [str(one).partition(":")[0] for one in shelf.problems] == ["en/greet.yml, line 3"]
    await light.apply([Add("en", "order_status", "any news")], MEI, "")
    for change in (Add("en", "greet", "hey"), Remove("en", "greet", "hello")):
        with pytest.raises(ExampleRefused, match=r"en/greet.yml, line 3"):
            await light.apply([change], MEI, "")
    assert path.read_text() == "nlu:\n  - intent: [\n"


async def test_two_trainers_who_change_the_same_line_do_not_overwrite_each_other(book: ExampleBook) -> None:
    first, second = await asyncio.gather(
        book.apply([Reword("en", "greet", "hello", "hello from Mei")], MEI, ""),
        book.apply([Reword("en", "greet", "hello", "hello from Otto")], OTTO, ""),
        return_exceptions=True,
    )
    assert not isinstance(first, BaseException)
    assert isinstance(second, ExampleRefused)
    assert (second.code, second.detail["by"], second.detail["now"]) == ("gone", "Mei", "hello from Mei")


async def test_many_edits_at_once_are_made_one_after_the_other(book: ExampleBook) -> None:
    await asyncio.gather(*(book.apply([Add("en", "greet", f"greeting number {n}")], MEI, "") for n in range(12)))
    assert len(await texts(book, "greet")) == 15
    assert len(await book.history()) == 12


async def test_an_edit_waits_for_another_process_and_says_so_when_that_takes_too_long(
    light: ExampleBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learning.example_book.sole_editor", lambda root: sole_editor(root, 0.2))
    with sole_editor(light.folder.root):
        assert (await refused(light, Add("en", "greet", "hey"))).code == "busy"
    await light.apply([Add("en", "greet", "hey")], MEI, "")


async def test_an_edit_goes_on_when_whoever_asked_for_it_is_gone(light: ExampleBook) -> None:
    asked = asyncio.ensure_future(light.apply([Add("en", "greet", "hey")], MEI, ""))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await light.apply([Add("en", "thanks", "cheers")], MEI, "")
    assert "hey" in await texts(light, "greet")


async def test_a_file_keeps_its_rights_and_a_link_stays_a_link(light: ExampleBook, tmp_path: Path) -> None:
    path = light.folder.root / "en" / "greet.yml"
    elsewhere = tmp_path / "shared.yml"
    path.rename(elsewhere)
    elsewhere.chmod(0o640)
    path.symlink_to(elsewhere)
    await light.apply([Add("en", "greet", "hey")], MEI, "")
    assert path.is_symlink()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o640
    assert "- hey" in elsewhere.read_text()


async def test_a_write_that_fails_in_the_middle_leaves_every_file_as_it_was(
    light: ExampleBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.replace, []

    def full(source: Any, target: Any) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr("learning.example_writing.os.replace", full)
    found = await refused(light, Add("en", "greet", "hey"), Add("zh", "greet", "嗨"), Add("en", "thanks", "ta"))
    assert found.code == "read_only"
    assert "No space left" in found.message
    assert set(contents(light.folder)) == set(FILES)


def test_changes_survive_the_way_through_json() -> None:
    changes: list[Change] = [
        Add("en", "greet", "hey"),
        Remove("zh", "greet", "你好"),
        Reword("en", "greet", "a", "b"),
        Move("en", "greet", "thanks", "ta"),
    ]
    assert [change_of(change_json(one)) for one in changes] == changes
