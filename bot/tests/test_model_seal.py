"""F27: a model archive that was not signed here, was changed, or could do harm unpacked is refused before it is unpacked."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import model_seal, settings
from bot.model_seal import ModelRefused, check, seal, seal_of
from bot.serve import find_model
from bot.train import MARK

GOOD = {"metadata.json": json.dumps({"predict_schema": {"nodes": {"a": {"uses": "rasa.core.policies.RulePolicy"}}}})}


def write_archive(path: Path, files: dict[str, str], *more: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
        for member in more:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "model_keys"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def test_a_sealed_model_is_accepted_and_the_private_key_is_its_owners(models: Path, keys: Path) -> None:
    model = write_archive(models / "good.tar.gz", GOOD)
    seal(model, keys)
    check(model, keys)
    assert (keys / model_seal.PRIVATE_KEY).stat().st_mode & 0o777 == 0o600


def test_the_public_half_suffices_to_serve_but_not_to_sign(models: Path, keys: Path) -> None:
    model = write_archive(models / "good.tar.gz", GOOD)
    seal(model, keys)
    (keys / model_seal.PRIVATE_KEY).unlink()
    check(model, keys)
    with pytest.raises(ModelRefused, match="only the public key"):
        seal(model, keys)


def flip_a_byte(model: Path) -> None:
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)


def edit_the_seal(model: Path) -> None:
    path = seal_of(model)
    path.write_text(path.read_text().replace('"bytes": ', '"bytes": 1'))


def sign_with_another_key(model: Path) -> None:
    seal(model, model.parent.parent / "a strangers keys")


def exchange_with_another_model(model: Path) -> None:
    other = write_archive(model.with_name("older.tar.gz"), GOOD | {"more.json": "{}"})
    seal(other, model.parent.parent / "model_keys")
    shutil.copy(other, model)
    shutil.copy(seal_of(other), seal_of(model))


def replace_by_a_link(model: Path) -> None:
    away = model.with_name("away.bin")
    model.rename(away)
    model.symlink_to(away)


@pytest.mark.parametrize("spoil", [
    flip_a_byte, edit_the_seal, sign_with_another_key, exchange_with_another_model, replace_by_a_link,
    lambda model: seal_of(model).unlink(),
    lambda model: seal_of(model).write_text("{"),
    lambda model: seal_of(model).write_text("[]"),
    lambda model: seal_of(model).write_bytes(b"\xff"),
])  # fmt: skip
def test_an_unsigned_or_changed_model_is_refused(spoil: Callable[[Path], None], models: Path, keys: Path) -> None:
    """F27: before a byte of it is unpacked."""
    model = write_archive(models / "good.tar.gz", GOOD)
    seal(model, keys)
    spoil(model)
    with pytest.raises(ModelRefused, match=r"make train|MODEL_KEYS"):
        check(model, keys)


@pytest.mark.parametrize("harm", [
    ({"../outside.json": "{}"}, ()),
    ({"/etc/passwd": "x"}, ()),
    ({"components/../../x.json": "{}"}, ()),
    ({}, (special("link", tarfile.SYMTYPE, "/etc/passwd"),)),
    ({}, (special("hard", tarfile.LNKTYPE, "metadata.json"),)),
    ({}, (special("pipe", tarfile.FIFOTYPE),)),
    ({}, (special("device", tarfile.CHRTYPE),)),
    ({"components/head.pkl": "x"}, ()),
    ({"components/Head.PICKLE": "x"}, ()),
    ({"components/old.joblib": "x"}, ()),
    ({"components/model.h5": "x"}, ()),
    ({"metadata.json": json.dumps({"nodes": [{"uses": "os.system"}]})}, ()),
    ({"metadata.json": json.dumps({"nodes": [{"uses": None}]})}, ()),
    ({"metadata.json": "{"}, ()),
])  # fmt: skip
def test_an_archive_that_could_do_harm_is_refused_even_if_it_is_signed(
    harm: tuple[dict[str, str], tuple[tarfile.TarInfo, ...]], models: Path, keys: Path
) -> None:
    """F27: links, paths that lead out, pickles and classes that are none of ours."""
    files, more = harm
    model = write_archive(models / "harm.tar.gz", GOOD | files, *more)
    seal(model, keys)
    with pytest.raises(ModelRefused):
        check(model, keys)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x1f\x8b\x08cut off"])
def test_what_is_no_archive_is_refused(content: bytes, models: Path, keys: Path) -> None:
    model = models / "broken.tar.gz"
    model.write_bytes(content)
    seal(model, keys)
    with pytest.raises(ModelRefused):
        check(model, keys)


def test_the_bot_serves_the_older_model_when_the_newer_one_is_refused(
    models: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """F27: the one that served before goes on."""
    older, newer = (write_archive(models / f"{name}.tar.gz", GOOD) for name in ("older", "newer"))
    seal(older, keys)
    os.utime(older, (1, 1))
    (models / MARK).write_text(json.dumps({"fingerprint": "f", "model": newer.name}))
    assert find_model(models) == older
    assert "REFUSED: newer.tar.gz has no seal" in capsys.readouterr().err


def test_the_bot_does_not_start_without_a_model_that_may_be_loaded(tmp_path: Path, models: Path) -> None:
    write_archive(models / "strange.tar.gz", GOOD)
    environment = {
        **os.environ, "BOT_SECRET": "s" * 16, "ACTION_URL": "http://127.0.0.1:8000/internal/actions?token=t",
        "MODEL_DIR": str(models),
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "serve.py"], cwd=settings.BOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode != 0
    assert "strange.tar.gz has no seal" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_training_leaves_is_sealed(model_dir: Path) -> None:
    check(find_model(model_dir), settings.model_keys(model_dir))
