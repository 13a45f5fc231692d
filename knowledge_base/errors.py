"""What can go wrong with the knowledge base. Every message says what to do next; none needs a stack trace."""

from __future__ import annotations


class KnowledgeBaseError(Exception):
    """Something about the knowledge base could not be done."""

    code = "knowledge_base_error"


class UnreadableSource(KnowledgeBaseError):
    """A file cannot become articles; none of its articles was taken."""

    code = "unreadable_source"

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(f"{source}: {problem}")
        self.source = source
        self.problem = problem


class IndexLocked(KnowledgeBaseError):
    """Another process has the embedded index open."""

    code = "index_locked"


class IndexUnavailable(KnowledgeBaseError):
    """The index cannot be reached or read."""

    code = "index_unavailable"


class EncoderUnavailable(KnowledgeBaseError):
    """The encoder that was asked for is not installed or cannot be loaded."""

    code = "encoder_unavailable"
