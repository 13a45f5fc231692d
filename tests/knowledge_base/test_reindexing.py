"""Another encoder: the former edition serves until the new one holds everything, through edits, failures and crashes."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge_base import homes, opening
from knowledge_base.encoder import E5Encoder, Encoder, UseEncoder, Vectors
from knowledge_base.errors import EncoderUnavailable
from knowledge_base.homes import FolderHome, ServerHome
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.named_encoders import passage_encoder
from tests.knowledge_base.builders import WordEncoder, article, small_shop


class SlowEncoder(WordEncoder):
    """Takes its time for each text, and can be held back or break."""

    def __init__(self, name: str = "slow", seconds: float = 0.0) -> None:
        super().__init__(name)
        self.seconds = seconds
        self.held = False
        self.broken = False

    def passages(self, texts: Sequence[str]) -> Vectors:
        while self.held:
            time.sleep(0.005)
        if self.broken:
            raise RuntimeError("the model ran out of memory")
        time.sleep(self.seconds * len(texts))
        return super().passages(texts)


@pytest.fixture(scope="module")
def use() -> UseEncoder:
    return UseEncoder()


@pytest.fixture(autouse=True)
def encoders(monkeypatch: pytest.MonkeyPatch, use: UseEncoder) -> dict[str, Encoder]:
    """What settings may name here, beside what they may name anyway; USE is loaded once for all tests."""
    known: dict[str, Encoder] = {"words": WordEncoder(), "slow": SlowEncoder(), "use": use}
    monkeypatch.setattr(opening, "UseEncoder", lambda: use)

    def named(name: str) -> Encoder:
        return known[name] if name in known else passage_encoder(name)

    for module in (homes, opening):
        monkeypatch.setattr(module, "passage_encoder", named)
    return known


@asynccontextmanager
async def opened(directory: Path, encoder: str, *, reindex: bool = True) -> AsyncIterator[KnowledgeBase]:
    kb = await KnowledgeBase.open(directory, encoder=encoder, reindex=reindex)
    try:
        yield kb
    finally:
        await kb.close()


async def built(directory: Path, encoder: str = "words") -> None:
    async with opened(directory, encoder) as kb:
        await kb.load(small_shop())


def slow(encoders: dict[str, Encoder]) -> SlowEncoder:
    encoder = encoders["slow"]
    assert isinstance(encoder, SlowEncoder)
    return encoder


def indexes(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "knowledge").glob("index-*"))


async def best(kb: KnowledgeBase, question: str) -> str:
    return (await kb.search(question))[0].passage.article_id


async def until(kb: KnowledgeBase, done: int) -> None:
    while kb.status()["reindexing"]["done"] < done:  # noqa: ASYNC110 - it is the status that is watched
        await asyncio.sleep(0.005)


async def test_the_same_encoder_builds_nothing(tmp_path: Path) -> None:
    await built(tmp_path)
    async with opened(tmp_path, "words") as kb:
        assert kb.status()["reindexing"] is None
        assert kb.status()["encoder"] == "words"


async def test_the_former_edition_serves_until_the_new_one_is_complete(
    tmp_path: Path, encoders: dict[str, Encoder]
) -> None:
    await built(tmp_path)
    slow(encoders).held = True
    async with opened(tmp_path, "slow") as kb:
        assert await best(kb, "how long does a refund take") == "refunds"
        status = kb.status()
        assert (status["encoder"], status["reindexing"]["phase"]) == ("words", "encoding")
        assert len(indexes(tmp_path)) == 2
        slow(encoders).held = False
        await kb.settled()
        status = kb.status()
        assert (status["encoder"], status["reindexing"]["phase"]) == ("slow", "done")
        assert (status["reindexing"]["done"], status["reindexing"]["total"]) == (5, 5)
        assert await best(kb, "how long does a refund take") == "refunds"
        assert len(indexes(tmp_path)) == 1
        assert {one.key: one for one in kb.articles()} == {one.key: one for one in small_shop()}
    async with opened(tmp_path, "slow") as kb:
        assert kb.status()["reindexing"] is None
        assert kb.status()["articles"] == 5


async def test_the_encoders_of_the_product_can_take_each_others_place(tmp_path: Path) -> None:
    await built(tmp_path, "use")
    async with opened(tmp_path, "e5") as kb:
        assert await best(kb, "how long does a refund take") == "refunds"
        await kb.settled()
        assert kb.status()["encoder"] == E5Encoder.name
        assert await best(kb, "when do I get my money") == "refunds"
        assert await best(kb, "手机进水保修吗") == "warranty"


async def test_what_changes_meanwhile_reaches_both_editions(tmp_path: Path, encoders: dict[str, Encoder]) -> None:
    await built(tmp_path)
    slow(encoders).seconds = 0.01
    changed = [replace(one, body="Parcels arrive tomorrow.") if one.id == "delivery" else one for one in small_shop()]
    new = article("gifts", "Do you wrap gifts?", "Yes, for free.", questions=[])
    async with opened(tmp_path, "slow") as kb:
        await kb.load([*changed[:2], *changed[3:], new])  # "warranty" is left out
        assert await best(kb, "wrap gifts") == "gifts"
        assert kb.find_article("warranty", "en") is None
        await kb.remove("invoices")
        await kb.settled()
        assert kb.status()["encoder"] == "slow"
        expected = {one.key: one for one in [*changed, new] if one.id not in ("warranty", "invoices")}
        assert {one.key: one for one in kb.articles()} == expected
        assert await best(kb, "wrap gifts") == "gifts"


async def test_a_stop_in_the_middle_loses_nothing(tmp_path: Path, encoders: dict[str, Encoder]) -> None:
    await built(tmp_path)
    many = [article(f"article-{number}", f"Question {number}?", f"Answer {number}.") for number in range(30)]
    async with opened(tmp_path, "words") as kb:
        await kb.load(many)
    slow(encoders).seconds = 0.01
    async with opened(tmp_path, "slow") as kb:
        await until(kb, 4)
        assert kb.status()["encoder"] == "words"
    encoded = slow(encoders).encoded
    async with opened(tmp_path, "slow") as kb:
        await kb.settled()
        assert kb.status()["encoder"] == "slow"
    assert slow(encoders).encoded < 30 * 3 + 20  # not everything again
    assert encoded > 0


async def test_going_back_to_the_former_encoder_drops_what_was_begun(
    tmp_path: Path, encoders: dict[str, Encoder]
) -> None:
    await built(tmp_path)
    slow(encoders).broken = True
    async with opened(tmp_path, "slow") as kb:
        await kb.settled()
    assert len(indexes(tmp_path)) == 2
    async with opened(tmp_path, "words") as kb:
        assert kb.status()["reindexing"] is None
        assert await best(kb, "refund") == "refunds"
    assert len(indexes(tmp_path)) == 1


async def test_a_failure_is_told_and_the_former_edition_goes_on(tmp_path: Path, encoders: dict[str, Encoder]) -> None:
    await built(tmp_path)
    slow(encoders).broken = True
    async with opened(tmp_path, "slow") as kb:
        await kb.settled()
        reindexing = kb.status()["reindexing"]
        assert (reindexing["phase"], reindexing["problem"]) == ("failed", "the model ran out of memory")
        assert await best(kb, "refund") == "refunds"
        await kb.load([article("gifts", "Do you wrap gifts?", "Yes, for free.")], complete=False)
        assert await best(kb, "wrap gifts") == "gifts"
    slow(encoders).broken = False
    async with opened(tmp_path, "slow") as kb:
        await kb.settled()
        assert kb.status()["encoder"] == "slow"
        assert await best(kb, "wrap gifts") == "gifts"


async def test_looking_something_up_with_another_encoder_encodes_nothing_anew(tmp_path: Path) -> None:
    await built(tmp_path)
    async with opened(tmp_path, "slow", reindex=False) as kb:
        await kb.settled()
        assert kb.status()["encoder"] == "words"
        assert await best(kb, "refund") == "refunds"
    assert len(indexes(tmp_path)) == 1


@pytest.mark.parametrize("change", ["gone", "another under its name"])
async def test_when_the_former_encoder_is_missing_words_and_use_serve(
    tmp_path: Path, encoders: dict[str, Encoder], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    await built(tmp_path)

    def named(name: str) -> Encoder:
        if name == "words" and change == "gone":
            raise EncoderUnavailable("hf:words cannot be loaded")
        return WordEncoder("other words") if name == "words" else encoders[name]

    for module in (homes, opening):
        monkeypatch.setattr(module, "passage_encoder", named)
    slow(encoders).held = True
    async with opened(tmp_path, "slow") as kb:
        assert kb.status()["encoder_missing"]
        assert await best(kb, "how long does a refund take") == "refunds"
        assert await best(kb, "water damage under warranty") == "warranty"
        slow(encoders).held = False
        await kb.settled()
        assert not kb.status()["encoder_missing"]
        assert await best(kb, "how long does a refund take") == "refunds"


async def test_an_encoder_that_cannot_be_loaded_changes_nothing(tmp_path: Path) -> None:
    await built(tmp_path)
    before = (tmp_path / "knowledge" / "editions.json").read_text()
    with pytest.raises(EncoderUnavailable):
        await KnowledgeBase.open(tmp_path, encoder="hf:/no/such/model")
    assert (tmp_path / "knowledge" / "editions.json").read_text() == before


RESTARTED = """
import asyncio, sys, time
from pathlib import Path
from knowledge_base import homes, knowledge_base, opening
from tests.knowledge_base.test_reindexing import SlowEncoder
from tests.knowledge_base.builders import WordEncoder
known = {"words": WordEncoder(), "slow": SlowEncoder(seconds=0.02)}
for module in (homes, opening):
    module.passage_encoder = lambda name: known[name]
async def main():
    kb = await knowledge_base.KnowledgeBase.open(Path(sys.argv[1]), encoder="slow")
    while True:
        print(kb.status()["reindexing"]["done"], flush=True)
        await asyncio.sleep(0.01)
asyncio.run(main())
"""


async def test_a_kill_in_the_middle_leaves_the_former_edition_and_what_was_done(
    tmp_path: Path, encoders: dict[str, Encoder]
) -> None:
    many = [article(f"article-{number}", f"Question {number}?", f"Answer {number}.") for number in range(24)]
    async with opened(tmp_path, "words") as kb:
        await kb.load([*small_shop(), *many])
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RESTARTED, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    done = 0
    while done < 8:
        line = (await child.stdout.readline()).decode().strip()
        done = int(line) if line.isdigit() else done  # what is logged is not a number
    child.kill()
    await child.wait()
    slow(encoders).held = True
    async with opened(tmp_path, "slow") as kb:
        assert kb.status()["encoder"] == "words"
        assert kb.status()["articles"] == 29
        assert await best(kb, "how long does a refund take") == "refunds"
        slow(encoders).held = False
        await kb.settled()
        assert kb.status()["encoder"] == "slow"
        assert kb.status()["articles"] == 29
    assert 0 < slow(encoders).encoded <= (29 - done) * 4 + 30


async def test_processes_that_share_a_server_end_with_the_same_edition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_server(monkeypatch)
    monkeypatch.setattr(ServerHome, "linger_seconds", 0.2)
    url = ":memory:"
    first = await KnowledgeBase.open(tmp_path / "a", url, "words")
    await first.load(small_shop())
    await first.close()
    ours = await KnowledgeBase.open(tmp_path / "a", url, "slow")
    theirs = await KnowledgeBase.open(tmp_path / "b", url, "slow")
    await asyncio.gather(ours.settled(), theirs.settled())
    for kb in (ours, theirs):
        assert kb.status()["encoder"] == "slow"
        assert await best(kb, "how long does a refund take") == "refunds"
        assert kb.status()["articles"] == 5
        await kb.close()
    editions = ServerHome(url, tmp_path).editions()
    assert editions is not None
    assert (editions.serving.encoder, editions.building) == ("slow", None)


async def test_processes_on_one_machine_keep_ledgers_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_server(monkeypatch)
    ours, theirs = [await KnowledgeBase.open(tmp_path, ":memory:", "words") for _ in range(2)]
    await ours.load(small_shop()[:2])
    await theirs.load(small_shop())
    for kb in (ours, theirs):
        assert await best(kb, "water damage under warranty") == "warranty"
    assert len(list((tmp_path / "knowledge").glob("ledger-*"))) == 2
    await ours.close()
    again = await KnowledgeBase.open(tmp_path, ":memory:", "words")
    assert await best(again, "water damage under warranty") == "warranty"
    assert len(list((tmp_path / "knowledge").glob("ledger-*"))) == 2
    await again.close()
    await theirs.close()


class OneAtATime:
    """The client in memory is no server: it takes one call at a time, and closing it would lose everything."""

    def __init__(self, client: object) -> None:
        self._client = client

    def __getattr__(self, name: str) -> object:
        if name == "close":
            return lambda: None
        method = getattr(self._client, name)
        if not callable(method):
            return method

        def called(*arguments: object, **named: object) -> object:
            with _ONE_CALL:
                return method(*arguments, **named)

        return called


_ONE_CALL = threading.RLock()


def one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every client in this process talk to one server in memory, which stays when a client leaves."""
    from qdrant_client import QdrantClient

    client = QdrantClient(location=":memory:")
    monkeypatch.setattr("knowledge_base.index_server.QdrantClient", lambda **_: OneAtATime(client))


def test_a_record_that_cannot_be_read_says_what_to_delete(tmp_path: Path) -> None:
    (tmp_path / "editions.json").write_text("{")
    with pytest.raises(homes.IndexUnavailable, match="delete the folder"):
        FolderHome(tmp_path).editions()
