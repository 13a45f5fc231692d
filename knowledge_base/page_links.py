"""Addresses of article pages: open for what everybody may read, signed for what was quoted to someone who may read more."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from knowledge_base.articles import Article, Passage
from knowledge_base.readers import CUSTOMER

VALID_FOR = timedelta(days=30)


class PageLinks:
    """Signs and checks addresses with a secret ``key``."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def url(self, article: Article, passage: Passage, at: datetime) -> str:
        """The address of the article's page with the passage marked, for whoever it was just quoted to."""
        if CUSTOMER in article.audience:
            return passage.url
        until = int((at + VALID_FOR).timestamp())
        page, _, anchor = passage.url.partition("#")
        return f"{page}?k={until:x}.{self._signature(article.key, until)}#{anchor}"

    def opens(self, article: Article, token: str, at: datetime) -> bool:
        """Whether an address with this token was given out for this article, and not too long ago."""
        expiry, _, signature = token.partition(".")
        try:
            until = int(expiry, 16)
        except ValueError:
            return False
        right = hmac.compare_digest(signature.encode(), self._signature(article.key, until).encode())
        return right and at.timestamp() < until

    def _signature(self, article_key: str, until: int) -> str:
        digest = hmac.digest(self._key, f"{article_key}|{until}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:18]).decode()
