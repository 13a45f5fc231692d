"""An article as a web page: safe HTML with one anchor per passage, so that a citation opens where it was quoted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from urllib.parse import quote

import nh3
from markdown_it import MarkdownIt

from knowledge_base.articles import Article, Passage
from knowledge_base.splitting import blocks

STYLESHEET = "/static/kb.css"
_LANGUAGE_NAMES = {"en": "English", "zh": "中文"}
_HTML_LANGUAGES = {"en": "en", "zh": "zh-CN"}
_WORDS = {
    "en": {
        "updated": "Updated",
        "also": "Read this in",
        "desk": "Help",
        "gone": "This article is not available",
        "gone_why": "It may have been taken down, or it is only for certain customers. "
        "Ask in the chat: you will get what holds today.",
        "preview": "Staff preview: customers cannot open this page.",
        "audience": "For",
        "from": "valid from",
        "until": "valid until",
        "replaced_by": "replaced by",
    },
    "zh": {
        "updated": "更新于",
        "also": "阅读其他语言",
        "desk": "帮助中心",
        "gone": "这篇文章暂时无法查看",
        "gone_why": "它可能已经下线，或者只对部分顾客开放。可以直接在聊天里提问，客服会按最新的内容答复您。",
        "preview": "员工预览：顾客打不开这个页面。",
        "audience": "适用对象",
        "from": "生效时间",
        "until": "失效时间",
        "replaced_by": "已由新文章代替",
    },
}
_TAGS = {
    *("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "del", "code", "pre"),
    *("blockquote", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def safe_html(markdown: str) -> str:
    """Markdown as HTML that holds no script, style, image, form or link other than http, https, mailto and tel."""
    html = _markdown().render(markdown)
    html = re.sub(r"<(/?)h1>", r"<\1h2>", html)
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    )


def render_page(
    article: Article, passages: Sequence[Passage], languages: Sequence[str] = (), *, preview: bool = False
) -> str:
    """The whole page; ``languages`` are those the article is written in, for the link to its translation.

    A ``preview`` says above the article for whom and when it holds.
    """
    words = _WORDS[article.language]
    parts: list[str] = []
    at = 0
    whole = [(block.start, block.end) for block in blocks(article.body) if block.whole]
    together: list[list[Passage]] = []
    for passage in passages:  # a table or code that was cut into passages is drawn in one piece
        inside = any(start < passage.start < end for start, end in whole)
        if inside and together:
            together[-1].append(passage)
        else:
            together.append([passage])
    for first, *others in together:
        parts.append(safe_html(article.body[at : first.start]))
        last = others[-1] if others else first
        at = last.start + len(last.text)
        marks = "".join(f'<span id="{escape(one.anchor)}"></span>' for one in others)
        said = safe_html(article.body[first.start : at])
        parts.append(f'<section class="passage" id="{escape(first.anchor)}">{marks}{said}</section>')
    parts.append(safe_html(article.body[at:]))
    other_languages = [language for language in languages if language != article.language]
    translations = " ".join(
        f'<a href="/kb/{other}/{quote(article.id)}" hreflang="{_HTML_LANGUAGES[other]}" '
        f'lang="{_HTML_LANGUAGES[other]}">{_LANGUAGE_NAMES[other]}</a>'
        for other in other_languages
    )
    also = f'<nav aria-label="{words["also"]}">{translations}</nav>' if other_languages else ""
    day = article.updated.isoformat() if article.updated else ""
    updated = f'<p class="updated">{words["updated"]} <time datetime="{day}">{day}</time></p>' if day else ""
    notice = _preview_notice(article) if preview else ""
    content = f"{notice}<h1>{escape(article.title)}</h1>\n{''.join(parts)}\n{updated}"
    return _document(article.language, article.title, content, also)


def render_refusal(language: str) -> str:
    """The page of an article that this visitor may not read, or that does not exist: which of the two is not told."""
    words = _WORDS[language]
    return _document(language, words["gone"], f"<h1>{words['gone']}</h1>\n<p>{words['gone_why']}</p>\n")


def _preview_notice(article: Article) -> str:
    words = _WORDS[article.language]
    terms = [f"{words['audience']}: {', '.join(article.audience)}"]
    for name, moment in (("from", article.valid_from), ("until", article.valid_until)):
        if moment is not None:
            terms.append(f"{words[name]} {moment:%Y-%m-%d %H:%M} UTC")
    if article.replaced_by:
        terms.append(f"{words['replaced_by']} {article.replaced_by}")
    return f'<p class="updated"><strong>{words["preview"]}</strong> {escape("; ".join(terms))}</p>\n'


def _document(language: str, title: str, content: str, navigation: str = "") -> str:
    return (
        f'<!doctype html>\n<html lang="{_HTML_LANGUAGES[language]}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n"
        f'<link rel="stylesheet" href="{STYLESHEET}">\n</head>\n<body>\n'
        f'<header><a class="desk" href="/">{_WORDS[language]["desk"]}</a>{navigation}</header>\n'
        f"<main>\n{content}</main>\n</body>\n</html>\n"
    )
