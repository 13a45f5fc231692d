"""An article made ready to be quoted: its units and groups with their words in the form in which they are compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from knowledge_base.articles import Article
from knowledge_base.structure import Group, Structure, structure_of
from knowledge_base.wording import fold, plain

SLICING = 2  #: of ``slices_to_encode``; another number makes stored vectors void


@dataclass(frozen=True, slots=True)
class Quotable:
    """Everything about an article that does not depend on the question; texts are folded and in lower case."""

    structure: Structure
    texts: tuple[str, ...]  #: of each unit
    headings: tuple[str, ...]  #: the ones above each unit
    groups: tuple[str, ...]  #: heading, introduction and members of each list or table
    title: str
    body: str
    questions: str  #: the other ways to ask what the title asks


@lru_cache(maxsize=1024)
def quotable(article: Article) -> Quotable:
    """The article, made ready."""
    structure = structure_of(article.body, article.language)
    return Quotable(
        structure=structure,
        texts=tuple(_bare(plain(unit.span.of(article.body))) for unit in structure.units),
        headings=tuple(_bare(" ".join(unit.headings)) for unit in structure.units),
        groups=tuple(_bare(_held(article, structure, group)) for group in structure.groups),
        title=_bare(article.title),
        body=_bare(article.body),
        questions=_bare(" ".join(article.questions)),
    )


def slices_to_encode(article: Article) -> list[str]:
    """The texts whose vectors choose a quotation: one for each unit, then two for each list or table, what it is about
    and what it holds."""
    body, structure = article.body, structure_of(article.body, article.language)
    texts = []
    for unit in structure.units:
        above = unit.headings[-1] if unit.headings else article.title
        said = plain(unit.span.of(body))
        if unit.kind == "row" and unit.group is not None:
            said = named_cells(structure.groups[unit.group].header[0].of(body), said)
        texts.append(f"{above}: {said}" if unit.kind in ("item", "row") else said)
    for group in structure.groups:
        about = _about(article, structure, group)
        texts += [f"{article.title}\n{about}", _held(article, structure, group)[:600]]
    return texts


def named_cells(header: str, row: str) -> str:
    """A table row in words: the name of each column with the value below it."""
    pairs = zip(_cells(header), _cells(row), strict=False)
    return ", ".join(f"{name}: {value}" if name else value for name, value in pairs if value)


def _about(article: Article, structure: Structure, group: Group) -> str:
    first = structure.units[group.units[0]]
    intro = plain(structure.units[group.intro].span.of(article.body)) if group.intro is not None else ""
    return "\n".join(filter(None, (*first.headings[-1:], intro)))


def _held(article: Article, structure: Structure, group: Group) -> str:
    header = ", ".join(_cells(group.header[0].of(article.body))) if group.header else ""
    members = [plain(structure.units[place].span.of(article.body)) for place in group.units]
    lines = [", ".join(_cells(line)) for line in members] if group.form == "table" else members
    return "\n".join(filter(None, (_about(article, structure, group), header, *lines)))


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _bare(text: str) -> str:
    return fold(text).lower().replace("’", "'")  # as phones and word processors write it
