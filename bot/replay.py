"""Runs recorded turns on a model and tells what would have gone otherwise; nothing is called and nothing is written.

    python replay.py [--model FILE] [--turns N] [--conversations FILE] [--out FILE]

Without ``--conversations``, a file of ids, the latest conversations of the bot's store are taken. Each conversation goes on
as it was recorded until the first turn that the contact would have noticed; what they would have written then nobody knows.
The last line is one JSON object; its ``digest`` is the same for the same log and model, with any number of workers.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import json
import multiprocessing
import os
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import model_seal, settings, without_tensorflow
from bot.jobs import JobRefused

_AT_ONCE = 8  #: conversations that a worker takes at a time
Progress = Callable[[float], None]
Report = dict[str, Any]
_READY: dict[str, Any] = {}  #: what forked workers find: the model, the log, the thresholds


def replay(
    model: Path,
    url: str,
    conversations: Sequence[str],
    *,
    thresholds: Mapping[str, Any] | None = None,
    workers: int = 2,
    progress: Progress = lambda share: None,
) -> Report:
    """Replay whole conversations of the store at ``url`` on a sealed model, in worker processes."""
    without_tensorflow.install()
    from bot import action_calls, quiet_logs
    from bot.replay_log import Log
    from bot.replay_turn import Replayer

    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    quiet_logs.configure()
    action_calls.install()
    replayer = Replayer(str(model))
    loaded = time.monotonic()
    _READY.update(replayer=replayer, log=Log(url), thresholds=thresholds)
    gc.collect()
    gc.freeze()  # the workers share the model's memory as long as nobody touches it
    chosen = list(dict.fromkeys(conversations))
    parts = [chosen[first : first + _AT_ONCE] for first in range(0, len(chosen), _AT_ONCE)]
    results: list[list[Report]] = []
    context = multiprocessing.get_context("fork")
    with context.Pool(max(1, min(workers, len(parts) or 1)), initializer=_shut) as pool:
        for done, part in enumerate(pool.imap(_replay_part, parts), 1):
            results.append(part)
            progress(done / len(parts))
        pool.close()
        pool.join()
    report = summary([turn for part in results for turn in part])
    report["model"] = model.name[: -len(".tar.gz")]
    report["model_id"] = replayer.model_id
    report["conversations"] = len(chosen)
    report["seconds"] = round(time.monotonic() - loaded, 2)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    report["cpu_seconds"] = round(used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, 2)
    report["load_seconds"] = round(loaded - began, 2)
    return report


def _shut() -> None:
    """No Python code of this process reaches anybody any more; the database's own library reads the log."""

    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError("a replay calls nobody")

    socket.socket.connect = refused  # type: ignore[method-assign]
    socket.socket.connect_ex = refused  # type: ignore[assignment,method-assign]
    socket.socket.sendto = refused  # type: ignore[assignment,method-assign]


def _replay_part(conversations: Sequence[str]) -> list[Report]:
    async def work() -> list[Report]:
        found: list[Report] = []
        for conversation_id in conversations:
            found += await replay_conversation(
                _READY["replayer"], _READY["log"].conversation(conversation_id), _READY["thresholds"]
            )
        return found

    return asyncio.run(work())


async def replay_conversation(
    replayer: Any, turns: Sequence[Any], thresholds: Mapping[str, Any] | None = None
) -> list[Report]:
    """What became of each turn: the same, changed, after a divergence, or not replayable."""
    from bot.replay_turn import kinds_of, noticed, recorded_side, shown

    found: list[Report] = []
    left = False
    for recorded in turns:
        told: Report = {"turn_id": recorded.turn.turn_id, "conversation_id": recorded.turn.conversation_id}
        if left:
            found.append(told | {"outcome": "after"})
            continue
        if recorded.problem is not None:
            found.append(told | {"outcome": "not_replayable", "reason": recorded.problem})
            continue
        before = recorded_side(recorded)
        after = await replayer.replay(recorded, thresholds)
        kinds = kinds_of(before, after, replayer.domain)
        if not kinds:
            found.append(told | {"outcome": "same"})
            continue
        left = noticed(kinds)
        sides = {"before": shown(before, after), "after": shown(after, before)}
        found.append(told | {"outcome": "changed", "kinds": kinds, "stops": left} | sides)
    return found


def summary(turns: Sequence[Report]) -> Report:
    """The figures, the changes, and a digest of all that was found."""
    outcomes = Counter(turn["outcome"] for turn in turns)
    written = json.dumps(turns, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return {
        "turns": len(turns),
        "same": outcomes["same"],
        "changed": outcomes["changed"],
        "after_divergence": outcomes["after"],
        "not_replayable": dict(sorted(Counter(turn["reason"] for turn in turns if "reason" in turn).items())),
        "by_kind": dict(sorted(Counter(kind for turn in turns for kind in turn.get("kinds", ())).items())),
        "changes": [
            {name: value for name, value in turn.items() if name != "outcome"}
            for turn in turns
            if turn["outcome"] == "changed"
        ],
        "digest": hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest(),
    }


def run(options: Mapping[str, Any], report: Callable[[float, str, str], None]) -> Report:
    """Do it as a job: the service chooses the conversations, and thresholds where those of then are not to count."""
    without_tensorflow.install()
    from bot.replay_log import LogUnreadable

    name, models = str(options["model"]), settings.model_dir()
    model = models / f"{name}.tar.gz"
    if model.parent != models or not model.exists():
        raise JobRefused("model_gone", f"There is no model {name}.")
    try:
        model_seal.check(model, settings.model_keys(models))
    except model_seal.ModelRefused as refusal:
        raise JobRefused("model_refused", str(refusal)) from None
    report(0.0, "load", "")
    try:
        return replay(
            model,
            settings.database_url(),
            [str(one) for one in options["conversations"]],
            thresholds=options.get("thresholds"),
            workers=min(2, os.cpu_count() or 1),
            progress=lambda share: report(share, "replay", ""),
        )
    except LogUnreadable as error:
        raise JobRefused("log_unreadable", f"The bot's store cannot be read: {error}") from None


def main() -> None:
    """Replay the latest conversations of the bot's store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="an archive; without it, the model that training left")
    parser.add_argument("--turns", type=int, default=5000, help="so many of the latest turns, in whole conversations")
    parser.add_argument("--conversations", type=Path, help="a file with the ids of conversations, one a line")
    parser.add_argument("--database", help="the store's URL, as in BOT_DATABASE_URL")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="where the whole report goes")
    arguments = parser.parse_args()
    settings.quieten()
    from bot.serve import find_model

    models = settings.model_dir()
    if arguments.model is None:
        model = find_model(models)
    else:
        model = arguments.model
        try:
            model_seal.check(model, settings.model_keys(model.parent))
        except model_seal.ModelRefused as refusal:
            sys.exit(str(refusal))
    url = arguments.database or settings.database_url()
    without_tensorflow.install()
    from bot.replay_log import Log

    named = arguments.conversations
    chosen = named.read_text().split() if named else Log(url).newest(arguments.turns)
    report = replay(model, url, chosen, workers=arguments.workers)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    for change in report.pop("changes")[:20]:
        print(f"{change['turn_id']}: {', '.join(change['kinds'])}")
    print(json.dumps(report, ensure_ascii=False))


if __name__ == "__main__":
    main()
