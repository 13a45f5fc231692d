"""Articles reach only those they are written for, only while they hold, and only in their newest edition."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from knowledge_base.articles import Article, parse_article
from knowledge_base.errors import UnreadableSource
from knowledge_base.importing import read_source
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.page_links import VALID_FOR, PageLinks
from knowledge_base.prepared import Prepared
from knowledge_base.readers import Reader
from knowledge_base.standing import Standing, current_id, settle
from knowledge_base.visiting import visit
from tests.knowledge_base.builders import article, knowledge_base, small_shop

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
QUESTION = "how long does a refund take"


def front(*lines: str) -> str:
    return "\n".join(["---", "id: a", "title: T", "language: en", *lines, "---", "Text."])


def test_an_article_without_audience_is_for_everybody_always() -> None:
    plain = parse_article(front(), "a.md")
    assert plain.audience == ("customer",)
    assert Reader().may_read(plain)
    assert plain.version == replace(plain, audience=("customer",)).version


def test_days_are_days_of_the_desks_zone_and_the_last_one_counts() -> None:
    text = front("valid_from: 2026-06-01", "valid_until: 2026-06-30")
    here = parse_article(text, "a.md")
    assert here.valid_from == datetime(2026, 5, 31, 16, tzinfo=UTC)
    assert here.valid_until == datetime(2026, 6, 30, 16, tzinfo=UTC)
    there = parse_article(text, "a.md", ZoneInfo("Europe/London"))
    assert there.valid_from == datetime(2026, 5, 31, 23, tzinfo=UTC)
    assert Reader(at=datetime(2026, 6, 30, 15, 59, tzinfo=UTC)).may_read(here)
    assert not Reader(at=datetime(2026, 6, 30, 16, tzinfo=UTC)).may_read(here)


def test_a_date_with_time_is_taken_as_it_is() -> None:
    one = parse_article(front("valid_from: 2026-06-01T09:00:00+01:00", "valid_until: '2026-06-01 20:00'"), "a.md")
    assert one.valid_from == datetime(2026, 6, 1, 8, tzinfo=UTC)
    assert one.valid_until == datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("audience: [Custo mer]", "audience"),
        ("audience: {a: b}", "audience"),
        ("audience: []", "audience"),
        ("valid_from: soon", "valid_from"),
        ("valid_until: 2026-13-01", "date"),
        ("replaced_by: a", "replaced_by"),
        ("replaced_by: a b", "replaced_by"),
    ],
)
def test_a_bad_field_is_named(line: str, problem: str) -> None:
    with pytest.raises(UnreadableSource, match=problem):
        parse_article(front(line), "a.md")


def test_dates_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(UnreadableSource, match="before"):
        parse_article(front("valid_from: 2026-07-01", "valid_until: 2026-06-01"), "a.md")


def test_terms_change_the_version_and_survive_storage() -> None:
    text = front("audience: [member, staff]", "valid_until: 2026-06-30", "replaced_by: b")
    one = parse_article(text, "a.md")
    assert Article.from_json(one.to_json()) == one
    assert len({one.version, replace(one, audience=("member",)).version, replace(one, replaced_by=None).version}) == 3


def test_a_table_of_questions_has_the_same_fields(tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_text(
        "question,answer,audience,valid_from,valid_until,updated,replaced_by\n"
        'Perks?,Free returns.,"member, staff",2026-06-01,2026-06-30,2026-05-01,perks-2\n'
    )
    [one] = read_source(path)
    assert one.audience == ("member", "staff")
    assert one.valid_until == datetime(2026, 6, 30, 16, tzinfo=UTC)
    assert (one.updated, one.replaced_by) == (date(2026, 5, 1), "perks-2")
    path.write_text("question,answer,updated\nA?,B.,soon\n")
    with pytest.raises(UnreadableSource, match="row 2: 'updated'"):
        read_source(path)


def shop(**refund_terms: object) -> list[Article]:
    return [replace(one, **refund_terms) if one.id == "refunds" else one for one in small_shop()]  # type: ignore[arg-type]


@pytest.fixture
async def kb(tmp_path: Path) -> AsyncIterator[KnowledgeBase]:
    opened = knowledge_base(tmp_path)
    opened.quoter.links = PageLinks(b"k" * 32)
    yield opened
    await opened.close()


async def found(kb: KnowledgeBase, reader: Reader) -> set[str]:
    answer = await kb.answer(QUESTION, "en", gate=0, reader=reader)
    hits = await kb.search(QUESTION, "en", reader=reader)
    suggested = await kb.suggest(QUESTION, "en", 10, reader)
    named = {hit.passage.article_id for hit in hits} | {name for name, _ in suggested}
    return named | ({answer.citation.article_id} if answer else set())


async def test_what_is_for_others_is_never_found_suggested_or_quoted(kb: KnowledgeBase) -> None:
    await kb.load(shop(audience=("member",)))
    assert "refunds" not in await found(kb, Reader())
    assert "refunds" in await found(kb, Reader.of(["member"]))
    assert await kb.answer_from("refunds", "en", reader=Reader()) is None
    assert await kb.answer_from("refunds", "en", reader=Reader.of(["member"])) is not None


async def test_what_does_not_hold_now_is_never_found(kb: KnowledgeBase) -> None:
    await kb.load(shop(valid_from=JUNE, valid_until=JUNE + timedelta(days=30)))
    assert "refunds" not in await found(kb, Reader(at=JUNE - timedelta(seconds=1)))
    assert "refunds" in await found(kb, Reader(at=JUNE))
    assert "refunds" not in await found(kb, Reader(at=JUNE + timedelta(days=30)))


async def test_a_translation_for_others_is_not_quoted_in_place_of_the_open_one(kb: KnowledgeBase) -> None:
    articles = [replace(one, audience=("staff",)) if one.key == "refunds/zh" else one for one in small_shop()]
    await kb.load(articles)
    answer = await kb.answer(QUESTION, "zh", gate=0)
    assert answer is not None
    assert (answer.citation.article_id, answer.language) == ("refunds", "en")


async def test_a_replaced_article_gives_way_to_the_one_it_names(kb: KnowledgeBase) -> None:
    newer = article("refunds-2027", "How fast is a refund now?", "The refund takes one day.", questions=())
    await kb.load([*shop(replaced_by="refunds-2027"), newer])
    assert "refunds" not in await found(kb, Reader())
    old = await kb.answer_from("refunds", "en")
    assert old is not None
    assert old.citation.article_id == "refunds-2027"


async def test_a_successor_that_may_not_be_read_leaves_the_old_article_in_force(kb: KnowledgeBase) -> None:
    newer = replace(article("refunds-2027", "Refunds", "One day."), audience=("staff",))
    await kb.load([*shop(replaced_by="refunds-2027"), newer])
    assert "refunds" in await found(kb, Reader())


def test_successors_in_a_circle_end() -> None:
    ring = {"a": replace(article("a"), replaced_by="b"), "b": replace(article("b"), replaced_by="a")}
    assert current_id("a", lambda name: [ring[name]] if name in ring else []) == "b"


Result = tuple[Article, float]


def standing(name: str, score: float, day: int | None, body: str = "") -> Result:
    updated = date(2026, 1, day) if day else None
    return replace(article(name, body=body or f"About {name} and more."), updated=updated), score


def order(*results: Result) -> list[str]:
    articles = {one.key: one for one, _ in results}
    shown = settle([Standing(Prepared(one).head, score, 0) for one, score in results], articles.get)
    return [one.head.id for one in shown]


def test_among_near_equals_the_newer_article_comes_first() -> None:
    assert order(standing("old", 2.0, 1), standing("new", 1.95, 9)) == ["new", "old"]
    assert order(standing("old", 2.0, 1), standing("new", 1.5, 9)) == ["old", "new"]
    other, score = standing("other", 1.95, 9)
    elsewhere = replace(other, title="Where are your shops?")
    assert order(standing("old", 2.0, 1), (elsewhere, score)) == ["old", "other"]
    assert order(standing("dated", 2.0, 1), standing("undated", 1.95, None)) == ["dated", "undated"]


def test_articles_that_say_the_same_are_shown_once_in_their_newest_form() -> None:
    same = "Parcels arrive within three days. Evening delivery costs nothing."
    assert order(standing("old", 2.0, 1, same), standing("other", 1.5, 1), standing("new", 1.0, 9, same)) == [
        "new",
        "other",
    ]


async def test_the_page_of_an_article_opens_for_its_readers_only(kb: KnowledgeBase) -> None:
    await kb.load(shop(audience=("member",)))
    answer = await kb.answer(QUESTION, "en", gate=0, reader=Reader.of(["member"]))
    assert answer is not None
    token = answer.citation.url.partition("?k=")[2].partition("#")[0]
    now = datetime.now(UTC)
    assert token
    assert visit(kb, "refunds", "en", token, now, staff=False).status == 200
    for wrong in ("", "x", token[:-1] + ("B" if token.endswith("A") else "A"), f"{'f' * 9}.{token.partition('.')[2]}"):
        refused = visit(kb, "refunds", "en", wrong, now, staff=False)
        assert refused.status == 404
        assert "three working days" not in refused.html
    assert visit(kb, "warranty", "en", token, now, staff=False).status == 200
    assert visit(kb, "refunds", "en", token, now + VALID_FOR + timedelta(days=1), staff=False).status == 404


async def test_staff_see_a_preview_that_says_for_whom_it_is(kb: KnowledgeBase) -> None:
    await kb.load(shop(audience=("member",), valid_until=JUNE))
    page = visit(kb, "refunds", "en", "", datetime.now(UTC), staff=True)
    assert page.status == 200
    assert "Staff preview" in page.html
    assert "member" in page.html


async def test_an_expired_page_is_refused_like_one_that_never_was(kb: KnowledgeBase) -> None:
    await kb.load(shop(valid_until=JUNE))
    expired = visit(kb, "refunds", "en", "", JUNE + timedelta(days=1), staff=False)
    unknown = visit(kb, "nothing", "en", "", JUNE, staff=False)
    assert (expired.status, expired.html) == (unknown.status, unknown.html) == (404, expired.html)
    assert visit(kb, "refunds", "zh", "", JUNE + timedelta(days=1), staff=False).html.count("暂时无法查看") == 2


async def test_an_old_address_leads_to_the_article_that_replaced_it(kb: KnowledgeBase) -> None:
    await kb.load([*shop(replaced_by="refunds-2027"), article("refunds-2027", "Refunds", "One day.")])
    assert visit(kb, "refunds", "zh", "", JUNE, staff=False).location == "/kb/en/refunds-2027"
