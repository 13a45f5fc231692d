"""Files become articles: Markdown, HTML, PDF, DOCX and question-and-answer tables. A file is taken whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from knowledge_base.articles import (
    LANGUAGES,
    Article,
    audience_of,
    check_article,
    moment_of,
    parse_article,
    split_front_matter,
)
from knowledge_base.errors import Reason, UnreadableSource
from knowledge_base.readers import SHANGHAI
from knowledge_base.splitting import heading_text
from knowledge_base.word_files import check_word_file
from knowledge_base.wording import language_of

SUFFIXES = (".md", ".markdown", ".html", ".htm", ".pdf", ".docx", ".csv")
MAX_BYTES = 20 * 1024 * 1024
MAX_PAGES = 500  #: of a PDF, each of which takes a moment; far fewer fill an article
_COLUMNS = {
    *("question", "answer", "language", "id", "tags"),
    *("audience", "valid_from", "valid_until", "updated", "replaced_by"),
}


def wrong_kind(source: str) -> UnreadableSource:
    """Why a file whose name ends like this is not read."""
    kinds = ", ".join(SUFFIXES)
    return UnreadableSource(source, f"files of this kind cannot be read; use {kinds}", "kind", kinds=kinds)


def too_large(source: str, most: int) -> UnreadableSource:
    """Why a file of more than this many bytes is not read."""
    size = most // 1024 // 1024
    return UnreadableSource(source, f"larger than {size} MiB; split it", "too_large", most=size)


def find_sources(paths: Iterable[Path]) -> list[Path]:
    """The files to read: the paths that are files, and every readable file below those that are directories."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            below = (file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in SUFFIXES)
            found.update(dict.fromkeys(sorted(file for file in below if not file.name.startswith((".", "~")))))
        elif path.exists():
            found[path] = None
        else:
            raise UnreadableSource(str(path), "there is no such file or directory; check the path")
    return list(found)


def read_sources(paths: Sequence[Path], zone: ZoneInfo = SHANGHAI) -> tuple[list[Article], list[UnreadableSource]]:
    """All articles of the files, and one problem for each file that gave none; days are days in ``zone``."""
    articles: dict[str, Article] = {}
    origins: dict[str, str] = {}
    problems: list[UnreadableSource] = []
    for path in paths:
        try:
            read = read_source(path, zone)
            taken = next((article.key for article in read if article.key in articles), None)
            if taken is not None:
                raise UnreadableSource(path.name, f"{taken} is already in {origins[taken]}; give one another id")
        except UnreadableSource as problem:
            problems.append(problem)
            continue
        for article in read:
            articles[article.key] = article
            origins[article.key] = path.name
    return list(articles.values()), problems


def read_source(path: Path, zone: ZoneInfo = SHANGHAI) -> list[Article]:
    """The articles in one file; raises ``UnreadableSource`` saying what to correct."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise wrong_kind(path.name)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise too_large(path.name, MAX_BYTES)
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableSource(path.name, f"cannot be read ({error.strerror}); check the file") from None
    return read_content(path.name, content, zone)


def read_content(name: str, content: bytes, zone: ZoneInfo = SHANGHAI) -> list[Article]:
    """The articles in what a file of this name holds; raises ``UnreadableSource`` saying what to correct."""
    path = Path(name)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise wrong_kind(path.name)
    if len(content) > MAX_BYTES:
        raise too_large(path.name, MAX_BYTES)
    if not content.strip():
        raise UnreadableSource(path.name, "the file is empty", "empty")
    if suffix == ".csv":
        return _read_table(path.name, content, zone)
    if suffix in (".md", ".markdown"):
        return [_read_markdown(path, content, zone)]
    return [_read_document(path, suffix, content)]


def _decode(source: str, content: bytes) -> str:
    """Text in UTF-8 or, as Chinese spreadsheets write it, GB 18030."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UnreadableSource(source, "neither UTF-8 nor GB 18030 text; save it as UTF-8", "encoding")


def _slug(name: str) -> str:
    return "-".join(re.findall(r"\w+", name.lower()))[:80] or "article"


def _read_markdown(path: Path, content: bytes, zone: ZoneInfo) -> Article:
    text = _decode(path.name, content)
    if split_front_matter(text)[0] is not None:
        return parse_article(text, path.name, zone)
    return _untitled(path, text, None)


def _untitled(path: Path, markdown: str, title: str | None) -> Article:
    """An article from a document that does not say its id and language itself."""
    body = markdown.replace("\r\n", "\n").replace("\f", "\n").replace("\0", "").strip()
    first, _, rest = body.partition("\n")
    heading = heading_text(first[1:]) if re.match(r"#[ \t]", first) else ""
    if heading:
        title, body = heading, rest.strip()
    title = " ".join((title or path.stem).split())[:200]
    article = Article(id=_slug(path.stem), title=title, language=language_of(f"{title}\n{body[:5000]}"), body=body)
    return check_article(article, path.name)


def _read_document(path: Path, suffix: str, content: bytes) -> Article:
    from markitdown import MarkItDown, StreamInfo
    from markitdown._exceptions import MarkItDownException

    if suffix == ".pdf":
        _check_pdf(path.name, content)
    elif suffix == ".docx":
        check_word_file(path.name, content)
    charset = None
    if suffix in (".html", ".htm"):
        content, charset = _decode_page(path.name, content).encode(), "utf-8"
    try:
        converted = MarkItDown(enable_plugins=False).convert_stream(
            io.BytesIO(content), stream_info=StreamInfo(extension=suffix, charset=charset)
        )
    except (MarkItDownException, ValueError, KeyError, OSError, RecursionError):
        kind = suffix[1:].upper()
        raise UnreadableSource(
            path.name, f"not a {kind} file, or a damaged one; save it again", "damaged", kind=kind
        ) from None
    if not converted.markdown.strip():
        hint = (
            "it may be a scan, which must be turned into text first"
            if suffix == ".pdf"
            else "there is nothing to quote"
        )
        reason: Reason = "scan" if suffix == ".pdf" else "no_text"
        raise UnreadableSource(path.name, f"no text was found; {hint}", reason)
    return _untitled(path, converted.markdown, converted.title)


def _decode_page(source: str, content: bytes) -> str:
    declared = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", content[:2048], re.IGNORECASE)
    if declared:
        try:
            return content.decode(declared.group(1).decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass
    return _decode(source, content)


def _check_pdf(source: str, content: bytes) -> None:
    from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError, PDFPasswordIncorrect
    from pdfminer.pdfpage import PDFPage
    from pdfminer.pdfparser import PDFParser
    from pdfminer.psexceptions import PSException

    try:
        pages = PDFPage.create_pages(PDFDocument(PDFParser(io.BytesIO(content))))
        beyond = next(islice(pages, MAX_PAGES, None), None)  # counted, because what a file says of itself may be wrong
    except (PDFPasswordIncorrect, PDFEncryptionError):
        problem = "the PDF is protected by a password; save a copy without it"
        raise UnreadableSource(source, problem, "password") from None
    except (PSException, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        problem = "not a PDF file, or a damaged one; save it again"
        raise UnreadableSource(source, problem, "damaged", kind="PDF") from None
    if beyond is not None:
        problem = f"more than {MAX_PAGES} pages; split it into several files"
        raise UnreadableSource(source, problem, "pages", most=MAX_PAGES)


def _read_table(source: str, content: bytes, zone: ZoneInfo) -> list[Article]:
    text = _decode(source, content)
    header = text.split("\n", 1)[0]
    delimiter = max((",", ";", "\t"), key=header.count)
    try:
        csv.field_size_limit(MAX_BYTES)  # a cell that is too long for an article is said to be just that
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        problem = f"not a table of comma-separated values ({error}); check the quotes"
        raise UnreadableSource(source, problem, "not_a_table") from None
    columns = [name.strip().lower() for name in rows[0]]
    for needed in ("question", "answer"):
        if columns.count(needed) != 1:
            problem = f"needs one column {needed!r}; the first line must name question,answer"
            raise UnreadableSource(source, problem, "column_missing", name=needed)
    unknown = sorted(set(columns) - _COLUMNS)
    if unknown:
        known = ", ".join(sorted(_COLUMNS))
        problem = f"unknown column {unknown[0][:80]!r}; known are {known}"
        raise UnreadableSource(source, problem, "column_unknown", name=unknown[0][:80], known=known)
    articles: dict[str, Article] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(columns):
            problem = f"row {number} has {len(row)} cells instead of {len(columns)}; check the quotes"
            raise UnreadableSource(source, problem, "row_cells", row=number, cells=len(row), most=len(columns))
        cells = dict(zip(columns, (cell.strip() for cell in row), strict=True))
        article = _article_of_row(source, number, cells, zone)
        if article.key in articles:
            problem = f"row {number} repeats {article.key}; give it another id or remove it"
            raise UnreadableSource(source, problem, "row_repeats", row=number, name=article.key)
        articles[article.key] = article
    if not articles:
        raise UnreadableSource(source, "there are no rows below the column names", "no_rows")
    return list(articles.values())


def _article_of_row(source: str, number: int, row: dict[str, str], zone: ZoneInfo) -> Article:
    where = f"{source}, row {number}"
    if not row["question"] or not row["answer"]:
        raise UnreadableSource(where, "both question and answer must be filled in", "row_empty", row=number)
    language = row.get("language") or language_of(row["question"] + row["answer"])
    if language not in LANGUAGES:
        problem = f"the language {language[:80]!r} is not one of {', '.join(LANGUAGES)}"
        raise UnreadableSource(where, problem, "row_language", row=number, name=language[:80])
    name = row.get("id") or f"faq-{hashlib.sha256(row['question'].encode()).hexdigest()[:12]}"
    tags = tuple(tag for part in re.split(r"[,;，；|]", row.get("tags", "")) if (tag := part.strip()))
    try:
        updated = date.fromisoformat(row["updated"]) if row.get("updated") else None
    except ValueError:
        raise UnreadableSource(where, "'updated' must be a date such as 2026-05-01", "row_date", row=number) from None
    article = Article(
        id=name,
        title=row["question"],
        language=language,
        body=row["answer"],
        tags=tags,
        updated=updated,
        audience=audience_of(row.get("audience"), where),
        valid_from=moment_of(row.get("valid_from"), "valid_from", where, zone),
        valid_until=moment_of(row.get("valid_until"), "valid_until", where, zone),
        replaced_by=row.get("replaced_by") or None,
    )
    return check_article(article, where)
