"""The process is killed at every step of an edit of three files: afterwards it was made or it was not, nothing between."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

import failpoints
from learning.example_book import ExampleBook
from learning.example_folder import ExampleFolder
from tests.learning.example_shelf import FILES, MEI, as_training_reads, contents, make_folder, open_database

ROOT = Path(__file__).resolve().parent.parent.parent
EDIT = """
import asyncio, sys
from pathlib import Path
import failpoints
from conversations.model import Agent
from conversations.store import Database
from learning.changes import Add, Move, Remove
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
            Add("en", "greet", "hey"),
            Move("en", "order_status", "thanks", "has it shipped"),
            Remove("zh", "greet", "你好"),
        ],
        Agent("a" * 32, "Mei"),
        "dies",
    )
    await database.close()

asyncio.run(main())
"""
STEPS = [(point, nth) for point in failpoints.EDIT_POINTS for nth in ((1, 2, 4) if "replaced" in point else (1,))]


def edit_and_die(place: Path, what: str) -> int:
    run = subprocess.run(
        [sys.executable, "-c", EDIT, str(place), what], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode in (0, -9), run.stderr
    return run.returncode


def is_made(place: Path) -> bool:
    root = place / "nlu_data"
    return (
        ("greet", "hey") in as_training_reads(root / "en/greet.yml")
        and ("order_status", "has it shipped") not in as_training_reads(root / "en/order_status.yml")
        and as_training_reads(root / "en/thanks.yml") == [("thanks", "has it shipped")]
        and ("greet", "你好") not in as_training_reads(root / "zh/greet.yml")
    )


@pytest.mark.parametrize(("point", "nth"), STEPS)
async def test_a_killed_edit_is_finished_at_the_next_start(tmp_path: Path, point: str, nth: int) -> None:
    """F10: kill -9 at each step of an edit; no file is ever half-written, and the history says what the files say."""
    make_folder(tmp_path)
    async with open_database(tmp_path) as database:
        died = await asyncio.to_thread(edit_and_die, tmp_path, f"{point}=kill@{nth}")
        assert died == -9
        for path in (tmp_path / "nlu_data").glob("*/*.yml"):
            assert path.read_text(encoding="utf-8")
            if path.parent.name in ("en", "zh", "gate"):
                as_training_reads(path)
        book = ExampleBook(database, ExampleFolder(tmp_path / "nlu_data", tmp_path / "domain.yml"))
        await book.start()
        assert is_made(tmp_path)
        (edit,) = await book.history()
        assert edit.why == "dies"
        assert set(contents(book.folder)) == {*FILES, "en/thanks.yml"}
        await book.undo(edit.id, MEI)
        after = contents(book.folder)
        assert {name: after[name].decode() for name in FILES} == FILES


async def test_what_was_edited_by_hand_after_the_crash_is_never_overwritten(tmp_path: Path) -> None:
    """F10: the files that the dead edit had changed go back, the one edited by hand stays as it is."""
    make_folder(tmp_path)
    async with open_database(tmp_path) as database:
        await asyncio.to_thread(edit_and_die, tmp_path, "after_example_file_replaced=kill@1")
        by_hand = tmp_path / "nlu_data" / "zh" / "greet.yml"
        by_hand.write_text(FILES["zh/greet.yml"] + "      - 大家好\n", encoding="utf-8")
        book = ExampleBook(database, ExampleFolder(tmp_path / "nlu_data", tmp_path / "domain.yml"))
        await book.start()
        assert by_hand.read_text(encoding="utf-8") == FILES["zh/greet.yml"] + "      - 大家好\n"
        after = contents(book.folder)
        assert {name: after[name].decode() for name in FILES if name != "zh/greet.yml"} == {
            name: content for name, content in FILES.items() if name != "zh/greet.yml"
        }
        assert await book.history() == []


async def test_a_hand_edit_beside_lines_that_were_already_written_lets_the_rest_follow(tmp_path: Path) -> None:
    make_folder(tmp_path)
    async with open_database(tmp_path) as database:
        await asyncio.to_thread(edit_and_die, tmp_path, "after_example_file_replaced=kill@1")
        by_hand = tmp_path / "nlu_data" / "en" / "greet.yml"
        assert "- hey" in by_hand.read_text()
        by_hand.write_text(by_hand.read_text() + "      - g'day\n")
        book = ExampleBook(database, ExampleFolder(tmp_path / "nlu_data", tmp_path / "domain.yml"))
        await book.start()
        assert is_made(tmp_path)
        assert "- g'day" in by_hand.read_text()
        assert len(await book.history()) == 1


async def test_an_edit_that_nobody_kills_needs_no_mending(tmp_path: Path) -> None:
    make_folder(tmp_path)
    async with open_database(tmp_path) as database:
        assert await asyncio.to_thread(edit_and_die, tmp_path, "after_ack=kill@1") == 0
        assert is_made(tmp_path)
        book = ExampleBook(database, ExampleFolder(tmp_path / "nlu_data", tmp_path / "domain.yml"))
        assert len(await book.history()) == 1
