"""Files that are made to harm whoever reads them, small enough to be made in a moment."""

from __future__ import annotations

import io
import zipfile
import zlib

from fpdf import FPDF

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
    ' Target="word/document.xml"/></Relationships>'
)


def paragraph(text: str) -> str:
    """A paragraph as Word writes it."""
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def word(body: str, declares: str = "") -> bytes:
    """A Word file with this body."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELATIONS)
        text = f'<?xml version="1.0"?>{declares}<w:document {_W}><w:body>{body}</w:body></w:document>'
        archive.writestr("word/document.xml", text)
    return file.getvalue()


def word_bomb(mebibytes: int) -> bytes:
    """A Word file of some kilobytes that unpacks to this much text."""
    return word(paragraph("A" * (mebibytes * 1024 * 1024)))


def lying_word_bomb(mebibytes: int) -> bytes:
    """The same, whose list of contents says that it is tiny."""
    content = bytearray(word_bomb(mebibytes))
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    return bytes(content)


def word_with_a_file_in_it(path: str) -> bytes:
    """A Word file that wants the text of another file put into its own."""
    return word(paragraph("It is &x;."), f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{path}">]>')


def word_of_laughs() -> bytes:
    """A Word file with ten names, each of which stands for the one before ten times."""
    names = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return word(paragraph("&e9;"), f'<!DOCTYPE d [<!ENTITY e0 "ha">{names}]>')


def pdf(pages: int, password: str | None = None) -> bytes:
    """A PDF with a sentence on each page."""
    document = FPDF()
    document.set_font("Helvetica", size=12)
    for number in range(pages):
        document.add_page()
        document.cell(text=f"Sentence {number} of the manual.")
    if password:
        document.set_encryption(owner_password="owner", user_password=password)
    return bytes(document.output())


def pdf_without_its_table() -> bytes:
    """A PDF that names a wrong place for the list of its objects."""
    whole = pdf(1)
    return whole[: whole.rfind(b"startxref")] + b"startxref\n99999999\n%%EOF"


def pdf_bomb(mebibytes: int) -> bytes:
    """A PDF whose one page unpacks to this much."""
    stream = zlib.compress(b" " * (mebibytes * 1024 * 1024), 9)
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(stream), stream),
    )
    whole, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 5\n0000000000 65535 f \n%btrailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
    return whole + end % (table, len(whole))


def table(rows: int) -> bytes:
    """A CSV of so many questions."""
    return ("question,answer\n" + "".join(f"Question {n}?,Answer {n}.\n" for n in range(rows))).encode()


def nested_page(depth: int) -> bytes:
    """A page whose one sentence lies this deep."""
    return b"<html><body>" + b"<div>" * depth + b"We sell lamps." + b"</div>" * depth
