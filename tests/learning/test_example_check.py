"""What is to be looked at in the examples: equal ones, alike ones, contradictions, too few, and what the bot gets wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.errors import DialogueUnavailable
from conversations.turn_model import TurnRequest, TurnResult
from learning.bot_check import BotCheck
from learning.changes import Add, Example
from learning.example_book import ExampleBook
from learning.example_check import ExampleCheck, Findings, Note
from learning.likeness import Likeness, Vectors, VectorShelf
from tests.learning.example_shelf import MEI, open_book

WIDTH = 64


class CountingEncoder:
    """Texts that share words are alike; counts what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        rows = np.zeros((len(texts), WIDTH), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().strip("?!").split():
                row[sum(map(ord, word)) % WIDTH] += 1.0
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


class ScriptedBot:
    """Takes every text for what its script says, and thanks for the rest."""

    def __init__(self, script: dict[str, str]) -> None:
        self.script = script
        self.requests: list[TurnRequest] = []
        self.away = False

    async def respond(self, request: TurnRequest) -> TurnResult:
        self.requests.append(request)
        if self.away:
            raise DialogueUnavailable("away")
        return TurnResult((), {"model_id": "m1", "intent": self.script.get(request.text, "thanks"), "confidence": 0.8})


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[ExampleBook]:
    async with open_book(tmp_path) as opened:
        yield opened


async def looked_through(check: ExampleCheck, book: ExampleBook) -> Findings:
    """The findings once the comparison is done."""
    async with asyncio.timeout(60):
        while True:
            shelf = await book.shelf()
            await check.findings(shelf, {})
            if check.done(shelf):
                return await check.findings(shelf, {})
            await asyncio.sleep(0.01)


def kinds(found: Findings, language: str, intent: str, text: str) -> list[str]:
    return [note.kind for note in found.notes.get(Example(language, intent, text), ())]


async def test_equal_alike_and_contradicting_examples_are_found(book: ExampleBook, tmp_path: Path) -> None:
    root = book.folder.root
    with (root / "en" / "order_status.yml").open("a") as file:
        file.write(
            "      - Track my parcel!\n      - hello\n      - one two three four five six seven eight nine ten eleven twelve\n"
        )
        file.write(
            "      - one two three four five six seven eight nine ten eleven twelve thirteen\n      - good morning there then\n      - good evening\n"
        )
    with (root / "en" / "greet.yml").open("a") as file:
        file.write("      - good morning there then friend\n      - How long do I boil an egg?\n")
    check = ExampleCheck(lambda: VectorShelf(CountingEncoder(), tmp_path / "vectors.npz"))
    found = await looked_through(check, book)
    assert "duplicate" in kinds(found, "en", "order_status", "track my parcel")
    assert "conflict" in kinds(found, "en", "greet", "hello")
    assert "conflict" in kinds(found, "en", "greet", "How long do I boil an egg?")
    assert "conflict" in kinds(found, "en", "out_of_scope", "how long do I boil an egg")
    assert "near" in kinds(
        found, "en", "order_status", "one two three four five six seven eight nine ten eleven twelve"
    )
    held = found.notes[Example("en", "order_status", "good evening")]
    assert [note.file for note in held if note.kind == "held_out"] == ["test/en.yml"]
    (conflict,) = [
        note
        for note in found.notes[Example("en", "greet", "good morning there then friend")]
        if note.kind == "conflict"
    ]
    assert conflict.other == Example("en", "order_status", "good morning there then")
    assert kinds(found, "zh", "greet", "你好") == []
    await check.close()


async def test_intents_with_too_few_or_lopsided_examples_are_told(book: ExampleBook) -> None:
    await book.apply([Add("en", "greet", f"greeting number {n}") for n in range(40)], MEI, "")
    found = await ExampleCheck(None).findings(await book.shelf(), {})
    assert {(one.kind, one.language) for one in found.warnings["greet"]} == {
        ("too_few", "zh"),
        ("dominant", "en"),
        ("lopsided", "zh"),
    }
    assert {(one.kind, one.count) for one in found.warnings["thanks"]} == {("too_few", 0)}


async def test_only_new_texts_are_encoded_after_a_change_or_a_restart(book: ExampleBook, tmp_path: Path) -> None:
    encoder = CountingEncoder()
    check = ExampleCheck(lambda: VectorShelf(encoder, tmp_path / "vectors.npz"))
    await looked_through(check, book)
    assert len(encoder.asked) == 10
    await book.apply([Add("en", "greet", "a new greeting")], MEI, "")
    await looked_through(check, book)
    assert encoder.asked[10:] == ["a new greeting"]
    await check.close()
    again = CountingEncoder()
    restarted = ExampleCheck(lambda: VectorShelf(again, tmp_path / "vectors.npz"))
    await looked_through(restarted, book)
    assert again.asked == []
    await restarted.close()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x00" * 100])
def test_a_broken_cache_of_vectors_is_made_again(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "vectors.npz"
    file.write_bytes(content)
    encoder = CountingEncoder()
    shelf = VectorShelf(encoder, file)
    assert shelf.vectors(["hello"]).shape == (1, WIDTH)
    shelf.keep(["hello"])
    assert len(VectorShelf(encoder, file).vectors(["hello"])) == 1
    assert encoder.asked == ["hello"]


async def test_an_encoder_that_fails_is_told_and_the_rest_is_still_shown(book: ExampleBook, tmp_path: Path) -> None:
    def broken() -> VectorShelf:
        raise OSError("no model here")

    check = ExampleCheck(broken)
    shelf = await book.shelf()
    await check.findings(shelf, {})
    async with asyncio.timeout(30):
        while not check.failed:  # noqa: ASYNC110  # nothing tells when it is done
            await asyncio.sleep(0.01)
    assert check.failed == "no model here"
    assert (await check.findings(shelf, {})).warnings
    await check.close()


NAMES = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.text("uvwxyz ", min_size=1, max_size=9)),
    min_size=1,
    max_size=25,
    unique=True,
)


@given(NAMES, NAMES, NAMES)
def test_comparing_only_what_changed_finds_what_comparing_everything_finds(
    first: list[tuple[str, str]], second: list[tuple[str, str]], third: list[tuple[str, str]]
) -> None:
    encode = CountingEncoder()
    kept = Likeness()
    for names in (first, list(dict.fromkeys(first[::2] + second)), list(dict.fromkeys(second[::2] + third))):
        vectors = encode([text for _, text in names])
        kept.update(names, vectors)
        anew = Likeness()
        anew.update(names, vectors)
        for place in range(len(names)):
            for same in (True, False):
                one, other = kept.nearest(place, same_intent=same), anew.nearest(place, same_intent=same)
                assert (one is None) == (other is None)
                if one is not None and other is not None:
                    assert one.likeness == pytest.approx(other.likeness, abs=1e-5)
                    assert (names[one.place][0] == names[place][0]) is same


def test_the_estimate_leaves_out_the_example_that_it_judges() -> None:
    """Exactly what a classifier trained without the example says, checked against training it so."""
    generator = np.random.default_rng(7)
    intents = np.repeat([0, 1, 2], 8)
    vectors = (generator.normal(size=(24, 6)) + np.eye(6)[intents] * 1.5).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = Likeness()
    likeness.update([("abc"[intent], str(place)) for place, intent in enumerate(intents)], vectors)
    wide = np.hstack([vectors, np.ones((24, 1))]).astype(np.float64)
    for place in range(24):
        others = np.arange(24) != place
        inverse = np.linalg.inv(wide[others].T @ wide[others] + np.eye(7))
        said = wide[place] @ inverse @ wide[others].T @ np.eye(3)[intents[others]]
        mistaken = likeness.mistaken[place]
        assert ("abc"[int(said.argmax())] if said.argmax() != intents[place] else None) == (
            mistaken[0] if mistaken else None
        )


async def test_the_bot_is_asked_in_dry_runs_and_what_it_takes_wrongly_is_noted(book: ExampleBook) -> None:
    bot = ScriptedBot({"hello": "greet", "good morning": "order_status", "how long do I boil an egg": "greet"})
    check = BotCheck(bot, {})
    shelf = await book.shelf()
    wanted = [one for one in shelf.entries if one.example.language == "en"]
    assert check.begin(wanted)
    assert not check.begin(wanted)
    async with asyncio.timeout(30):
        while check.running:  # noqa: ASYNC110  # nothing tells when it is done
            await asyncio.sleep(0.01)
    assert all(request.dry_run for request in bot.requests)
    assert len(bot.requests) == len({request.conversation_id for request in bot.requests}) == 6
    assert check.notes[Example("en", "greet", "good morning")] == (Note("bot", 0.8, None, "order_status"),)
    assert Example("en", "greet", "hello") not in check.notes
    assert check.asked == 6
    assert kinds(await ExampleCheck(None).findings(shelf, check.notes), "en", "greet", "good morning") == ["bot"]


async def test_a_bot_that_is_away_is_told_after_a_few_tries(book: ExampleBook) -> None:
    bot = ScriptedBot({})
    bot.away = True
    check = BotCheck(bot, {})
    check.begin((await book.shelf()).entries)
    async with asyncio.timeout(30):
        while check.running:  # noqa: ASYNC110  # nothing tells when it is done
            await asyncio.sleep(0.01)
    assert check.failed
    assert len(bot.requests) == 5
    assert check.notes == {}
