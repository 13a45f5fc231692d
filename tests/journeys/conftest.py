"""The whole desk, started as a newcomer starts it, and a browser beside it."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.journeys.staff_api import Staff

ROOT = Path(__file__).resolve().parent.parent.parent
SCREENSHOTS = ROOT / "tests" / "screenshots"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Set by ``make run-scaled``: every desk of the journeys is then 2 services and 2 bots on PostgreSQL and Redis.
SCALED = os.environ.get("JOURNEYS_SCALED") == "1"
START_SECONDS = 300 if SCALED else 180
#: Settings that would make a desk of the journeys use what is not its own.
ELSEWHERE = ("DATABASE_URL", "REDIS_URL", "QDRANT_URL", "PUBLIC_URL")
FAILED = pytest.StashKey[bool]()


@dataclass
class Desk:
    """A running desk with demo data in a folder of its own."""

    url: str
    password: str
    data_dir: Path
    process: subprocess.Popen[str]
    environment: dict[str, str]

    def rest_key(self) -> str:
        found = re.search(r"^REST_API_KEYS=(.+)$", (self.data_dir / "secrets.env").read_text(), re.MULTILINE)
        assert found
        return found.group(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def chromium_path() -> str | None:
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


def a_few_examples(folder: Path) -> Path:
    """The first lines of every file of examples, in a folder that trainers of a journey may write in."""
    for path in (ROOT / "nlu_data").rglob("*.yml"):
        there = folder / path.relative_to(ROOT / "nlu_data")
        there.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        taught = path.parent.name in ("en", "zh", "gate") and path.parent.parent.name == "nlu_data"
        there.write_text("".join(lines[:40] if taught else lines), encoding="utf-8")
    return folder


@cache
def loaded_folder() -> Path:
    """What every desk begins with, loaded once for a run: the demo's customers, articles and moods."""
    folder = Path(tempfile.mkdtemp(prefix="loaded-desk-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("knowledge", "sentiment"):  # encoding every article again would take longer than the journeys
        if (ROOT / "var" / name).exists():
            shutil.copytree(ROOT / "var" / name, folder / name)
    if not SCALED:  # its databases are made when it starts
        environment = {**os.environ, "DATA_DIR": str(folder), "DEMO": "1", "NLU_DATA": str(ROOT / "nlu_data")}
        for name in ELSEWHERE:
            environment.pop(name, None)
        subprocess.run([sys.executable, "tools/load_demo.py"], cwd=ROOT, env=environment, check=True)
    return folder


@contextmanager
def running_desk(data_dir: Path, **settings: str) -> Iterator[Desk]:
    """The desk as ``make run`` starts it, with these settings as well, stopped with Ctrl-C at the end."""
    port, bot_port = free_port(), free_port()
    environment = {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "BOT_URLS": f"http://127.0.0.1:{bot_port}",
        "DEMO": "1",
        "GRACE_SECONDS": "20",
        "PRIVATE_WEBHOOKS": "true",  # the programs of journeys are on this machine
        "MODEL_DIR": str(ROOT / "var" / "models"),
        **settings,
    }
    if "NLU_DATA" not in settings:
        environment["NLU_DATA"] = str(a_few_examples(data_dir / "nlu_data"))
    for name in ELSEWHERE:
        environment.pop(name, None)
    shutil.copytree(loaded_folder(), data_dir, dirs_exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, *(["tools/run_scaled.py", "serve"] if SCALED else ["tools/run.py"])],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    printed = []
    deadline = time.monotonic() + START_SECONDS
    for line in process.stdout:
        printed.append(line)
        if "Logs:" in line:
            break
        if time.monotonic() > deadline:
            break
    assert process.poll() is None, "".join(printed)
    assert any("is running" in line for line in printed), "".join(printed)
    yield Desk(f"http://127.0.0.1:{port}", "frontdesk-demo", data_dir, process, environment)
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(60) == 0, rest
    for checked in (port, bot_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", checked)) != 0, "a process is still listening after Ctrl-C"


@pytest.fixture(scope="session")
def one_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Staff]]:
    with running_desk(tmp_path_factory.mktemp("desk")) as desk:
        yield desk, Staff(desk.url, desk.password)


@pytest.fixture(scope="module")
def desk(one_desk: tuple[Desk, Staff]) -> Iterator[Desk]:
    """The one desk of all journeys; whoever a file of journeys left waiting is not in the way of the next one."""
    desk, staff = one_desk
    before = staff.with_people()
    yield desk
    staff.resolve(staff.with_people() - before)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed; CI must run the browser journeys")
        pytest.skip("browser journeys skipped: Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note how the test went, so that what tidies up after it knows."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def new_context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., BrowserContext]]:
    """Opens separate browsers-in-the-browser, one per person; a CSP violation or page error fails the test."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None,
        )

    def open_context(**options: object) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1360, "height": 860}, **options})  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        context.on("page", watch)
        contexts.append(context)
        return context

    yield open_context
    if request.node.stash.get(FAILED, False):
        keep_last_sight(request.node.name, [page for context in contexts for page in context.pages])
    for context in contexts:
        context.close()
    assert problems == []


def keep_last_sight(test: str, pages: list[Page]) -> None:
    """What everybody saw when a journey failed, so that a red run can be understood from its pictures."""
    folder = SCREENSHOTS / "failed"
    folder.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pages, start=1):
        with contextlib.suppress(PlaywrightError):  # a page that is gone has nothing to show
            page.screenshot(
                path=folder / f"{re.sub('[^a-zA-Z0-9_-]+', '-', test).strip('-')}-{number}.png", timeout=5_000
            )


def come_to_rest(page: Page) -> None:
    """Wait until whatever slides or fades in has arrived; what moves for ever is left alone."""
    page.evaluate(
        """async () => {
            for (let quiet = 0; quiet < 3; quiet += 1) { // what opens begins to move only a frame or two later
                const moving = document.getAnimations().filter((one) => one.effect.getTiming().iterations < 9)
                if (moving.length) quiet = 0
                await Promise.all(moving.map((one) => one.finished.catch(() => null)))
                await new Promise((next) => requestAnimationFrame(next))
            }
        }"""
    )


def shot(page: Page, name: str) -> None:
    """Keep a picture of what the person sees at this point of a journey."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    come_to_rest(page)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
