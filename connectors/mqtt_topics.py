"""Topics with a contact in them: who may be in one, and which topics belong to a contact."""

from __future__ import annotations

import re

_CONTACT = "{contact}"
_CONTACT_ID = re.compile(r"[\w.@:=~-]{1,128}")  # no wildcard, no level, nothing that needs escaping
_LEVEL = re.compile(r"[\w.@:=~ -]+")


class TopicTemplate:
    """A topic such as ``frontdesk/{account}/in/{contact}``."""

    def __init__(self, template: str, account: str) -> None:
        """Raises ``ValueError`` unless exactly one level is ``{contact}`` and the others are plain words."""
        self.levels = template.replace("{account}", account).split("/")
        if self.levels.count(_CONTACT) != 1:
            raise ValueError("one level of the topic must be {contact}")
        if not all(level == _CONTACT or _LEVEL.fullmatch(level) for level in self.levels):
            raise ValueError("levels of a topic are words, {account} and {contact}; wildcards are not allowed")
        self._place = self.levels.index(_CONTACT)

    @property
    def filter(self) -> str:
        """What to subscribe to, to hear every contact."""
        return "/".join("+" if level == _CONTACT else level for level in self.levels)

    def topic(self, contact: str) -> str | None:
        """The topic of a contact; None for an id that may not be in one."""
        if not _CONTACT_ID.fullmatch(contact):
            return None
        return "/".join(contact if level == _CONTACT else level for level in self.levels)

    def contact(self, topic: str) -> str | None:
        """Whose topic it is; None for another topic, and for an id that may not be in one."""
        levels = topic.split("/")
        if len(levels) != len(self.levels) or not _CONTACT_ID.fullmatch(levels[self._place]):
            return None
        return levels[self._place] if self.topic(levels[self._place]) == topic else None

    def overlaps(self, other: TopicTemplate) -> bool:
        """Whether a topic can belong to both."""
        return len(self.levels) == len(other.levels) and all(
            ours == theirs or _CONTACT in (ours, theirs) for ours, theirs in zip(self.levels, other.levels, strict=True)
        )

    def is_below(self, topic: str, contact: str) -> bool:
        """Whether a topic is the contact's own, or lies below it, and is one that may be published to."""
        own = self.topic(contact)
        if own is None or len(topic) > 500 or not topic.isprintable() or re.search(r"[+#$]", topic):
            return False
        return topic == own or topic.startswith(f"{own}/")
