"""Loading, searching and answering, on a small shop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.index_server import ServerIndex
from knowledge_base.knowledge_base import KnowledgeBase
from tests.knowledge_base.builders import WordEncoder, article, knowledge_base, shared_edition, small_shop


@pytest.fixture
async def kb(tmp_path: Path) -> AsyncIterator[KnowledgeBase]:
    opened = knowledge_base(tmp_path)
    await opened.load(small_shop())
    yield opened
    await opened.close()


async def test_the_first_load_adds_and_the_second_changes_nothing(tmp_path: Path) -> None:
    encoder = WordEncoder()
    kb = knowledge_base(tmp_path, encoder)
    first = await kb.load(small_shop())
    assert set(first.added) == {one.key for one in small_shop()}
    encoded = encoder.encoded
    second = await kb.load(small_shop())
    assert (second.added, second.updated, second.removed, second.unchanged) == ((), (), (), 5)
    assert encoder.encoded == encoded
    assert second.passages == first.passages == 6
    await kb.close()


async def test_a_reopened_knowledge_base_encodes_nothing_again(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path)
    await kb.load(small_shop())
    await kb.close()
    encoder = WordEncoder()
    again = knowledge_base(tmp_path, encoder)
    report = await again.load(small_shop())
    assert report.unchanged == 5
    assert encoder.encoded == 0
    assert (await again.search("refund"))[0].passage.article_id == "refunds"
    await again.close()


async def test_only_changed_articles_are_encoded_and_missing_ones_disappear(tmp_path: Path) -> None:
    encoder = WordEncoder()
    kb = knowledge_base(tmp_path, encoder)
    await kb.load(small_shop())
    encoded = encoder.encoded
    changed = [replace(one, body="Parcels arrive tomorrow.") for one in small_shop() if one.id == "delivery"]
    report = await kb.load([*changed, *(one for one in small_shop() if one.id == "refunds")])
    assert report.updated == ("delivery/en",)
    assert set(report.removed) == {"warranty/en", "invoices/zh"}
    assert encoder.encoded - encoded == 3  # title, question, passage
    assert kb.find_article("warranty", "en") is None
    assert all(hit.passage.article_id in ("delivery", "refunds") for hit in await kb.search("warranty of a phone"))
    await kb.close()


async def test_adding_articles_keeps_the_others(kb: KnowledgeBase) -> None:
    report = await kb.load([article("gifts", "Do you wrap gifts?", "Yes, for free.")], complete=False)
    assert report.added == ("gifts/en",)
    assert len(kb.articles()) == 6


async def test_two_articles_with_one_name_are_refused_before_anything_changes(kb: KnowledgeBase) -> None:
    with pytest.raises(KnowledgeBaseError, match="refunds/en"):
        await kb.load([article(), article(body="Other.")])
    assert len(kb.articles()) == 5


async def test_progress_is_told_up_to_the_end(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path)
    steps: list[tuple[int, int]] = []
    await kb.load(small_shop(), lambda done, total: steps.append((done, total)))
    assert steps == [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    await kb.close()


async def test_scores_lie_between_0_and_1_and_never_rise_down_the_list(kb: KnowledgeBase) -> None:
    hits = await kb.search("how long does a refund take")
    scores = [hit.score for hit in hits]
    assert hits[0].passage.article_id == "refunds"
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


async def test_words_that_no_article_has_count_against_an_answer(kb: KnowledgeBase) -> None:
    known = (await kb.candidates("how long does a refund take"))[0].features
    strange = (await kb.candidates("how long does a zeppelin refund take in zanzibar"))[0].features
    assert strange["unknown"] > known["unknown"]
    assert strange["covered"] < known["covered"]
    assert strange["length"] > known["length"]


async def test_each_article_is_found_once_with_its_best_passage(kb: KnowledgeBase) -> None:
    hits = await kb.search("is water damage covered by the warranty")
    ids = [hit.passage.article_id for hit in hits]
    assert len(ids) == len(set(ids))
    assert hits[0].passage.id == "warranty/en/not-covered-1"


async def test_an_answer_quotes_whole_sentences_of_the_article(kb: KnowledgeBase) -> None:
    answer = await kb.answer("how long does a refund take", "en", gate=0)
    assert answer is not None
    source = kb.find_passage(answer.citation.passage_id)
    assert source is not None
    assert answer.citation.quote in source.text
    assert answer.text.endswith(".")
    assert answer.citation.url == "/kb/en/refunds#intro-1"
    assert answer.citation.title == "How long does a refund take?"
    assert answer.hits[0].passage == source


async def test_the_answer_is_in_the_askers_language_where_the_article_is_written_in_it(kb: KnowledgeBase) -> None:
    answer = await kb.answer("how long does a refund take", "zh", gate=0)
    assert answer is not None
    assert (answer.language, answer.translated) == ("zh", True)
    assert answer.citation.passage_id == "refunds/zh/intro-1"


async def test_without_a_translation_the_answer_says_it_is_in_another_language(kb: KnowledgeBase) -> None:
    answer = await kb.answer("how do I get an invoice", "en", gate=0)
    assert answer is not None
    assert answer.citation.article_id == "invoices"
    assert (answer.language, answer.translated) == ("zh", False)


async def test_nothing_is_answered_below_the_gate(kb: KnowledgeBase) -> None:
    assert await kb.answer("how long does a refund take", "en", gate=1.01) is None
    assert await kb.answer("   ", "en", gate=0) is None


async def test_suggestions_are_titles_in_the_askers_language(kb: KnowledgeBase) -> None:
    suggested = await kb.suggest("refund", "zh", limit=2)
    assert suggested[0] == ("refunds", "退款多久到账？")
    assert len(suggested) == 2


async def test_a_removed_article_is_gone_in_one_language_or_in_all(kb: KnowledgeBase) -> None:
    assert await kb.remove("refunds", "zh") == 1
    assert kb.languages_of("refunds") == ("en",)
    assert await kb.remove("refunds") == 1
    assert await kb.remove("refunds") == 0
    assert kb.find_passage("refunds/en/intro-1") is None


async def test_an_empty_knowledge_base_finds_nothing(tmp_path: Path) -> None:
    kb = knowledge_base(tmp_path)
    assert await kb.search("refund") == []
    assert await kb.answer("refund", "en") is None
    await kb.close()


async def test_articles_that_another_process_loads_are_found(tmp_path: Path) -> None:
    index = ServerIndex(":memory:", "articles", {"use": 128, "e5": 128})
    ours, theirs = (KnowledgeBase(shared_edition(index, tmp_path / name)) for name in ("ours", "theirs"))
    await ours.load(small_shop()[:1])
    await theirs.load(small_shop())
    assert (await ours.search("warranty of the phone"))[0].passage.article_id == "warranty"
    assert ours.find_article("warranty", "en") is not None


async def test_the_event_loop_runs_on_while_searching(kb: KnowledgeBase) -> None:
    search = asyncio.create_task(kb.search("refund"))
    turns = 0
    while not search.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 1


@pytest.mark.parametrize("text", ["\0", "?" * 10_000, "🪁", "\ud83d", "退" * 5000, "a\nb\tc"])
async def test_any_text_can_be_asked(kb: KnowledgeBase, text: str) -> None:
    assert all(0 <= hit.score <= 1 for hit in await kb.search(text))
