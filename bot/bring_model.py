"""Puts the model that an image was built with into the folder that trainings write to, signed with that folder's key.

python bring_model.py FOLDER — where the image keeps its model; its keys lie beside it. Run before ``serve.py``; does nothing
where the model is there already. The model is served if none was, or if that one was made by another pipeline, as ``make run``
would train anew then; otherwise what trainers chose stays.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import model_names, model_seal, settings
from bot.train import MARK

_LOCK = ".bringing.lock"  #: several bots share the folder and begin at once


def bring(image: Path, models: Path, keys: Path) -> str:
    """Bring the model; returns a sentence that says what was done. Raises ``ModelRefused`` if it is not as it was built."""
    name = model_names.trained(image)
    if name is None:
        return f"{image} holds no model."
    for folder in (models, keys):
        folder.mkdir(parents=True, exist_ok=True)
    with open(models / _LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _bring(name, image, models, keys)


def _bring(name: str, image: Path, models: Path, keys: Path) -> str:
    brought = model_names.archive_of(models, name)
    if model_seal.is_sealed(brought, keys):
        return f"The image's model {name} is there already."
    if (keys / model_seal.PUBLIC_KEY).exists() and not (keys / model_seal.PRIVATE_KEY).exists():
        return f"{keys} holds only the public key, so the image's model {name} cannot be signed and is left out."
    baked = model_names.archive_of(image, name)
    model_seal.check(baked, settings.model_keys(image, {}))
    made = model_seal.made_of(baked)
    served = _served(models, keys)
    with tempfile.TemporaryDirectory(dir=models, prefix=".bringing-") as folder:
        copy = Path(folder) / baked.name
        shutil.copyfile(baked, copy)
        model_seal.seal(copy, keys, made)
        model_seal.check(copy, keys)
        # The seal first, as after a training: an archive without one would be refused by whoever looks just now.
        os.replace(model_seal.seal_of(copy), model_seal.seal_of(brought))
        os.replace(copy, brought)
    if served is not None and _pipeline(served) == (made or {}).get("pipeline_hash"):
        return f"Brought the image's model {name}; {model_names.name_of(served)} is served as before."
    mark = models / f"{MARK}.new"
    mark.write_bytes((image / MARK).read_bytes())
    os.replace(mark, models / MARK)
    return f"Brought the image's model {name}, which is served now."


def _served(models: Path, keys: Path) -> Path | None:
    """What the bot would serve without the image's model."""
    return next((one for one in model_names.in_order(models) if model_seal.is_sealed(one, keys)), None)


def _pipeline(archive: Path) -> object:
    return (model_seal.made_of(archive) or {}).get("pipeline_hash")


def main() -> None:
    """Bring the model of the folder that is named, and say so."""
    models = settings.model_dir()
    try:
        print(bring(Path(sys.argv[1]), models, settings.model_keys(models)), flush=True)
    except (model_seal.ModelRefused, OSError, json.JSONDecodeError) as problem:
        # What lies in the folder may serve all the same; `serve.py` says so if not.
        print(f"The image's model was not brought: {problem}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
