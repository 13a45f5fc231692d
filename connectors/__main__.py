"""For operators: what channels brought and nobody could read.

``python -m connectors unreadable`` lists it, ``--show NAME`` prints one as it came, ``--drop NAME`` throws it away.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import settings
from connectors.unreadables import FOLDER, KEPT_FOR, Unreadables
from conversations.model import utc_now


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 where nothing of the given name is kept."""
    parser = argparse.ArgumentParser(prog="python -m connectors", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    letters = commands.add_parser("unreadable", help="无法读取的来信 / what came in and could not be read")
    letters.add_argument("--show", metavar="NAME", help="原样打印其中一封 / print one as it came")
    letters.add_argument("--drop", metavar="NAME", help="删除其中一封 / throw one away")
    letters.add_argument("--data-dir", type=Path, help="DATA_DIR if left out")
    given = parser.parse_args(arguments)
    kept = Unreadables((given.data_dir or settings.load().data_dir) / FOLDER, utc_now)
    found = {letter.name: letter for letter in kept.all()}
    name = given.show or given.drop
    if name is None:
        for letter in found.values():
            print(f"{letter.name}  {letter.at:%Y-%m-%d %H:%M}Z  {letter.channel}/{letter.account}  {letter.reason}")
        days = KEPT_FOR.days
        print(f"共 {len(found)} 封，保留 {days} 天。/ {len(found)} could not be read; each is kept for {days} days.")
        return 0
    if name not in found:
        print(
            f"没有名为 {name} 的来信；不带参数运行可查看列表。/ Nothing called {name} is kept; run without it for a list.",
            file=sys.stderr,
        )
        return 1
    if given.show:
        print(found[name].content)
    else:
        kept.drop(name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
