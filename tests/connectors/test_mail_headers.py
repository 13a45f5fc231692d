"""Headers that were never encoded, as old programs and forms send them, are read as what they were meant to be."""

from __future__ import annotations

import pytest

from connectors.mail_mime import header, parsed
from connectors.mail_reading import Rules, read
from connectors.mail_threads import Marks
from tests.doubles.mail_server import DESK

RULES = Rules(DESK, Marks(b"secret of the tests", "default", DESK))
LETTER = """From: 张三 <zhang@shop.example>
To: {desk}
Subject: 订单什么时候发货
Message-ID: <1@shop.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain; charset={charset}
Content-Transfer-Encoding: 8bit

请尽快
--x
Content-Type: application/pdf; name="发票.pdf"
Content-Disposition: attachment; filename="发票.pdf"

%PDF-1.4
--x--
"""


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_subject_sender_and_file_names_in_raw_bytes_are_read(charset: str) -> None:
    raw = LETTER.format(desk=DESK, charset=charset).replace("\n", "\r\n").encode(charset)
    found = read(raw, RULES, None)
    assert found.name == "张三"
    assert found.text == "订单什么时候发货\n\n请尽快"
    assert [file.name for file in found.content.files] == ["发票.pdf"]


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (b"Subject: =?gbk?B?tqm1pQ==?=", "订单"),
        (b"Subject: Order KT20260001", "Order KT20260001"),
        ("Subject: Où est ma commande".encode("latin-1"), None),
        (b"Subject: \xff\xfe\x00", None),
    ],
)
def test_other_headers_are_read_as_before_and_no_bytes_break_it(raw: bytes, subject: str | None) -> None:
    said = header(parsed(raw + b"\r\n\r\nhello"), "Subject")
    assert said.encode()
    if subject is not None:
        assert said == subject
