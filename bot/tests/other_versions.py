"""Further versions of the trained model for tests: the same one under another name, with other words or a smaller domain."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot import model_seal, settings
from bot.model_names import archive_of
from bot.serve import find_model

Domain = dict[str, Any]


def folder_of_models(trained: Path, folder: Path) -> Path:
    """An own folder with the keys beside it, in which the trained model is called ``first``."""
    models = folder / "models"
    models.mkdir(parents=True)
    shutil.copytree(settings.model_keys(trained), settings.model_keys(models, {}))
    add_version(models, "first", find_model(trained))
    return models


def add_version(
    models: Path, name: str, of: Path, change: Callable[[Domain], None] | None = None, *, sealed: bool = True
) -> Path:
    """A sealed version made of another archive, with a changed domain."""
    made = archive_of(models, name)
    if change is None:
        shutil.copy(of, made)
    else:
        with tarfile.open(of) as old, tarfile.open(made, "w:gz", compresslevel=1) as new:
            for member in old:
                content = old.extractfile(member).read() if member.isfile() else b""
                if member.name == "metadata.json":
                    metadata = json.loads(content)
                    change(metadata["domain"])
                    metadata["model_id"] = name
                    content = json.dumps(metadata).encode()
                    member.size = len(content)
                new.addfile(member, io.BytesIO(content) if member.isfile() else None)
    if sealed:
        model_seal.seal(made, settings.model_keys(models, {}))
    return made


def greets(words: str) -> Callable[[Domain], None]:
    """A version that greets with these words."""

    def change(domain: Domain) -> None:
        domain["responses"]["utter_greet"] = [{"text": words}]

    return change
