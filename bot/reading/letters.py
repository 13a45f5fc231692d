"""Letters that only look like the ones that are meant: accents, ligatures, small capitals, Cyrillic and Greek doubles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from bot.reading.edits import Edit
from bot.text import is_cjk

_DOUBLES = str.maketrans(
    "аАвВеЕёіІїјЈкКмМнНоОрРсСтТуУхХѕЅһԁԛԝαΑΒεΕΗιΙκΚΜνΝοΟρΡτΤυΥχΧΖγ",
    "aAbBeEeiIijJkKmMhHoOpPcCtTyYxXsShdqwaABeEHiIkKMvNoOpPtTuYxXZy",
)
_SMALL = str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢıøØłŁđĐ", "abcdefghijklmnoprstuvwyzioolldd")
_SIGNS = str.maketrans("‐‑‒–—−‽", "------?")
_ODD_WORD = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f\u3400-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af]+[^\W\d_]*")
_APOSTROPHE = re.compile(
    r"(?<=[A-Za-z])[\u2018\u2019\u201b\u02bc\u0060\u00b4](?=[A-Za-z])|(?<=\s)[\u2018\u201b](?=[a-z])"
)
_SPACED_OUT = re.compile(r"(?<![\u3400-\u9fff])[\u3400-\u9fff](?: +[\u3400-\u9fff](?![\u3400-\u9fff]))+")
_TORN = re.compile(r"(?<=[A-Za-z\u3400-\u9fff])[\u200b\u200c\u200d\u2060\ufeff\u00ad]+(?=[A-Za-z\u3400-\u9fff])")


def _plain(word: str) -> str:
    latin = unicodedata.normalize("NFKD", word.translate(_SMALL).translate(_DOUBLES))
    return "".join(character for character in latin if not unicodedata.combining(character))


def plain_letters(text: str, message: str) -> Iterator[Edit]:
    """Edits that put plain letters and signs for odd ones; ``message`` is the unfolded text of the same length."""
    if text.isascii() and message.isascii():
        return
    for torn in _TORN.finditer(message):
        yield Edit(torn.start(), torn.end(), "")
    for word in _ODD_WORD.finditer(text):
        plain = _plain(word.group())
        if plain != word.group() and plain.isascii():
            yield Edit(word.start(), word.end(), plain)
    for sign in _APOSTROPHE.finditer(text):
        yield Edit(sign.start(), sign.end(), "'")
    for spaced in _SPACED_OUT.finditer(text):
        for index in range(spaced.start(), spaced.end()):
            if text[index] == " ":
                yield Edit(index, index + 1, "")
    for index, character in enumerate(text):
        if not character.isascii() and not is_cjk(character) and ord(character) in _SIGNS:
            yield Edit(index, index + 1, character.translate(_SIGNS))
