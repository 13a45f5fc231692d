"""What the search index holds instead of words: keyed marks of their terms, and of the beginnings that people type.

Words keep no order in it; runs of unspaced characters keep theirs, because a search for three of them is two pairs side
by side. Nothing that was found by its words is lost, as every beginning of a word has a mark of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from conversations.segmenting import STEM, Part, Search, Terms, is_unspaced, pairs_of, stem_of

Mark = Callable[[str], str]
_BEGINS = "^"  # no term begins with it
_LAST_PLACE, _MOST_PLACES = 16_383, 255  # of PostgreSQL's tsvector


def _marked(terms: Terms, mark: Mark) -> tuple[list[str], list[str]]:
    """The marks that keep their order, and all the others."""
    placed: list[str] = []
    loose: set[str] = set(terms.loose)
    for term in terms.placed:
        if is_unspaced(term):
            placed.append(mark(term))
            loose.add(_BEGINS + term[0])
        else:
            loose.add(term)
            loose.update(_BEGINS + term[:length] for length in range(2, len(term) + 1))
    for term in terms.loose:
        if not term.startswith(STEM):
            loose.update(_BEGINS + term[:length] for length in range(2, len(term) + 1))
    return placed, sorted(map(mark, loose))


def sqlite_terms(terms: Terms, mark: Mark) -> str:
    """The terms as the text that FTS5 indexes; its tokenizer only has to split at spaces."""
    placed, loose = _marked(terms, mark)
    return " ".join((*placed, *loose))


def postgres_terms(terms: Terms, mark: Mark) -> str:
    """The terms as a tsvector; positions end where PostgreSQL's end, so later ones are found but not as phrases."""
    placed, loose = _marked(terms, mark)
    places: dict[str, list[int]] = {}
    for place, term in enumerate(placed, start=1):
        at = places.setdefault(term, [])
        if place < _LAST_PLACE and len(at) < _MOST_PLACES:
            at.append(place)
    whole = [f"'{term}'" + (":" + ",".join(map(str, at)) if at else "") for term, at in places.items()]
    return " ".join(whole + [f"'{term}'" for term in loose if term not in places])


def sqlite_query(search: Search, mark: Mark) -> str:
    """The search as FTS5 reads it."""
    wanted = " AND ".join(f"({_in_fts5(part, mark)})" for part in search.parts)
    return f"({wanted}) OR ({_in_fts5(Part(search.joined, False), mark)})" if search.joined else wanted


def postgres_query(search: Search, mark: Mark) -> str:
    """The search as PostgreSQL's tsquery reads it."""
    wanted = " & ".join(f"({_in_tsquery(part, mark)})" for part in search.parts)
    return f"({wanted}) | ({_in_tsquery(Part(search.joined, False), mark)})" if search.joined else wanted


def _in_fts5(part: Part, mark: Mark) -> str:
    if part.unspaced:
        return f'"{" ".join(_run(part, mark))}"'
    return " OR ".join(f'"{one}"' for one in _word(part, mark))


def _in_tsquery(part: Part, mark: Mark) -> str:
    if part.unspaced:
        return " <-> ".join(f"'{one}'" for one in _run(part, mark))
    return " | ".join(f"'{one}'" for one in _word(part, mark))


def _run(part: Part, mark: Mark) -> list[str]:
    return [mark(_BEGINS + part.text)] if len(part.text) == 1 else [mark(pair) for pair in pairs_of(part.text)]


def _word(part: Part, mark: Mark) -> list[str]:
    stem = stem_of(part.text)
    begins = part.text if len(part.text) == 1 else _BEGINS + part.text
    return [mark(begins), mark(STEM + stem), mark(stem)]
