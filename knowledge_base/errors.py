"""What can go wrong with the knowledge base. Every message says what to do next; none needs a stack trace."""

from __future__ import annotations

from typing import Literal

_OfFiles = Literal["kind", "too_large", "empty", "encoding", "password", "damaged", "scan", "no_text", "too_long"]
_OfReading = Literal["unpacks", "entities", "pages", "slow", "busy"]
_OfTables = Literal["not_a_table", "column_missing", "column_unknown", "no_rows"]
_OfRows = Literal["row_cells", "row_repeats", "row_empty", "row_language", "row_date"]
#: Why a file is not taken; the console says each in its reader's language. Empty: only the English sentence says it.
Reason = Literal["", _OfFiles, _OfReading, _OfTables, _OfRows]


class KnowledgeBaseError(Exception):
    """Something about the knowledge base could not be done."""

    code = "knowledge_base_error"


class UnreadableSource(KnowledgeBaseError):
    """A file cannot become articles; none of its articles was taken."""

    code = "unreadable_source"

    def __init__(self, source: str, problem: str, reason: Reason = "", **facts: str | int) -> None:
        super().__init__(f"{source}: {problem}")
        self.source = source
        self.problem = problem
        self.reason = reason
        self.facts = facts  #: what that sentence names


class IndexLocked(KnowledgeBaseError):
    """Another process has the embedded index open."""

    code = "index_locked"


class IndexUnavailable(KnowledgeBaseError):
    """The index cannot be reached or read."""

    code = "index_unavailable"


class EncoderUnavailable(KnowledgeBaseError):
    """The encoder that was asked for is not installed or cannot be loaded."""

    code = "encoder_unavailable"
