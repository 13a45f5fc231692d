"""Of a picture only what can be seen is kept, and no picture takes the machine."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageSequence
from PIL.PngImagePlugin import PngInfo

from conversations.attachments import Attachments, sniff
from conversations.errors import FileRefused
from conversations.pictures import MAX_FRAMES, MAX_PIXELS, redrawn
from conversations.store import Database
from tests.pictures import PNG, picture

SECRET = b"31.2304N 121.4737E of somebody's home"
KINDS = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "webp": "WEBP"}


def with_place(kind: str) -> bytes:
    """A picture that says where and by whom it was taken, in each of the ways its format has."""
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()  # ImageDescription
    exif[0x9286] = SECRET  # UserComment
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 49.0), 3: "E", 4: (121.0, 28.0, 25.0), 29: SECRET.decode()})
    match kind:
        case "png":
            notes = PngInfo()
            notes.add_text("Location", SECRET.decode())
            notes.add_itxt("XML:com.adobe.xmp", SECRET.decode())
            return picture("PNG", pnginfo=notes, exif=exif, icc_profile=SECRET)
        case "gif":
            return picture("GIF", comment=SECRET)
        case "webp":
            return picture("WEBP", exif=exif.tobytes(), xmp=SECRET, icc_profile=SECRET)
    return picture("JPEG", exif=exif, comment=SECRET, xmp=SECRET, icc_profile=SECRET)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behind", [b"", b"<script>alert(1)</script>", b"PK\x03\x04 a zip behind it", SECRET])
def test_nothing_but_the_picture_is_left(kind: str, behind: bytes) -> None:
    content = with_place(kind) + behind
    assert b"31.2304N" in content
    clean = redrawn(content, kind)
    assert sniff(clean) == kind
    for trace in (
        b"31.2304N",
        b"<script",
        b"a zip behind",
        b"Exif\0\0",
        b"eXIf",
        b"EXIF",
        b"iCCP",
        b"ICCP",
        b"ICC_PROFILE",
    ):
        assert trace not in clean
    with Image.open(io.BytesIO(clean)) as seen:
        assert (seen.format, seen.size) == (KINDS[kind], (8, 6))
        assert not dict(seen.getexif())


def test_a_picture_without_anything_else_stays_as_it_is() -> None:
    assert redrawn(PNG, "png") == PNG


def test_a_photo_taken_sideways_is_upright_without_its_note() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me to the right"
    with Image.open(io.BytesIO(redrawn(picture("JPEG", exif=exif, quality=100, subsampling=0), "jpg"))) as seen:
        assert seen.size == (6, 8)
        red, green, blue = seen.convert("RGB").getpixel((5, 0))  # type: ignore[misc]
        assert red > 150 > max(green, blue)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_keeps_its_looks(mode: str) -> None:
    content = picture(mode="L" if mode == "I;16" else mode)
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(redrawn(content, "png"))) as after:
        assert after.convert("RGBA").tobytes() == before.convert("RGBA").tobytes()


@pytest.mark.parametrize("mode", ["CMYK", "L", "RGB"])
def test_every_kind_of_jpeg_is_drawn(mode: str) -> None:
    with Image.open(io.BytesIO(redrawn(picture("JPEG", mode=mode), "jpg"))) as after:
        assert after.size == (8, 6)


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_what_moves_goes_on_moving(kind: str) -> None:
    colours = ("red", "green", "blue")
    first, *rest = (Image.new("RGB", (9, 9), colour) for colour in colours)
    written = io.BytesIO()
    first.save(written, KINDS[kind], save_all=True, append_images=rest, duration=[70, 80, 90], loop=0, lossless=True)
    with Image.open(io.BytesIO(redrawn(written.getvalue() + SECRET, kind))) as seen:
        frames = [frame.convert("RGB").getpixel((4, 4)) for frame in ImageSequence.Iterator(seen)]
    shown = [max(range(3), key=lambda n, frame=frame: frame[n]) for frame in frames]  # type: ignore[index,misc]
    assert shown == [0, 1, 2]


def png_that_claims(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG of a few bytes whose header promises a wall of points."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(data or bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(10_000, 10_000), (MAX_PIXELS + 1, 1), (2**31 - 1, 2**31 - 1), (60_000, 60_000)])
def test_a_bomb_is_refused_before_it_is_unpacked(size: tuple[int, int]) -> None:
    """F29: a picture of a few bytes that would fill the memory."""
    with pytest.raises(FileRefused, match=r"million points|damaged"):
        redrawn(png_that_claims(*size), "png")


def test_an_animation_counts_with_all_of_its_frames() -> None:
    """F29: a small film of very many frames."""
    frames = [Image.new("RGB", (2, 2), (number % 250, 0, 0)) for number in range(MAX_FRAMES + 1)]
    written = io.BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:], duration=20, disposal=2)
    with pytest.raises(FileRefused, match=f"{MAX_FRAMES} frames") as refused:
        redrawn(written.getvalue(), "gif")
    assert (refused.value.code, refused.value.detail) == ("picture_too_large", "50")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("png", b"\x89PNG\r\n\x1a\n" + bytes(64)),
        ("png", PNG[:-30]),
        ("png", png_that_claims(100, 100)),
        ("jpg", b"\xff\xd8\xff\xe0 nothing"),
        ("jpg", picture("JPEG")[:-200]),
        ("gif", b"GIF89a"),
        ("gif", b"GIF89a=1;alert(1)//"),
        ("webp", b"RIFF\x00\x00\x00\x00WEBPVP8 "),
        ("jpg", PNG),
    ],
)
def test_what_is_no_picture_is_refused_in_words(kind: str, content: bytes) -> None:
    with pytest.raises(FileRefused, match="damaged") as refused:
        redrawn(content, kind)
    assert refused.value.code == "picture_damaged"


async def test_what_is_kept_is_what_was_drawn(database: Database, tmp_path: Path) -> None:
    attachments = Attachments(database, tmp_path / "files", b"secret")
    saved = await attachments.save("me", "home.jpg", with_place("jpg") + b"<script>alert(1)</script>")
    _, content = await attachments.content(saved.id)
    assert saved.size == len(content)
    assert b"<script" not in content
    with pytest.raises(FileRefused):
        await attachments.save("me", "bomb.png", png_that_claims(60_000, 60_000))
    assert len(list((tmp_path / "files").rglob("*"))) == 2  # one file in its folder: nothing is left of the other
