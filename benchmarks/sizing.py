"""How many processes a number of conversations a day takes, from what one turn costs.

    python -m benchmarks.sizing --service-ms 28 --bot-ms 12 --kb 8

turns per second at the peak = conversations × turns each × share of the busiest hour ÷ 3600
processes of a kind          = turns per second × processor ms of a turn ÷ (1000 × how busy a process may be)
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass

CONVERSATIONS = (1_000, 10_000, 100_000, 300_000, 1_000_000)
LEAST = 2  #: of each kind from the first day on which nobody may notice that one died


TURNS, BUSIEST_HOUR, BUSY = 4.0, 0.12, 0.6


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one turn, as ``make load`` prints it."""

    service_ms: float
    bot_ms: float
    database_kb: float
    turns: float = TURNS  #: in a conversation
    busiest_hour: float = BUSIEST_HOUR  #: its share of the day
    busy: float = BUSY  #: of a process; above it waiting grows faster than work


@dataclass(frozen=True, slots=True)
class Size:
    """What a number of conversations a day takes."""

    conversations: int
    turns_per_second: float
    services: int
    bots: int
    gb_per_month: float

    def row(self) -> str:
        """A line of the table in ``docs/scaling.md``."""
        return (
            f"| {self.conversations:,} | {self.turns_per_second:.1f} | {self.services} | {self.bots} "
            f"| {self.gb_per_month:,.1f} |"
        )


def size(conversations: int, cost: Cost) -> Size:
    """The processes and the space that conversations take."""
    peak = conversations * cost.turns * cost.busiest_hour / 3600
    services, bots = (max(LEAST, math.ceil(peak * ms / (1000 * cost.busy))) for ms in (cost.service_ms, cost.bot_ms))
    return Size(conversations, peak, services, bots, conversations * 30 * cost.turns * cost.database_kb / 2**20)


def table(cost: Cost) -> list[str]:
    """The rows for every size there is."""
    return [size(conversations, cost).row() for conversations in CONVERSATIONS]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--service-ms", type=float, required=True)
    parser.add_argument("--bot-ms", type=float, required=True)
    parser.add_argument("--kb", type=float, required=True, dest="database_kb", help="database growth per turn")
    parser.add_argument("--turns", type=float, default=TURNS)
    parser.add_argument("--busiest-hour", type=float, default=BUSIEST_HOUR)
    parser.add_argument("--busy", type=float, default=BUSY)
    print("\n".join(table(Cost(**vars(parser.parse_args(arguments))))))


if __name__ == "__main__":
    main()
