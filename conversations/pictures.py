"""Draws pictures that people send anew, so that only what can be seen in them is kept.

What else a file carries goes: where and with which camera it was taken, comments, colour profiles, and whatever hides behind
its end or between its parts. A file that is a picture and something else at once is a picture only afterwards.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageOps, JpegImagePlugin

from conversations.errors import FileRefused

#: A picture of 50 million points needs 150 to 200 MB while it is drawn; an animation counts with all of its frames.
MAX_PIXELS = 50_000_000
MAX_FRAMES = 300
#: What is drawn, by extension: the formats that may be in it, and the one it is written in.
FORMATS = {"png": ("PNG",), "jpg": ("JPEG", "MPO"), "gif": ("GIF",), "webp": ("WEBP",)}
_DAMAGED = "the picture is damaged or not a picture; open it, save it again and send that"


def redrawn(content: bytes, extension: str) -> bytes:
    """The picture in its own format and without anything else; raises ``FileRefused`` for what cannot be drawn.

    GIF and WebP stay animated; of an animated PNG the first frame stays.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of what we refuse or throw away
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS[extension]) as picture:
                _check_size(picture, extension)
                return _drawn(picture, extension)
        except FileRefused:
            raise
        except Image.DecompressionBombError:
            raise _too_large() from None
        except Exception:  # decoders of hostile files fail in any way there is
            raise FileRefused("picture_damaged", _DAMAGED) from None


def _check_size(picture: Image.Image, extension: str) -> None:
    frames = int(getattr(picture, "n_frames", 1)) if extension in ("gif", "webp") else 1
    if picture.width * picture.height * frames > MAX_PIXELS or frames > MAX_FRAMES:
        raise _too_large()


def _too_large() -> FileRefused:
    limit = MAX_PIXELS // 1_000_000
    return FileRefused(
        "picture_too_large",
        f"the picture has more than {limit} million points or {MAX_FRAMES} frames; make it smaller and send it again",
        str(limit),
    )


def _drawn(picture: Image.Image, extension: str) -> bytes:
    written = io.BytesIO()
    if extension == "jpg":
        _write_jpeg(picture, written)
    elif extension in ("gif", "webp") and getattr(picture, "is_animated", False):
        _write_animation(picture, written, extension)
    else:
        still = _bare(picture)
        still.save(written, FORMATS[extension][0], **_OPTIONS.get(extension, {}))
    return written.getvalue()


_OPTIONS: dict[str, dict[str, Any]] = {"webp": {"quality": 90, "method": 2}}


def _bare(picture: Image.Image) -> Image.Image:
    """Upright, and without all that is said about it; only what is transparent stays known."""
    upright = ImageOps.exif_transpose(picture)
    upright.load()
    upright.info = {name: value for name, value in upright.info.items() if name == "transparency"}
    return upright


def _write_jpeg(picture: Image.Image, written: io.BytesIO) -> None:
    # The quality it came in: better would make it larger without making it finer.
    quality: dict[str, Any] = {"quality": 90}
    if isinstance(picture, JpegImagePlugin.JpegImageFile) and picture.mode in ("L", "RGB"):
        sampling = JpegImagePlugin.get_sampling(picture)
        quality = {"qtables": picture.quantization, **({} if sampling < 0 else {"subsampling": sampling})}
    still = _bare(picture)
    if still.mode not in ("L", "RGB"):
        still, quality = still.convert("RGB"), {"quality": 90}
    still.save(written, "JPEG", **quality)


def _write_animation(picture: Image.Image, written: io.BytesIO, extension: str) -> None:
    times: list[int] = []
    loops = picture.info.get("loop")
    for number in range(int(getattr(picture, "n_frames", 1))):
        picture.seek(number)
        picture.load()
        times.append(max(20, min(60_000, int(picture.info.get("duration") or 100))))
    frames = _frames(picture)
    options = {"loop": int(loops)} if isinstance(loops, int) else {}
    if extension == "gif":
        options["disposal"] = 2
    next(frames).save(
        written,
        FORMATS[extension][0],
        save_all=True,
        append_images=list(frames),
        duration=times,
        **options,
        **_OPTIONS.get(extension, {}),
    )


def _frames(picture: Image.Image) -> Iterator[Image.Image]:
    for number in range(int(getattr(picture, "n_frames", 1))):
        picture.seek(number)
        frame = picture.convert("RGBA")
        frame.info = {}
        yield frame
