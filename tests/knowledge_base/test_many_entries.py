"""Beyond the size at which every entry is compared: graphs, postings, upkeep, and what a crash leaves."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from knowledge_base import candidates, index, ledger, postings
from knowledge_base.articles import Article
from knowledge_base.edition import Edition
from knowledge_base.entries import Terms, head_of
from knowledge_base.index_server import ServerIndex
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.prepared import Prepared
from knowledge_base.readers import Reader
from tests.knowledge_base.builders import article, edition, shared_edition, small_shop

SUBJECTS = [
    "refund",
    "warranty",
    "delivery",
    "invoice",
    "battery",
    "screen",
    "coupon",
    "strap",
    "charger",
    "repair",
    "exchange",
    "signature",
]
THINGS = ["watch", "phone", "tablet", "laptop", "speaker", "camera", "drone", "kettle", "heater", "router"]


def many_articles(version: str = "one") -> list[Article]:
    """One for each subject and thing; half of them have a second passage."""
    return [
        article(
            f"{subject}-{thing}",
            f"What about the {subject} of my {thing}?",
            f"The {subject} of a {thing} takes {number} days in version {version}."
            + (f"\n\n## Also\nAsk about the {thing} in the shop." if number % 2 else ""),
            questions=[f"{thing} {subject}"],
        )
        for number, (subject, thing) in enumerate((s, t) for s in SUBJECTS for t in THINGS)
    ]


@pytest.fixture
def never_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a few hundred entries count as many."""
    for module in (candidates, index, ledger):
        monkeypatch.setattr(module, "FLAT", 50)
    monkeypatch.setattr(index, "_WORTH_BUILDING", 100)
    monkeypatch.setattr(postings, "_FEW_ROWS", 20)


def put_in(one: Edition, articles: list[Article]) -> None:
    batch = [(prepared.head, one.encode(prepared)) for prepared in map(Prepared, articles)]
    one.put_in(batch)
    one.commit()


@pytest.fixture
def filled(tmp_path: Path, never_flat: None) -> Iterator[Edition]:
    one = edition(tmp_path / "kb")
    put_in(one, many_articles())
    yield one
    one.close()


def best(one: Edition, question: str) -> str:
    return one.rank(question, "en", {})[0].article_id


def build(one: Edition) -> None:
    work = one.index.upkeep()
    assert work is not None
    adopt = work()
    assert adopt is not None
    adopt()


def test_the_index_finds_what_comparing_everything_finds(filled: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [f"the {subject} of the {thing} please" for subject in SUBJECTS[:4] for thing in THINGS[:4]]
    by_index = [[one.article_id for one in filled.rank(question, "en", {})[:1]] for question in questions]
    monkeypatch.setattr(candidates, "FLAT", 10_000)
    assert [[one.article_id for one in filled.rank(question, "en", {})[:1]] for question in questions] == by_index
    assert [found[0] for found in by_index] == [f"{s}-{t}" for s in SUBJECTS[:4] for t in THINGS[:4]]


def test_words_of_new_articles_count_before_the_postings_are_written_again(filled: Edition) -> None:
    covered = filled.view.postings
    assert covered is not None
    put_in(filled, [article("zeppelin", "Do you sell a zeppelin?", "No zeppelin is sold.", questions=[])])
    assert filled.view.postings is covered
    assert best(filled, "zeppelin") == "zeppelin"
    put_in(filled, many_articles("two"))
    assert filled.view.postings is not covered
    assert best(filled, "zeppelin") == "zeppelin"
    assert best(filled, "kettle coupon") == "coupon-kettle"


def test_a_server_is_searched_the_same_way(tmp_path: Path, never_flat: None) -> None:
    server = ServerIndex(":memory:", "articles", {"use": 128, "e5": 128})
    one = shared_edition(server, tmp_path)
    put_in(one, many_articles())
    assert best(one, "the warranty of the drone") == "warranty-drone"
    one.close()


def limited(articles: list[Article]) -> list[Article]:
    """Coupons are for members, repairs hold in June only."""
    june = datetime(2026, 6, 1, tzinfo=UTC)
    terms: dict[str, dict[str, Any]] = {
        "coupon": {"audience": ("member", "staff")},
        "repair": {"valid_from": june, "valid_until": june + timedelta(days=30)},
    }
    return [replace(one, **terms.get(one.id.partition("-")[0], {})) for one in articles]


def subjects_found(one: Edition, question: str, reader: Reader) -> set[str]:
    return {found.article_id.partition("-")[0] for found in one.rank(question, "en", {}, reader=reader)}


@pytest.mark.parametrize("kind", ["graphs", "flat", "server"])
def test_only_what_the_reader_may_read_is_compared(
    tmp_path: Path, kind: str, never_flat: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "server":
        one = shared_edition(ServerIndex(":memory:", "articles", {"use": 128, "e5": 128}), tmp_path)
    else:
        one = edition(tmp_path)
    put_in(one, limited(many_articles()))
    if kind == "graphs":
        build(one)
    if kind == "flat":
        monkeypatch.setattr(candidates, "FLAT", 10_000)
    june = datetime(2026, 6, 15, tzinfo=UTC)
    question = "the coupon and the repair of the kettle"
    found = {
        (audience, month): subjects_found(one, question, Reader.of([audience], june.replace(month=month)))
        & {"coupon", "repair"}
        for audience in ("business", "staff")
        for month in (5, 6, 7)
    }
    assert found == {
        ("business", 5): set(),
        ("business", 6): {"repair"},
        ("business", 7): set(),
        ("staff", 5): {"coupon"},
        ("staff", 6): {"coupon", "repair"},
        ("staff", 7): {"coupon"},
    }
    assert len(one.rank(question, "en", {}, reader=Reader.of(["business"], june))) >= 20  # others take their places
    one.close()


def test_terms_and_successors_survive_a_restart_and_a_lost_ledger(tmp_path: Path) -> None:
    import shutil

    one = edition(tmp_path)
    put_in(one, [replace(shop, replaced_by="refunds-2", updated=date(2026, 5, 1)) for shop in limited(many_articles())])
    before = {key: one.view.heads[number] for key, number in one.view.numbers.items()}
    assert before["coupon-kettle/en"].terms.audience == ("member", "staff")
    one.close()
    for lost in (False, True):
        if lost:
            shutil.rmtree(tmp_path / "ledger")
        again = edition(tmp_path)
        assert {key: again.view.heads[number] for key, number in again.view.numbers.items()} == before
        again.close()


def test_entries_written_before_there_were_terms_are_for_everybody() -> None:
    head = head_of({"article_id": "a", "language": "en", "version": "1", "questions": 1, "passages": 2})
    assert head.terms == Terms()
    assert (head.replaced_by, head.updated, head.sketch) == (None, "", "")


def test_graphs_are_built_when_enough_was_written_and_not_again_until_then(filled: Edition, tmp_path: Path) -> None:
    build(filled)
    assert sorted(path.name for path in (tmp_path / "kb").glob("shard-*")) == ["shard-1"]
    assert filled.index.upkeep() is None
    assert best(filled, "the coupon of the kettle") == "coupon-kettle"
    put_in(filled, many_articles("two"))
    assert filled.index.upkeep() is not None


def test_what_is_written_while_graphs_are_built_is_not_lost(filled: Edition, tmp_path: Path) -> None:
    work = filled.index.upkeep()
    assert work is not None
    put_in(filled, [article("gifts", "Do you wrap gifts?", "Yes.", questions=[]), *many_articles("two")[:5]])
    filled.forget(["refund-heater/en"])
    filled.commit()
    assert best(filled, "wrap gifts") == "gifts"
    adopt = work()
    assert adopt is not None
    adopt()
    assert best(filled, "wrap gifts") == "gifts"
    heads = {head.key: head for head in filled.index.heads()}
    assert heads == {key: filled.view.heads[number] for key, number in filled.view.numbers.items()}
    filled.close()
    again = edition(tmp_path / "kb")
    assert again.view.head("refund-heater/en") is None
    assert again.article("refund-watch/en") == many_articles("two")[0]
    filled.index, filled.ledger = again.index, again.ledger  # closed by the fixture


def test_closing_stops_the_building(tmp_path: Path, never_flat: None) -> None:
    one = edition(tmp_path / "kb")
    put_in(one, many_articles())
    work = one.index.upkeep()
    assert work is not None
    one.close()
    assert work() is None
    again = edition(tmp_path / "kb")
    assert best(again, "the coupon of the kettle") == "coupon-kettle"
    assert sorted(path.name for path in (tmp_path / "kb").glob("shard-*")) == ["shard-0"]
    again.close()


async def test_a_load_builds_the_graphs_in_the_background(tmp_path: Path, never_flat: None) -> None:
    kb = KnowledgeBase(edition(tmp_path / "kb"))
    await kb.load(many_articles())
    assert (await kb.search("the coupon of the kettle"))[0].passage.article_id == "coupon-kettle"
    await kb.settled()
    assert (tmp_path / "kb" / "shard-1").exists()
    assert (await kb.search("the coupon of the kettle"))[0].passage.article_id == "coupon-kettle"
    await kb.close()


@pytest.mark.parametrize("lost", ["ledger", "ledger/0/commit.json", "ledger/0/vectors"])
def test_a_lost_ledger_is_written_again_from_the_index(tmp_path: Path, lost: str) -> None:
    import shutil

    one = edition(tmp_path)
    put_in(one, small_shop())
    before = [ranked.score for ranked in one.rank("how long does a refund take", "en", {})]
    one.close()
    path = tmp_path / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    again = edition(tmp_path)
    assert [ranked.score for ranked in again.rank("how long does a refund take", "en", {})] == pytest.approx(
        before, abs=0.05
    )
    assert again.article("invoices/zh") == small_shop()[-1]
    again.close()


def test_of_two_versions_that_a_crash_left_only_the_newer_one_stays(tmp_path: Path) -> None:
    one = edition(tmp_path)
    put_in(one, small_shop())
    changed = Prepared(article(body="Two days now."))
    one.index.stage(one.encode(changed))
    # Shown, but not yet deleted the former version: what a crash in between leaves.
    from qdrant_edge import UpdateOperation

    for ref in changed.head.refs():
        one.index._update(UpdateOperation.set_payload([ref.point_id], {"shelf": f"{ref.kind}/en"}))  # type: ignore[attr-defined]
    one.index._move_on()  # type: ignore[attr-defined]
    one.ledger.close()
    one.index.close()
    again = edition(tmp_path)
    assert again.view.head("refunds/en") == changed.head
    assert len([head for head in again.index.heads() if head.key == "refunds/en"]) == 1
    again.close()


LOADER = """
import asyncio, sys
from pathlib import Path
from tests.knowledge_base.builders import knowledge_base
from tests.knowledge_base.test_many_entries import many_articles
async def main():
    kb = knowledge_base(Path(sys.argv[1]))
    await kb.load(many_articles("two"), lambda done, total: print(done, flush=True))
    print("loaded", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.parametrize("moment", ["at once", "half way", "near the end"])
async def test_a_kill_during_a_load_leaves_every_article_whole_in_one_version(tmp_path: Path, moment: str) -> None:
    kb = KnowledgeBase(edition(tmp_path))
    await kb.load(many_articles("one"))
    await kb.close()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LOADER, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    stop_at = {"at once": 1, "half way": 60, "near the end": 118}[moment]
    while (line := (await child.stdout.readline()).decode().strip()) != "loaded" and int(line) < stop_at:
        pass
    await asyncio.sleep(random.random() / 20)
    child.kill()
    await child.wait()
    again = KnowledgeBase(edition(tmp_path))
    versions = {"one": {a.key: a for a in many_articles("one")}, "two": {a.key: a for a in many_articles("two")}}
    found = again.articles()
    assert len(found) == 120
    assert all(one in (versions["one"][one.key], versions["two"][one.key]) for one in found)
    for one in found[::17]:
        hit = (await again.search(one.title))[0]
        assert hit.passage.article_id == one.id
        assert hit.passage.text in one.body
    report = await again.load(many_articles("two"))
    assert {one.key: one for one in again.articles()} == versions["two"]
    assert report.passages == 180
    await again.close()
