"""Reads and writes the flat XML in which WeChat and WeCom speak to a server."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, ParseError  # nosec  # types only; reading is done by defusedxml
from xml.sax.saxutils import escape  # nosec  # writes, reads nothing

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from connectors.base import BadPayload

MAX_XML = 128 * 1024  #: bytes; what the vendors send is some kilobytes
_MAX_FIELDS = 100


def read_fields(content: bytes) -> dict[str, str]:
    """The texts of the elements right below ``<xml>``; raises ``BadPayload`` for anything but such a document."""
    if len(content) > MAX_XML:
        raise BadPayload(f"the XML has more than {MAX_XML} bytes")
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):  # LookupError: an encoding nobody knows
        raise BadPayload("the body is not XML without entities") from None
    if root.tag != "xml" or len(root) > _MAX_FIELDS:
        raise BadPayload("the body is not one <xml> element with some fields")
    return {child.tag: child.text or "" for child in reversed(root)}  # of a repeated one the first counts


def write_fields(fields: Mapping[str, str | int | Mapping[str, str]]) -> str:
    """An ``<xml>`` element with the fields in their order; texts stand in CDATA, which no text can leave."""
    return f"<xml>{_elements(fields)}</xml>"


def _elements(fields: Mapping[str, str | int | Mapping[str, str]]) -> str:
    return "".join(f"<{escape(name)}>{_value(value)}</{escape(name)}>" for name, value in fields.items())


def _value(value: str | int | Mapping[str, str]) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f"<![CDATA[{_allowed(value).replace(']]>', ']]]]><![CDATA[>')}]]>"
    return _elements(value)


def _allowed(text: str) -> str:
    """The text without characters that XML 1.0 cannot hold."""
    return "".join(
        letter
        for letter in text
        if letter in "\t\n\r"
        or "\x20" <= letter <= "\ud7ff"
        or "\ue000" <= letter <= "\ufffd"
        or letter >= "\U00010000"
    )
