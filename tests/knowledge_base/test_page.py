"""The article page marks passages, links translations, and lets nothing dangerous through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import knowledge_base
from knowledge_base.page import STYLESHEET, render_page, safe_html
from knowledge_base.splitting import split
from tests.knowledge_base.builders import article


def page(body: str, **kwargs: str) -> str:
    one = article(body=body, **kwargs)
    return render_page(one, split(one), ("en", "zh"))


def test_every_passage_has_the_anchor_of_its_citation() -> None:
    one = article("退货", "退货", "七天。\n\n## 运费\n12 元。", "zh")
    html = render_page(one, split(one))
    for passage in split(one):
        assert html.count(f'id="{passage.anchor}"') == 1
    assert split(one)[1].url == "/kb/zh/%E9%80%80%E8%B4%A7#%E8%BF%90%E8%B4%B9-1"
    assert "<h2>运费</h2>" in html
    assert '<html lang="zh-CN">' in html


def test_the_whole_article_is_on_the_page() -> None:
    body = "Intro **bold**.\n\n## Steps\n1. One\n2. Two\n\n## Table\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## Last"
    html = page(body)
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    for words in ("Intro bold", "Steps", "One Two", "a b 1 2", "Last"):
        assert words in text
    assert "<ol>" in html
    assert "<table>" in html


def test_the_other_language_is_linked() -> None:
    assert '<a href="/kb/zh/refunds" hreflang="zh-CN" lang="zh-CN">中文</a>' in page("Text.")
    assert "hreflang" not in render_page(article(), split(article()), ("en",))


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        '<p style="color:red" onclick="x()">hi</p>',
        "![track](https://evil.example/pixel.png)",
        "<iframe src='https://evil.example'></iframe>",
        "<a href='vbscript:x'>x</a>",
    ],
)
def test_nothing_dangerous_reaches_the_page(attack: str) -> None:
    html = page(f"Before {attack} after.\n\n{attack}")
    assert not re.search(r"<(script|img|iframe|form|object|style)\b", html)
    assert not re.search(r"<[^>]+\s(on\w+|style|src)\s*=", html)
    assert not re.search(r"href=\"(?!https?:|/|#|mailto:|tel:)", html)


def test_titles_are_escaped() -> None:
    html = page("Text.", title="<script>x</script> & more")
    assert "<script>" not in html
    assert "&lt;script&gt;x&lt;/script&gt; &amp; more" in html


def test_ordinary_links_stay() -> None:
    assert '<a href="https://kite.example/a?b=1" rel="noopener noreferrer nofollow">shop</a>' in safe_html(
        "[shop](https://kite.example/a?b=1)"
    )


def test_the_page_has_no_inline_script_or_style_and_its_stylesheet_marks_the_target() -> None:
    html = page("Text.")
    assert "style=" not in html
    assert "<style" not in html
    assert f'<link rel="stylesheet" href="{STYLESHEET}">' in html
    css = (Path(knowledge_base.__file__).parent / "static" / Path(STYLESHEET).name).read_text(encoding="utf-8")
    assert ".passage:target" in css
    assert "prefers-color-scheme: dark" in css


def test_a_table_that_was_cut_into_passages_is_drawn_in_one_piece_and_each_passage_keeps_its_place() -> None:
    rows = "\n".join(f"| Country number {n} | CNY {60 + n}.00 | {n} working days by air mail |" for n in range(1, 40))
    body = f"Paid by weight.\n\n## Charges\n| Country | Charge | Time |\n|---|---|---|\n{rows}\n\nNo gift cards."
    abroad = article("abroad", "Delivery abroad", body)
    passages = split(abroad)
    html = render_page(abroad, passages)
    assert len(passages) > 2
    assert (html.count("<table>"), html.count("<tr>")) == (1, 40)
    assert "| Country" not in html
    assert all(html.count(f'id="{passage.anchor}"') == 1 for passage in passages)


def test_code_that_was_cut_into_passages_keeps_its_fence() -> None:
    lines = "\n".join(f"line {n}: press *this* and <that> key for a while" for n in range(60))
    script = article("script", "Script", f"## Script\n```\n{lines}\n```\n\nDone.")
    html = render_page(script, split(script))
    assert html.count("<pre>") == 1
    assert "```" not in html
    assert "<em>" not in html
