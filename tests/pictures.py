"""Real pictures, small, in the form in which the desk keeps them."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 6), mode: str = "RGB", **options: Any) -> bytes:
    """A picture whose four corners have four colours."""
    image = Image.new("RGB", size, "white")
    for place, colour in (((0, 0), "red"), ((-1, 0), "green"), ((0, -1), "blue"), ((-1, -1), "black")):
        image.putpixel((place[0] % size[0], place[1] % size[1]), {
            "red": (220, 20, 20), "green": (20, 160, 20), "blue": (20, 20, 220), "black": (0, 0, 0),
        }[colour])  # fmt: skip
    written = io.BytesIO()
    image.convert(mode).save(written, kind, **options)
    return written.getvalue()


PNG = picture()
