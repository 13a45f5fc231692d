"""HTML mails as plain text: nothing is loaded, run or shown, quotations begin with ">" as in plain mails."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import nh3

_LARGEST = 1_000_000  # characters of HTML
_DEEPEST = 50  # quotations within quotations
_BLOCKS = {"p", "div", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "hr"}
_BLOCKS |= {"center", "section", "article", "header", "footer", "dl", "dt", "dd"}
_TAGS = _BLOCKS | {"a", "br", "img", "td", "th"}
_UNSEEN = {"script", "style", "title", "head", "template", "noscript", "svg", "math", "object", "iframe"}
#: What mail programs put around the mail that is answered.
_QUOTED = re.compile(
    r"gmail_quote|yahoo_quoted|moz-cite-prefix|divRplyFwdMsg|appendonsend|isReplyContent|ntes-mailcontent-quote"
)
#: Stands where a picture of the mail itself is shown; its Content-ID is between the two.
PICTURE = re.compile("\ufff9([^\ufff9\ufffb]*)\ufffb")


def text_of(html: str) -> str:
    """The words of a mail; pictures that come with it leave a mark (see ``PICTURE``)."""
    html = html[:_LARGEST].replace("\ufff9", "").replace("\ufffb", "")
    clean = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_UNSEEN,
        attributes={"a": {"href"}, "div": {"class", "id"}, "blockquote": {"class", "id"}, "img": {"src"}},
        url_schemes={"http", "https", "mailto", "cid"},
        link_rel=None,
    )
    writer = _Writer()
    writer.feed(clean)
    writer.close()
    return writer.text()


class _Writer(HTMLParser):
    """Writes clean HTML as lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._quotes: list[str] = []  #: the open elements that quote
        self._links: list[tuple[str, str]] = []
        self._words = ""  #: of the open link

    def text(self) -> str:
        """Everything written so far."""
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A new line, a link, a picture or a quotation."""
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._links.append((given.get("href", ""), ""))
            self._words = ""
        elif tag == "img":
            source = given.get("src", "")
            if source.lower().startswith("cid:"):
                self._line += f"\ufff9{source[4:]}\ufffb"
        elif tag == "br":
            self._end_line(always=True)
        elif tag in ("td", "th"):
            self._line += " "
        elif tag in _BLOCKS:
            self._end_line()
            if tag == "li":
                self._line = "- "
            quotes = tag == "blockquote" or _QUOTED.search(f"{given.get('class', '')} {given.get('id', '')}")
            if tag in ("div", "blockquote") and len(self._quotes) < _DEEPEST * 100:
                self._quotes.append(">" if quotes else "")

    def handle_endtag(self, tag: str) -> None:
        """The end of a line, a link or a quotation."""
        if tag == "a" and self._links:
            href, _ = self._links.pop()
            said = self._words.strip()
            shown = href.removeprefix("mailto:")
            if href.lower().startswith("http") and said and said not in href and shown not in said and len(href) < 300:
                self._line += f" ({href})"
        elif tag in _BLOCKS:
            self._end_line(always=tag == "p" and bool(self._line.strip()))
            if tag == "p" and self._lines and self._lines[-1].strip(" >"):
                self._lines.append(self._prefix())
            if tag in ("div", "blockquote") and self._quotes:
                self._quotes.pop()

    def handle_data(self, data: str) -> None:
        """Words; line ends in the source mean nothing."""
        said = re.sub(r"[ \t\r\n\f\u200b]+", " ", data.replace("\u00a0", " "))
        self._line += said if self._line.strip("- ") or said.strip() else ""
        self._words += said

    def _prefix(self) -> str:
        return "> " if any(self._quotes) else ""

    def _end_line(self, *, always: bool = False) -> None:
        if self._line.strip() or always:
            line = self._line.strip()
            self._lines.append(self._prefix() + ("-- " if line == "--" else line))
        self._line = ""
