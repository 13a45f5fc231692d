"""Signs a model's archive when it is trained, and looks at archive and signature before anything of it is loaded.

A model archive is code: Rasa imports the classes it names and unpacks what it holds. The seal lies beside the archive as
``NAME.seal.json``; the public key lies apart from the models (``MODEL_KEYS``), so whoever can write models cannot sign them.
Machines that only serve need the public half.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
import tarfile
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PRIVATE_KEY = "signing_key.pem"
PUBLIC_KEY = "public_key.pem"
SEAL = ".seal.json"
#: Kinds of files that run code or are read by libraries that do; no component of ours writes them.
_RUNS_CODE = {".pkl", ".pickle", ".joblib", ".skops", ".h5", ".hdf5", ".keras", ".pt", ".pth", ".py", ".pyc", ".so"}
_MOST_FILES = 2_000
_MOST_BYTES = 4 * 1024**3  # unpacked
_CLASSES = ("rasa.", "bot.components.")  #: where classes that an archive names may come from


class ModelRefused(Exception):
    """An archive is not to be loaded; the message says why and what to do."""


def seal(archive: Path, keys: Path, made: dict[str, Any] | None = None) -> Path:
    """Sign an archive, and what it was ``made`` of, with the key in ``keys``, made on first use; returns the seal's file.

    Raises ``ModelRefused`` when only the public half is there.
    """
    key = _signing_key(keys)
    signed = {
        "model": archive.name,
        "sha256": _digest(archive),
        "bytes": archive.stat().st_size,
        "sealed_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **({} if made is None else {"made": made}),
    }
    whole = signed | {"signature": base64.b64encode(key.sign(_signed_part(signed))).decode()}
    path = seal_of(archive)
    written = path.with_suffix(".new")
    written.write_text(json.dumps(whole, indent=1) + "\n")
    os.replace(written, path)
    return path


def seal_of(archive: Path) -> Path:
    """Where the seal of an archive lies."""
    return archive.with_name(archive.name + SEAL)


def made_of(archive: Path) -> dict[str, Any] | None:
    """What the seal says the archive was made of; None in seals from before, or where there is none. Proves nothing."""
    found = read_seal(archive).get("made")
    return found if isinstance(found, dict) else None


def read_seal(archive: Path) -> dict[str, Any]:
    """What stands in the seal of an archive, empty where it cannot be read. Proves nothing."""
    try:
        found = json.loads(seal_of(archive).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def model_id_of(archive: Path) -> str | None:
    """The id that Rasa gave the model, which traces name."""
    with tarfile.open(archive, "r:gz") as opened:
        for member in opened:
            if PurePosixPath(member.name).as_posix() == "metadata.json":
                content = opened.extractfile(member)
                return str(json.load(content)["model_id"]) if content is not None else None
    return None


def check(archive: Path, keys: Path) -> None:
    """Raise ``ModelRefused`` unless the archive is the one that was sealed, and holds nothing that could do harm unpacked."""
    path = seal_of(archive)
    retrain = "train again with `make train`, or put the right files back"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        signature = base64.b64decode(found.pop("signature"), validate=True)
        public = _public_key(keys)
    except FileNotFoundError:
        raise ModelRefused(f"{archive.name} has no seal ({path.name}); {retrain}.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ModelRefused(f"the seal of {archive.name} cannot be read; {retrain}.") from None
    try:
        public.verify(signature, _signed_part(found))
    except InvalidSignature:
        raise ModelRefused(f"the seal of {archive.name} was not made with the key in {keys}; {retrain}.") from None
    if found.get("model") != archive.name:
        raise ModelRefused(f"the seal beside {archive.name} belongs to {found.get('model')}; {retrain}.")
    if archive.is_symlink() or _digest(archive) != found.get("sha256"):
        raise ModelRefused(f"{archive.name} was changed after it was sealed; {retrain}.")
    look_through(archive)


def read(archive: Path) -> dict[str, Any]:
    """What the seal beside an archive says; nothing where there is none. ``check`` says whether it is true."""
    try:
        found = json.loads(seal_of(archive).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_sealed(archive: Path, keys: Path) -> bool:
    """Whether ``check`` has nothing against an archive."""
    try:
        check(archive, keys)
    except ModelRefused:
        return False
    return True


def look_through(archive: Path) -> None:
    """Raise ``ModelRefused`` for members that would leave the folder, are links or devices, run code, or are too much."""
    try:
        with tarfile.open(archive, "r:gz") as opened:
            _look_at(archive.name, opened)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise ModelRefused(f"{archive.name} is no archive of a model: {error}") from None


def _look_at(name: str, opened: tarfile.TarFile) -> None:
    unpacked = 0
    for number, member in enumerate(opened):
        unpacked += member.size
        path = PurePosixPath(member.name.lstrip("/") if member.isdir() else member.name)
        if path.is_absolute() or ".." in path.parts or "\\" in member.name:
            raise ModelRefused(f"{name} holds {member.name!r}, which would be unpacked outside its folder.")
        if not (member.isfile() or member.isdir()):
            raise ModelRefused(f"{name} holds {member.name!r}, which is neither a file nor a folder.")
        if member.isfile() and path.suffix.lower() in _RUNS_CODE:
            raise ModelRefused(
                f"{name} holds {member.name!r}; files of this kind can run code and no part of ours needs them."
            )
        if number >= _MOST_FILES or unpacked > _MOST_BYTES:
            raise ModelRefused(f"{name} unpacks to more than {_MOST_FILES} files or {_MOST_BYTES // 1024**3} GB.")
        if path.as_posix() == "metadata.json":
            content = opened.extractfile(member)
            _look_at_classes(name, json.load(content) if content is not None else None)


def _look_at_classes(name: str, metadata: Any) -> None:
    for used in _values_of(metadata, "uses"):
        if not isinstance(used, str) or not used.startswith(_CLASSES):
            raise ModelRefused(f"{name} names the class {used!r}, which is neither Rasa's nor one of bot/components.")


def _values_of(value: Any, key: str) -> Iterable[Any]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            else:
                yield from _values_of(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _values_of(inner, key)


def _signed_part(values: dict[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()


def _digest(archive: Path) -> str:
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while part := file.read(1024 * 1024):
            digest.update(part)
    return digest.hexdigest()


def _public_key(keys: Path) -> Ed25519PublicKey:
    try:
        content = (keys / PUBLIC_KEY).read_bytes()
    except FileNotFoundError:
        raise ModelRefused(
            f"there is no {PUBLIC_KEY} in {keys}; copy it from where models are trained (MODEL_KEYS)."
        ) from None
    loaded = serialization.load_pem_public_key(content)
    if not isinstance(loaded, Ed25519PublicKey):
        raise ModelRefused(f"{keys / PUBLIC_KEY} is not an Ed25519 key; copy it again from where models are trained.")
    return loaded


def _signing_key(keys: Path) -> Ed25519PrivateKey:
    path = keys / PRIVATE_KEY
    if path.exists():
        loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(loaded, Ed25519PrivateKey):
            raise ModelRefused(f"{path} is not an Ed25519 key; move it away and a new one is made.")
        return loaded
    if (keys / PUBLIC_KEY).exists():
        raise ModelRefused(
            f"{keys} holds only the public key, so models made here could not be told from others; train where {PRIVATE_KEY} is, "
            f"or move {PUBLIC_KEY} away and new keys are made."
        )
    key = Ed25519PrivateKey.generate()
    keys.mkdir(parents=True, exist_ok=True)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (keys / PUBLIC_KEY).write_bytes(public)
    return key
