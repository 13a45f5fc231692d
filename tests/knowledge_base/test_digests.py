"""Conversation digests: both engines find, replace, forget and keep what they were given."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge_base.digests import ConversationDigests, DigestIndex
from knowledge_base.errors import IndexLocked
from knowledge_base.index_digests import EdgeDigests
from knowledge_base.index_digests_server import ServerDigests
from tests.knowledge_base.builders import WordEncoder

REFUND, PARCEL, LAMP = (letter * 32 for letter in "abc")
WORDS = WordEncoder()


@pytest.fixture(params=["edge", "server"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DigestIndex]:
    made: DigestIndex = (
        EdgeDigests(tmp_path / "digests", WORDS.dimensions)
        if request.param == "edge"
        else ServerDigests(":memory:", "form", WORDS.dimensions)
    )
    yield made
    made.close()


async def three(index: DigestIndex) -> ConversationDigests:
    digests = ConversationDigests(lambda: index, WORDS.passages, "form")
    await digests.put(
        [(REFUND, "when do I get my refund"), (PARCEL, "where is my parcel"), (LAMP, "the lamp flickers at night")]
    )
    return digests


async def test_the_nearest_conversation_comes_first(index: DigestIndex) -> None:
    digests = await three(index)
    found = await digests.nearest(["my refund please"], 3)
    assert found[0][0] == REFUND
    assert found[0][1] > found[1][1]
    assert {one for one, _ in found} == {REFUND, PARCEL, LAMP}


async def test_several_texts_count_by_the_best_of_them(index: DigestIndex) -> None:
    digests = await three(index)
    found = await digests.nearest(["where is my parcel", "the lamp flickers"], 2)
    assert {one for one, _ in found} == {PARCEL, LAMP}
    assert found[0] == (PARCEL, pytest.approx(1.0, abs=0.01))
    assert await digests.nearest([], 2) == []


async def test_a_digest_is_replaced_and_forgotten(index: DigestIndex) -> None:
    digests = await three(index)
    await digests.put([(LAMP, "when do I get my refund")])
    assert {one for one, _ in await digests.nearest(["when do I get my refund"], 2)} == {REFUND, LAMP}
    await digests.forget([LAMP, "d" * 32])
    assert LAMP not in {one for one, _ in await digests.nearest(["when do I get my refund"], 9)}


async def test_what_was_put_in_is_there_after_a_restart(tmp_path: Path) -> None:
    first = await ConversationDigests.open(tmp_path, None, WORDS.passages, "words", "1")
    await first.put([(REFUND, "when do I get my refund")])
    with pytest.raises(IndexLocked):
        await ConversationDigests.open(tmp_path, None, WORDS.passages, "words", "1")
    await first.close()
    again = await ConversationDigests.open(tmp_path, None, WORDS.passages, "words", "1")
    assert (await again.current_form()) == (await first.current_form())
    assert [one for one, _ in await again.nearest(["refund"], 3)] == [REFUND]
    await again.close()


async def test_another_encoder_or_a_lost_index_has_another_form(tmp_path: Path) -> None:
    first = await ConversationDigests.open(tmp_path, None, WORDS.passages, "words", "1")
    await first.close()
    other = await ConversationDigests.open(tmp_path, None, WORDS.passages, "other words", "1")
    await other.close()
    assert (await other.current_form()) != (await first.current_form())
    shutil.rmtree(tmp_path / "conversations")
    lost = await ConversationDigests.open(tmp_path, None, WORDS.passages, "words", "1")
    await lost.close()
    assert (await lost.current_form()) != (await first.current_form())


async def test_a_shard_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    first = await ConversationDigests.open(tmp_path, None, WORDS.passages, "words", "1")
    await first.put([(REFUND, "refund")])
    await first.close()
    (folder,) = (tmp_path / "conversations").iterdir()
    for file in (folder / "shard").rglob("*.json"):
        file.write_text("{")
    again = await ConversationDigests.open(tmp_path, None, WORDS.passages, "words", "1")
    assert (await again.current_form()) != (await first.current_form())
    assert await again.nearest(["refund"], 3) == []
    await again.close()
