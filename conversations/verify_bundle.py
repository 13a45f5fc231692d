"""Checks a signed bundle of an audit trail on any machine: this one file and Python 3.9 are all it takes.

    python verify_bundle.py BUNDLE.zip --fingerprint HEX [--checkpoints FILE]

The fingerprint must come from the desk by another way than the bundle: it says whose signature counts.
0 nothing was changed, 2 cannot tell, 3 changed, 4 entries are missing at the end, 5 signed by somebody else.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, NoReturn

GENESIS = "0" * 64
PURPOSE = b"frontdesk audit bundle 1\n"  # a signature over a manifest is good for nothing else
SIGNED = ("manifest.json", "manifest.sig")
_LONGEST_LINE = 16 * 1024 * 1024
_SPKI = bytes.fromhex("302a300506032b6570032100")  # what stands before an Ed25519 key in its file


class Finding(Exception):
    """Why a bundle is not what it says."""

    def __init__(self, code: int, en: str, zh: str) -> None:
        super().__init__(en)
        self.code, self.en, self.zh = code, en, zh


# -- Ed25519, RFC 8032 section 5.1 and 6: used where the library `cryptography` is not installed --------------------

_P = 2**255 - 19
_Q = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]


def _add(a: _Point, b: _Point) -> _Point:
    one, two = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    three, four = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = two - one, four - three, four + three, two + one
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(number: int, point: _Point) -> _Point:
    total: _Point = (0, 1, 1, 0)
    while number > 0:
        if number & 1:
            total = _add(total, point)
        point = _add(point, point)
        number >>= 1
    return total


def _point(packed: bytes) -> _Point | None:
    y = int.from_bytes(packed, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


_BASE: _Point = _point((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little")) or (0, 1, 1, 0)


def verify_plainly(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature fits, in Python alone."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = _point(public), _point(signature[:32])
    answer = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or answer >= _Q:
        return False
    asked = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _Q
    left, right = _times(answer, _BASE), _add(commitment, _times(asked, key))
    return (left[0] * right[2] - right[0] * left[2]) % _P == 0 and (left[1] * right[2] - right[1] * left[2]) % _P == 0


#: RFC 8032, section 7.1: public key, message, signature.
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)


def fits(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature fits, with the library if it is there."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return verify_plainly(public, message, signature)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# -- the bundle ----------------------------------------------------------------------------------------------------


def changed(en: str, zh: str) -> NoReturn:
    """Say that something was changed."""
    raise Finding(3, en, zh)


def verify(path: str, fingerprint: str, kept: str | None = None) -> tuple[str, str]:
    """What a sound bundle proves, in English and Chinese; raises ``Finding`` for any other."""
    with zipfile.ZipFile(path) as archive:
        public = _key_in(archive, fingerprint)
        manifest = _manifest_in(archive, public)
        marks, count = _checkpoints_in(archive.open("checkpoints.jsonl"), public, "checkpoints.jsonl")
        if count != manifest["checkpoints"]:
            changed("the number of checkpoints is not that of the manifest", "检查点数量与清单不符")
        if kept is not None:
            with open(kept, "rb") as file:
                for n, hashes in _checkpoints_in(file, public, kept)[0].items():
                    marks.setdefault(n, set()).update(hashes)
        return _chain_in(archive, manifest, marks)


def _key_in(archive: zipfile.ZipFile, fingerprint: str) -> bytes:
    try:
        lines = archive.read("public_key.pem").decode("ascii").strip().splitlines()
        form = base64.b64decode("".join(lines[1:-1]), validate=True)
    except (KeyError, ValueError):
        raise Finding(2, "the bundle holds no readable public key", "证据包里没有可读的公钥") from None
    found = hashlib.sha256(form).hexdigest()
    if len(form) != 44 or not form.startswith(_SPKI):
        raise Finding(2, "the public key in the bundle is not an Ed25519 key", "证据包里的公钥不是 Ed25519 公钥")
    if not fingerprint:
        raise Finding(
            2,
            f"say whose bundle this should be: --fingerprint. The key inside calls itself {found}; compare that with what the desk published elsewhere",
            f"请用 --fingerprint 指明应由谁签名。包内公钥的指纹是 {found}，请与对方另行公布的指纹核对",
        )
    if re.sub(r"[^0-9a-f]", "", fingerprint.lower().replace("sha256", "")) != found:
        raise Finding(
            5,
            f"this bundle is signed with another key ({found}): it comes from another desk, or the key was exchanged",
            f"签名用的是另一把密钥（{found}）：证据包来自别的系统，或公钥被调换",
        )
    return form[-32:]


def _manifest_in(archive: zipfile.ZipFile, public: bytes) -> dict[str, Any]:
    names = [one.filename for one in archive.infolist()]
    try:
        written = archive.read("manifest.json")
        signature = base64.b64decode(archive.read("manifest.sig").strip(), validate=True)
    except (KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        changed("the manifest or its signature is missing or damaged", "清单或其签名缺失或损坏")
    if not fits(public, PURPOSE + written, signature):
        changed("the manifest was changed: its signature does not fit", "清单被改动：签名不符")
    manifest: dict[str, Any] = json.loads(written)
    if manifest.get("format") != 1:
        raise Finding(
            2,
            "this bundle is of a newer form; use the verifier that came with it",
            "证据包格式较新，请使用随包附带的校验脚本",
        )
    if sorted(names) != sorted([*manifest["files"], *SIGNED]):
        changed("files were added to the bundle or taken out of it", "证据包里的文件有增减")
    for name, said in manifest["files"].items():
        digest = hashlib.sha256()
        try:
            with archive.open(name) as file:
                while part := file.read(1 << 20):
                    digest.update(part)
        except (zipfile.BadZipFile, zlib.error):
            changed(f"{name} is damaged", f"{name} 已损坏")
        if digest.hexdigest() != said["sha256"]:
            changed(f"{name} was changed after the bundle was signed", f"{name} 在签名之后被改动")
    return manifest


def _lines(file: Any) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        yield line.rstrip(b"\n")


def _checkpoints_in(file: Any, public: bytes, name: str) -> tuple[dict[int, set[str]], int]:
    marks: dict[int, set[str]] = {}
    count = 0
    for number, line in enumerate(_lines(file), start=1):
        try:
            form = json.loads(line)
            part = json.dumps(
                {"n": form["n"], "hash": form["hash"], "at": form["at"]}, sort_keys=True, separators=(",", ":")
            )
            good = fits(public, part.encode(), base64.b64decode(form["signature"]))
        except (ValueError, KeyError, TypeError, binascii.Error):
            good = False
        if not good:
            changed(
                f"the checkpoint in line {number} of {name} is not signed by this desk",
                f"{name} 第 {number} 行的检查点不是本系统签名",
            )
        marks.setdefault(form["n"], set()).add(form["hash"])
        count += 1
    return marks, count


def _bad(n: int, en: str, zh: str) -> NoReturn:
    changed(f"entry {n} {en}", f"第 {n} 条记录{zh}")


def _chain_in(archive: zipfile.ZipFile, manifest: dict[str, Any], marks: dict[int, set[str]]) -> tuple[str, str]:
    whole, head = manifest["scope"]["kind"] == "all", manifest["head"]
    last, previous, until, count = 0, GENESIS, 0, 0
    covered = waiting = 0  # entries below a signed checkpoint of their stretch, and since the last one
    sound = 0
    for line in _lines(archive.open("entries.jsonl")):
        entry = json.loads(line)
        n, body = entry["n"], entry["body"]
        if "previous" in entry:  # a stretch begins: what lies before it was left out
            _ended(last, until)
            if n <= last or (whole and n != 1):
                _bad(n, "is not where it belongs", "的位置不对")
            waiting, previous, until, last = 0, entry["previous"], entry["until"], n - 1
            if n == 1 and previous != GENESIS:
                _bad(n, "does not begin the chain", "不是链的开头")
            if marks.get(n - 1, {previous}) != {previous}:
                _bad(n, f"does not follow the signed checkpoint {n - 1}", f"与已签名的检查点 {n - 1} 不衔接")
            sound = last
        if n != last + 1:
            _bad(last + 1, "is missing", "缺失")
        if n > head["n"]:
            _bad(n, "lies beyond the head of the chain", "在链头之后")
        made = hashlib.sha256(b"\x00" + bytes.fromhex(previous) + body.encode()).hexdigest()
        if made != entry["hash"] or json.loads(body).get("n") != n:
            _bad(n, "does not match its hash", "与其哈希不符")
        last, previous, count, waiting = n, made, count + 1, waiting + 1
        if n in marks:
            if marks[n] != {made}:
                _bad(
                    sound + 1,
                    f"or a later one up to {n} was rewritten: checkpoint {n} disagrees",
                    f"至第 {n} 条之间被改写：与检查点 {n} 不符",
                )
            covered, waiting, sound = covered + waiting, 0, n
        if n == head["n"] and made != head["hash"]:
            _bad(n, "is not the head of the chain that was signed", "不是已签名的链头")
    _ended(last, until)
    if count != manifest["entries"]:
        changed("the number of entries is not that of the manifest", "记录数量与清单不符")
    expected = max([head["n"], *marks]) if whole else max([0, *marks]) if manifest["scope"].get("open_end") else 0
    if last < expected:
        _truncated(last + 1, expected)
    return _sentences(manifest, count, covered, whole)


def _ended(last: int, until: int) -> None:
    if last < until:
        _truncated(last + 1, until)


def _truncated(first: int, last: int) -> NoReturn:
    raise Finding(4, f"entries {first} to {last} are missing at the end", f"末尾缺少第 {first} 至 {last} 条记录")


def _sentences(manifest: dict[str, Any], count: int, covered: int, whole: bool) -> tuple[str, str]:
    rest = count - covered
    en = f"ok: {count} entries up to {manifest['made_at']}, none changed; {covered} lie below signed checkpoints"
    zh = f"完好：截至 {manifest['made_at']} 共 {count} 条记录，均未改动；其中 {covered} 条有检查点签名覆盖"
    if rest:
        en += f", for {rest} only the signature of the bundle itself vouches"
        zh += f"，{rest} 条只由证据包自身的签名担保"
    if not whole:
        en += "; it is a part of the trail, and does not show that nothing else was recorded"
        zh += "；这是审计记录的一部分，不能证明此外没有其他记录"
    return f"{en}.", f"{zh}。"


def main(arguments: list[str] | None = None) -> int:
    """The command; prints its finding in English and Chinese."""
    parser = argparse.ArgumentParser(description="Check a signed bundle of an audit trail. 校验审计证据包。")
    parser.add_argument("bundle", help="the .zip file")
    parser.add_argument("--fingerprint", default="", help="SHA-256 of the desk's public key, got by another way")
    parser.add_argument("--checkpoints", help="checkpoints.jsonl as it was kept elsewhere, to be compared as well")
    given = parser.parse_args(arguments)
    try:
        en, zh = verify(given.bundle, given.fingerprint, given.checkpoints)
        code = 0
    except Finding as found:
        code, en, zh = found.code, found.en, found.zh
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        code, en, zh = 2, f"the file cannot be read: {error}", "文件无法读取"
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        code, en, zh = 3, f"the bundle is not of the form it should have: {type(error).__name__}", "证据包的格式不对"
    print(f"{en}\n{zh}")
    return code


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    raise SystemExit(main())
