"""Other spellings of letters and digits, folded to ASCII one character for one, so that places stay where they are."""

from __future__ import annotations

import re

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20, 0x2007: 0x20, 0x202F: 0x20}
_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE63, 0x30FC], ord("-"))
_WIDE |= _DASHES
_SPOKEN = str.maketrans("零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "001234567891123456789")
_HAN_DIGIT = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
#: As many digits as a phone number has, some of them written as words.
_SPOKEN_RUN = re.compile(rf"(?:[{_HAN_DIGIT}\d][ \-·]?){{10,}}[{_HAN_DIGIT}\d]")


def folded(text: str) -> str:
    """The text with full-width letters, digits and signs, unusual spaces and dashes as ASCII; as long as before."""
    return text if text.isascii() else text.translate(_WIDE)


def spoken(text: str) -> str:
    """The folded text with runs of digits that are written as Chinese words in figures; as long as before."""
    return _SPOKEN_RUN.sub(lambda found: found[0].translate(_SPOKEN), text)
