"""The first start of a container: its model lies on the volume, signed with the volume's own key; later ones change nothing."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot import model_names, model_seal
from bot.bring_model import bring
from bot.serve import find_model
from bot.settings import BOT
from bot.tests.test_model_seal import GOOD, write_archive

PIPELINE = "p" * 64


def built(image: Path, name: str, pipeline: str = PIPELINE, author: str = "the image") -> Path:
    """An image with a model, as its Dockerfile leaves it: sealed, and the key that did it is gone."""
    models = image / "models"
    models.mkdir(parents=True)
    archive = write_archive(models / f"{name}.tar.gz", GOOD | {"name.json": json.dumps(name)})
    model_seal.seal(archive, image / "model_keys", {"pipeline_hash": pipeline, "author": author})
    (models / "fingerprint.json").write_text(json.dumps({"fingerprint": name, "model": archive.name}))
    (image / "model_keys" / model_seal.PRIVATE_KEY).unlink()
    return models


class Volumes:
    """The folders that outlive a container."""

    def __init__(self, folder: Path) -> None:
        self.models, self.keys = folder / "models", folder / "model_keys"

    def serves(self) -> str:
        for archive in model_names.in_order(self.models):
            model_seal.check(archive, self.keys)
        return model_names.name_of(model_names.in_order(self.models)[0])

    def train(self, name: str, pipeline: str = PIPELINE) -> None:
        """What a training from the console leaves, made live by the service."""
        archive = write_archive(self.models / f"{name}.tar.gz", GOOD | {"name.json": json.dumps(name)})
        model_seal.seal(archive, self.keys, {"pipeline_hash": pipeline})
        model_names.choose(self.models, name)


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(tmp_path / "volumes")


def test_the_first_start_makes_a_key_and_signs_the_images_model_with_it(tmp_path: Path, volumes: Volumes) -> None:
    image = built(tmp_path / "image", "first")
    assert "served now" in bring(image, volumes.models, volumes.keys)
    assert volumes.serves() == "first"
    assert model_seal.read(volumes.models / "first.tar.gz")["made"]["author"] == "the image"
    assert stat.S_IMODE((volumes.keys / model_seal.PRIVATE_KEY).stat().st_mode) == 0o600
    assert (volumes.keys / model_seal.PUBLIC_KEY).read_bytes() != (
        tmp_path / "image" / "model_keys" / model_seal.PUBLIC_KEY
    ).read_bytes()
    assert not list(volumes.models.glob(".bringing-*"))


def test_a_restart_changes_nothing_and_what_trainers_made_live_stays(tmp_path: Path, volumes: Volumes) -> None:
    image = built(tmp_path / "image", "first")
    bring(image, volumes.models, volumes.keys)
    volumes.train("taught")
    before = {path.name: path.stat().st_mtime_ns for path in volumes.models.iterdir() if path.suffix != ".lock"}
    assert "already" in bring(image, volumes.models, volumes.keys)
    assert {path.name: path.stat().st_mtime_ns for path in volumes.models.iterdir() if path.suffix != ".lock"} == before
    assert volumes.serves() == "taught"


@pytest.mark.parametrize(("pipeline", "serves"), [(PIPELINE, "taught"), ("q" * 64, "second")])
def test_a_newer_image_serves_its_own_model_only_if_the_code_behind_it_has_changed(
    tmp_path: Path, volumes: Volumes, pipeline: str, serves: str
) -> None:
    bring(built(tmp_path / "one", "first"), volumes.models, volumes.keys)
    volumes.train("taught")
    bring(built(tmp_path / "two", "second", pipeline), volumes.models, volumes.keys)
    assert volumes.serves() == serves
    assert {model_names.name_of(one) for one in model_names.newest_first(volumes.models)} == {
        "first",
        "taught",
        "second",
    }


def test_a_model_of_the_image_that_was_changed_is_not_signed(tmp_path: Path, volumes: Volumes) -> None:
    image = built(tmp_path / "image", "first")
    write_archive(image / "first.tar.gz", GOOD | {"more.json": "{}"})
    with pytest.raises(model_seal.ModelRefused, match="changed after it was sealed"):
        bring(image, volumes.models, volumes.keys)
    assert not list(volumes.models.glob("*.tar.gz"))


def test_a_volume_with_only_the_public_key_is_left_as_it_is(tmp_path: Path, volumes: Volumes) -> None:
    bring(built(tmp_path / "one", "first"), volumes.models, volumes.keys)
    (volumes.keys / model_seal.PRIVATE_KEY).unlink()
    assert "only the public key" in bring(built(tmp_path / "two", "second"), volumes.models, volumes.keys)
    assert volumes.serves() == "first"


def test_several_bots_that_begin_at_once_make_one_key_and_the_command_starts_the_bot_anyway(
    tmp_path: Path, volumes: Volumes
) -> None:
    image = built(tmp_path / "image", "first")
    environment = {**os.environ, "MODEL_DIR": str(volumes.models), "MODEL_KEYS": str(volumes.keys)}
    command = [sys.executable, "bring_model.py", str(image)]
    starting = [
        subprocess.Popen(command, cwd=BOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = [one.communicate()[0] for one in starting]
    assert [one.returncode for one in starting] == [0, 0, 0]
    assert sorted("served now" in one for one in said) == [False, False, True]
    assert volumes.serves() == "first"
    spoilt = built(tmp_path / "spoilt", "second")
    write_archive(spoilt / "second.tar.gz", GOOD | {"more.json": "{}"})
    refused = subprocess.run([*command[:-1], str(spoilt)], cwd=BOT, env=environment, capture_output=True, text=True)
    assert (refused.returncode, "changed after it was sealed" in refused.stderr) == (0, True)


def test_the_bot_finds_what_was_brought(tmp_path: Path, volumes: Volumes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_KEYS", str(volumes.keys))
    bring(built(tmp_path / "image", "first"), volumes.models, volumes.keys)
    assert find_model(volumes.models).name == "first.tar.gz"
