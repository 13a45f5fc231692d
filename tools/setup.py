"""Prepare a fresh clone: tools, both Python environments, web pages, model, demo data. Standard library only.

Every step is skipped when its inputs have not changed, so a second run takes seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from env_file import data_folder, take_env_file

STAMPS = ROOT / "var" / "stamps"
UV_VERSION = "0.13.9"
WEB_PROJECTS = {
    "chat widget": ROOT / "connectors" / "webchat" / "widget",
    "staff console": ROOT / "handoff" / "web",
}
#: What each command needs, in order.
NEEDS = {
    "service": ("service",),
    "bot": ("bot",),
    "check": ("service", "web-install"),
    "train": ("service", "bot", "model"),
    "run": ("service", "bot", "web", "model", "data"),
    "test": ("service", "bot", "web", "data"),  # the bot is trained beside the first suite
    "all": ("service", "bot", "web", "model"),
}
#: Steps that need nothing of each other; they come last in every list above.
BESIDE_EACH_OTHER = ("model", "data")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--for", dest="purpose", choices=sorted(NEEDS), default="all")
    purpose = parser.parse_args().purpose
    take_env_file()
    needs = NEEDS[purpose]
    steps: dict[str, tuple[str, Callable[[], bool]]] = {
        "service": ("service environment", install_service),
        "bot": ("bot environment (TensorFlow comes with Rasa: about 2.7 GB)", install_bot),
        "web-install": ("web packages", install_web_packages),
        "web": ("chat widget and staff console", build_web),
        "model": ("train the bot", train_model_if_needed if purpose == "run" else train_model),
        "data": ("sentiment, demo knowledge and customers", load_demo_data),
    }
    check_tools(needs)

    def take(need: str) -> None:
        title, step = steps[need]
        name = f"[{needs.index(need) + 1}/{len(needs)}] {title}"
        print(f"{name} …", flush=True)
        started = time.monotonic()
        did_something = step()
        done = "done" if did_something else "up to date"
        print(f"{name}: {done} ({time.monotonic() - started:.0f} s)", flush=True)

    for need in needs:
        if need not in BESIDE_EACH_OTHER:
            take(need)
    # Each of these keeps one core busy for minutes; when one fails, the set-up stops after the other.
    with ThreadPoolExecutor() as pool:
        for running in [pool.submit(take, need) for need in needs if need in BESIDE_EACH_OTHER]:
            running.result()


def check_tools(needs: Iterable[str]) -> None:
    """Stop with one sentence for each tool that is missing, before anything is installed."""
    missing = []
    if {"web", "web-install"} & set(needs) and (shutil.which("node") is None or shutil.which("npm") is None):
        missing.append(
            "Node.js 20 or newer with npm is needed to build the web pages: install it from your package manager or nodejs.org and run make again."
        )
    if "bot" in needs and find_python_310() is None:
        missing.append(
            "Python 3.10 is needed for the bot (Rasa runs on nothing newer): install it, for example with `pyenv install 3.10`"
            " or `uv python install 3.10`, and run make again."
        )
    if missing:
        sys.exit("\n".join(missing))


def find_python_310() -> str | None:
    """The path of a working CPython 3.10: named in BOT_PYTHON, on the PATH, or kept by pyenv or uv."""
    home = Path.home()
    pyenv_root = Path(os.environ.get("PYENV_ROOT", home / ".pyenv"))
    uv_pythons = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", home / ".local" / "share" / "uv" / "python"))
    candidates = [os.environ.get("BOT_PYTHON"), shutil.which("python3.10")]
    candidates += [str(path) for path in sorted(pyenv_root.glob("versions/3.10.*/bin/python"), reverse=True)]
    candidates += [str(path) for path in sorted(uv_pythons.glob("cpython-3.10.*/bin/python3.10"), reverse=True)]
    candidates += ["/usr/local/bin/python3.10", "/opt/homebrew/bin/python3.10"]
    for candidate in candidates:
        if candidate and prints(candidate, "import sys; print(*sys.version_info[:2])") == "3 10":
            return candidate
    return None


def prints(python: str, code: str) -> str | None:
    """What a Python prints for a line of code, or None if it does not run (a pyenv shim without its version)."""
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def uv() -> str:
    """A uv that works in every folder of the project; installed into ``.tools`` if there is none."""
    own = ROOT / ".tools" / "bin" / "uv"
    if own.exists():
        return str(own)
    found = shutil.which("uv")
    # A pyenv shim answers or not depending on the folder, so it is asked where it will be used.
    if found and subprocess.run([found, "--version"], cwd=ROOT / "bot", capture_output=True).returncode == 0:
        return found
    print("      installing uv into .tools", flush=True)
    venv.create(ROOT / ".tools", with_pip=True)
    run(
        [str(ROOT / ".tools" / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", f"uv=={UV_VERSION}"]
    )
    return str(own)


def run(command: list[str], cwd: Path = ROOT, **environment: str) -> None:
    """Run a command with its output shown; stop the set-up with its name when it fails."""
    answer = subprocess.run(command, cwd=cwd, env={**os.environ, **environment})
    if answer.returncode != 0:
        sys.exit(
            f"Set-up stopped: `{' '.join(command)}` failed in {cwd}. The lines above say why; fix that and run make again."
        )


def fingerprint(paths: Iterable[Path], extra: str = "") -> str:
    """A hash over the names and contents of files; folders are walked without their build products."""
    digest = hashlib.sha256(extra.encode())
    skipped = {"node_modules", "dist", "__pycache__"}
    for path in paths:
        files = (
            sorted(p for p in path.rglob("*") if p.is_file() and not skipped & set(p.parts))
            if path.is_dir()
            else [path]
        )
        for file in files:
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def unchanged(name: str, mark: str, product: Path) -> bool:
    """Whether a step already ran for these inputs and its product is still there."""
    stamp = STAMPS / name
    return product.exists() and stamp.exists() and stamp.read_text() == mark


def remember(name: str, mark: str) -> None:
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(mark)


def install_environment(name: str, folder: Path, python: str) -> bool:
    lock = folder / "requirements.lock"
    environment = folder / ".venv"
    mark = fingerprint([lock], extra=python)
    if unchanged(name, mark, environment / "bin" / "python"):
        return False
    tool = uv()
    run([tool, "venv", "--quiet", "--clear", "--python", python, str(environment)], cwd=folder)
    run(
        [tool, "pip", "sync", "--require-hashes", "--python", str(environment / "bin" / "python"), str(lock)],
        cwd=folder,
    )
    remember(name, mark)
    return True


def install_service() -> bool:
    return install_environment("service-environment", ROOT, sys.executable)


def install_bot() -> bool:
    python = find_python_310()
    assert python is not None, "check_tools ran first"
    return install_environment("bot-environment", ROOT / "bot", python)


def install_web_packages() -> bool:
    installed = [install_packages_of(folder) for folder in WEB_PROJECTS.values()]
    return any(installed)


def install_packages_of(folder: Path) -> bool:
    mark = fingerprint([folder / "package.json", folder / "package-lock.json"])
    if unchanged(f"npm-{folder.name}", mark, folder / "node_modules"):
        return False
    run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder)
    remember(f"npm-{folder.name}", mark)
    return True


def build_web() -> bool:
    built = False
    for title, folder in WEB_PROJECTS.items():
        mark = fingerprint([folder])
        if unchanged(f"build-{folder.name}", mark, folder / "dist"):
            continue
        print(f"      {title}", flush=True)
        install_packages_of(folder)
        run(["npm", "run", "--silent", "build"], cwd=folder)
        remember(f"build-{folder.name}", mark)
        built = True
    return built


def train_model() -> bool:
    # The trainer keeps its own fingerprint of nlu_data/, the domain and the pipeline inside the model folder.
    run([str(ROOT / "bot" / ".venv" / "bin" / "python"), "train.py"], cwd=ROOT / "bot")
    return True


def train_model_if_needed() -> bool:
    # What trainers have changed in the examples meanwhile is theirs to train and release.
    run([str(ROOT / "bot" / ".venv" / "bin" / "python"), "train.py", "--live"], cwd=ROOT / "bot")
    return True


def train_sentiment(data_dir: Path) -> bool:
    sources = [ROOT / "nlu_data" / "sentiment", ROOT / "sentiment", ROOT / "encoders"]
    mark = fingerprint(sources, extra=str(data_dir))
    if unchanged("sentiment", mark, data_dir / "sentiment" / "sentiment.npz"):
        return False
    run([str(ROOT / ".venv" / "bin" / "python"), "-m", "sentiment.train", "--out", str(data_dir / "sentiment")])
    remember("sentiment", mark)
    return True


def load_demo_data() -> bool:
    data_dir = data_folder()
    trained = train_sentiment(data_dir)
    os.environ.setdefault("DEMO", "1")  # as ``make run`` has it: the demo shop has a past, too
    where = [str(data_dir), *(os.environ.get(name, "") for name in ("DATABASE_URL", "QDRANT_URL", "ENCODER", "DEMO"))]
    sources = [ROOT / "knowledge_base", ROOT / "crm", ROOT / "migrations", ROOT / "tools" / "load_demo.py"]
    sources += [
        ROOT / "handoff" / name for name in ("demo_history.py", "ratings/demo_ratings.py", "learning/demo_mishaps.py")
    ]
    mark = fingerprint(sources, extra="|".join(where))
    if (data_dir / "knowledge").exists() and unchanged("demo-data", mark, data_dir / "frontdesk.db"):
        return trained
    run([str(ROOT / ".venv" / "bin" / "python"), "tools/load_demo.py"])
    remember("demo-data", mark)
    return True


if __name__ == "__main__":
    main()
