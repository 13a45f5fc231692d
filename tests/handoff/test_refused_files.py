"""Files that are not taken: each by a code, and the console has words for it in both languages."""

from __future__ import annotations

import re

import pytest

from tests.conversations.test_pictures import png_that_claims
from tests.handoff.desk import API, Desk
from tests.journeys.conftest import ROOT

WORDS = ROOT / "handoff" / "web" / "src" / "i18n"
REFUSED_FILES = {
    "file_empty": ("x.txt", b""),
    "file_type": ("x.exe", b"MZ" + bytes(64)),
    "picture_damaged": ("x.png", b"\x89PNG\r\n\x1a\n" + bytes(64)),
    "picture_too_large": ("x.png", png_that_claims(10_000, 10_000)),
    "file_too_large": ("x.txt", b"a" * (10 * 1024 * 1024 + 1)),
}


@pytest.mark.parametrize("code", REFUSED_FILES)
async def test_a_refused_file_is_named_by_a_code_that_the_console_has_words_for(desk: Desk, code: str) -> None:
    """Both languages: in the list of files, a known code is said in the reader's own."""
    chen = await desk.browser("Chen Yu")
    headers = {"x-csrf-token": chen.csrf}
    refused = await chen.http.post(f"{API}/files", files={"file": REFUSED_FILES[code]}, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (413 if code == "file_too_large" else 400, code)
    for language in ("en", "zh"):
        [words] = re.findall(rf"\b{code}: '([^']+)'", (WORDS / f"writing.{language}.ts").read_text())
        assert ("{detail}" in words) is (
            "detail" in refused.json()["error"] and refused.json()["error"]["detail"] != ""
        )
