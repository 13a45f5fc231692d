"""Files are what their bytes say, belong to someone, and are reached through links that expire."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from conversations.attachments import MAX_BYTES, Attachments, safe_name, sniff
from conversations.errors import InvalidMessage, NotFound
from conversations.store import Database
from tests.conversations.builders import Clock
from tests.pictures import PNG


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.fixture
def attachments(database: Database, clock: Clock, tmp_path: Path) -> Attachments:
    return Attachments(database, tmp_path / "files", b"secret", now=clock)


def split(url: str) -> tuple[str, str]:
    path, _, signature = url.partition("?t=")
    return path.rsplit("/", 1)[1], signature


async def test_a_file_is_read_back_through_its_link(attachments: Attachments) -> None:
    saved = await attachments.save("webchat:default:v1", "photo.png", PNG)
    assert await attachments.read(*split(attachments.signed_url(saved))) == (saved, PNG)
    assert (saved.media_type, saved.size) == ("image/png", len(PNG))


async def test_a_link_expires_and_cannot_be_forged(attachments: Attachments, clock: Clock) -> None:
    saved = await attachments.save("me", "photo.png", PNG)
    other = await attachments.save("you", "photo.png", PNG)
    file_id, signature = split(attachments.signed_url(saved))
    for wrong in (
        "",
        "x",
        signature[:-1],
        "9" + signature,
        "99999999999999999999.x",
        "²." + signature,
        "\ud800.\ud800",
    ):
        with pytest.raises(NotFound):
            await attachments.read(file_id, wrong)
    with pytest.raises(NotFound):
        await attachments.read(other.id, signature)
    clock.advance(3601)
    with pytest.raises(NotFound):
        await attachments.read(file_id, signature)


async def test_only_the_owner_may_send_a_file(attachments: Attachments) -> None:
    one, two = [await attachments.save("me", f"{n}.png", PNG) for n in "12"]
    assert await attachments.of_owner("me", [two.id, one.id]) == (two, one)
    for owner, ids in (("you", [one.id]), ("me", [one.id, "f" * 32])):
        with pytest.raises(NotFound):
            await attachments.of_owner(owner, ids)


async def test_what_is_on_the_disk_tells_nothing_and_is_no_other_files(
    attachments: Attachments, tmp_path: Path
) -> None:
    """F39: who takes the disk reads no file, and who can write on it puts none in the place of another."""
    one = await attachments.save("me", "one.txt", b"an ostrich in it")
    two = await attachments.save("me", "two.txt", b"a pelican in it")
    kept = {path.name: path for path in (tmp_path / "files").rglob("*") if path.is_file()}
    assert kept.keys() == {one.id, two.id}
    assert not [path for path in kept.values() if b"ostrich" in path.read_bytes()]
    kept[one.id].write_bytes(kept[two.id].read_bytes())
    changed = bytearray(kept[two.id].read_bytes())
    changed[-1] ^= 1
    kept[two.id].write_bytes(bytes(changed))
    for file in (one, two):
        with pytest.raises(NotFound, match="changed"):
            await attachments.content(file.id)


async def test_files_from_before_they_were_sealed_are_read_and_sealed(attachments: Attachments, tmp_path: Path) -> None:
    saved = [await attachments.save("me", f"{n}.txt", f"words of {n}".encode()) for n in range(3)]
    places = [tmp_path / "files" / one.id[:2] / one.id for one in saved]
    for number in (0, 1):
        places[number].write_bytes(f"words of {number}".encode())
    lost = tmp_path / "files" / "ab" / ("ab" * 16)  # deleted while it was read
    lost.parent.mkdir(exist_ok=True)
    lost.write_bytes(b"nobody's")
    assert await attachments.seal_older() == 3
    assert await attachments.seal_older() == 0
    assert not lost.exists()
    for number, (one, place) in enumerate(zip(saved, places, strict=True)):
        assert await attachments.content(one.id) == (one, f"words of {number}".encode())
        assert b"words of" not in place.read_bytes()
    assert not list((tmp_path / "files").rglob("*.part"))


async def test_a_removed_file_is_gone(attachments: Attachments) -> None:
    saved = await attachments.save("me", "photo.png", PNG)
    await attachments.remove(saved.id)
    await attachments.remove("../../etc/passwd")
    with pytest.raises(NotFound):
        await attachments.content(saved.id)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00\x00",
        b"\x7fELF\x00",
        b"<html><script>",
        b" <svg onload=x>",
        b"x" * (MAX_BYTES + 1),
        b"\x00\x01",
    ],
    ids=["empty", "exe", "elf", "html", "svg", "too large", "binary"],
)
async def test_what_is_not_on_the_list_is_refused(attachments: Attachments, content: bytes) -> None:
    with pytest.raises(InvalidMessage):
        await attachments.save("me", "photo.png", content)


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"\xff\xd8\xff\xe0", "a", "jpg"),
        (b"GIF89a", "a", "gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "a", "webp"),
        (b"%PDF-1.7", "a", "pdf"),
        (b"OggS", "a", "ogg"),
        (b"ID3\x03", "a", "mp3"),
        (b"#!AMR\n\x3c", "voice", "amr"),
        (b"#!AMR-WB\n\x3c", "voice", "amr"),
        (b"\x00\x00\x00\x18ftypisom", "a", "mp4"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "IMG_0042.HEIC", None),
        (b"\x00\x00\x00\x1cftypavif", "a.avif", None),
        (zipped("a.txt"), "a.docx", "zip"),
        (zipped("[Content_Types].xml", "word/document.xml"), "a.zip", "docx"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "a", "xlsx"),
        (zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "a.docx", None),
        (b"PK\x03\x04 broken", "a.zip", None),
        ("订单,金额\n1,2\n".encode(), "a.csv", "csv"),
        ("你好".encode("gb18030"), "a.txt", "txt"),
    ],
)
def test_the_bytes_decide_the_type(content: bytes, name: str, expected: str | None) -> None:
    assert sniff(content, name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("photo.png", "photo.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\temp\\发票.PNG", "发票.png"),
        ("invoice.exe", "invoice_exe.png"),
        ("\u202egnp.exe", "gnp_exe.png"),
        ("...", "file.png"),
        ('a"b\r\nc.jpeg', "a_b__c.png"),
        ("x" * 300 + ".png", "x" * 116 + ".png"),
    ],
)
def test_names_lose_their_tricks(name: str, expected: str) -> None:
    assert safe_name(name, "png") == expected
