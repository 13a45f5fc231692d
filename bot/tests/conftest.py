"""One trained model and one running bot for all tests; the model is trained by the product's own command when it is missing or old."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from bot import settings
from bot.tests.desk import Bot
from bot.tests.fake_actions import FakeActions

hypothesis_settings.register_profile("unhurried", deadline=None)
hypothesis_settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def model_dir() -> Path:
    folder = settings.model_dir()
    subprocess.run([sys.executable, "train.py", "--model-dir", str(folder)], cwd=settings.BOT, check=True)
    return folder


@pytest.fixture(scope="session")
def bot(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    actions = FakeActions()
    actions.known_answers = {
        "delivery": "Delivery takes 1 to 3 days.",
        "warranty": "The warranty is 12 months.",
        "保修": "保修 12 个月。",
        "退款": "3 个工作日内退款。",
    }
    running = Bot(tmp_path_factory.mktemp("bot") / "bot.db", actions, model_dir)
    yield running
    running.stop()
    actions.shutdown()


@pytest.fixture(autouse=True)
def healthy_actions(request: pytest.FixtureRequest) -> None:
    if "bot" in request.fixturenames:
        request.getfixturevalue("bot").actions.broken = False
