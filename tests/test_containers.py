"""What the containers may write, and as whom: the bot its models and their key, the service its data and the examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
FILES = {name: (ROOT / "docker" / f"{name}.Dockerfile").read_text() for name in ("bot", "service")}


def mounts(name: str) -> dict[str, tuple[str, bool]]:
    """Where each volume lies in a container, and whether it can be written."""
    parts = [mount.split(":") for mount in COMPOSE["services"][name]["volumes"]]
    return {part[0]: (part[1], part[2:] != ["ro"]) for part in parts}


def environment(name: str) -> dict[str, str]:
    """What the image itself sets."""
    lines = [line for line in FILES[name].splitlines() if line.startswith("ENV ")]
    return dict(pair.split("=", 1) for line in lines for pair in line.removeprefix("ENV ").split())


def test_the_bot_writes_its_models_and_their_key_and_nothing_else() -> None:
    bot = COMPOSE["services"]["bot"]
    assert mounts("bot") == {
        "models": ("/models", True),
        "model_keys": ("/model_keys", True),
        "examples": ("/desk/nlu_data", False),
    }
    assert (bot["read_only"], bot["tmpfs"], bot["cap_drop"]) == (True, ["/tmp"], ["ALL"])
    assert environment("bot")["MODEL_DIR"] == "/models"
    assert environment("bot")["MODEL_KEYS"] == "/model_keys"


def test_the_key_is_the_bots_alone_and_not_kept_with_the_models() -> None:
    having = [name for name in COMPOSE["services"] if "model_keys" in str(COMPOSE["services"][name].get("volumes", ""))]
    assert having == ["bot"]
    assert re.search(r"rm \.\./var/model_keys/signing_key\.pem", FILES["bot"])  # an image may be published


def test_both_see_the_same_examples_and_only_the_service_writes_them() -> None:
    assert mounts("service")["examples"] == ("/desk/nlu_data", True)
    assert mounts("bot")["examples"] == ("/desk/nlu_data", False)
    users = {name: re.search(r"--uid (\d+)", text) for name, text in FILES.items()}
    assert all(users.values())
    assert len({found.group(1) for found in users.values() if found}) == 1


@pytest.mark.parametrize("name", FILES)
def test_a_container_runs_as_a_user_of_its_own_who_owns_what_it_is_given(name: str) -> None:
    before, _, after = FILES[name].rpartition("\nUSER ")
    user = after.split()[0]
    assert user != "root"
    owned = re.search(rf"chown -R {user} ([^&\n]*)", before)
    assert owned is not None
    folders = {place.replace("../nlu_data", "/desk/nlu_data") for place in owned.group(1).split()}
    folders = {place if place.startswith("/") else f"/desk/{place}" for place in folders}
    assert {place for place, _ in mounts(name).values()} <= folders  # a new volume takes the folder's owner


def test_the_bot_brings_the_model_of_its_image_before_it_serves() -> None:
    command = FILES["bot"].splitlines()[-1]
    assert "python bring_model.py ../var/models && exec python serve.py" in command
    assert (ROOT / "bot" / "bring_model.py").exists()
