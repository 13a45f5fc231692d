"""Looks into a Word file before it is read: a small one can unpack to gigabytes, name other files, or nest without end."""

from __future__ import annotations

import io
import zipfile
from xml.parsers import expat

from knowledge_base.errors import UnreadableSource

MAX_UNPACKED = 200 * 1024 * 1024  #: bytes of everything, pictures too, as the file declares them
MAX_TEXT = 24 * 1024 * 1024  #: bytes of XML, counted while they are unpacked; thousands of pages
MAX_PARTS = 5_000
MAX_ELEMENTS = 500_000
MAX_DEPTH = 200
_PIECE = 256 * 1024


def check_word_file(source: str, content: bytes) -> None:
    """Raises ``UnreadableSource`` unless the file is a Word document that can be read with little time and memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise _unpacks(source)
            archive.getinfo("word/document.xml")
            looking = _Look(source)
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    looking.at(archive, part)
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, OSError, RuntimeError, NotImplementedError):
        raise UnreadableSource(
            source, "not a DOCX file, a protected or a damaged one; save it again", "damaged", kind="DOCX"
        ) from None


def _unpacks(source: str) -> UnreadableSource:
    return UnreadableSource(source, "it unpacks to more than can be read; split or simplify it", "unpacks")


class _Look:
    """One pass over the XML of a file, which builds nothing and expands nothing."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._read = 0
        self._elements = 0
        self._depth = 0

    def at(self, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._declares
        parser.StartElementHandler = self._begins
        parser.EndElementHandler = self._ends
        self._depth = 0
        with archive.open(part) as file:
            while piece := file.read(_PIECE):
                self._read += len(piece)
                if self._read > MAX_TEXT:
                    raise _unpacks(self._source)
                try:
                    parser.Parse(piece)
                except expat.ExpatError as error:
                    raise ValueError(str(error)) from None

    def _declares(self, *_: object) -> None:
        raise UnreadableSource(
            self._source, "it defines names of its own or refers to other files, as no word processor does", "entities"
        )

    def _begins(self, *_: object) -> None:
        self._elements += 1
        self._depth += 1
        if self._elements > MAX_ELEMENTS or self._depth > MAX_DEPTH:
            raise _unpacks(self._source)

    def _ends(self, _: str) -> None:
        self._depth -= 1
