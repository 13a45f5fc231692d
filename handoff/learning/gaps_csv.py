"""The gaps of the knowledge base as a CSV file, one line for each question."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from learning.inbox_list_store import Gap
from reporting.export_cells import harmless

COLUMNS = ("gap", "noted_at", "noted_by", "messages", "contacts", "question")


def gaps_csv(gaps: Sequence[tuple[Gap, Sequence[str]]]) -> bytes:
    """Every question of every gap, the newest gap first."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for gap, questions in gaps:
        for question in questions:
            at = gap.at.isoformat(timespec="seconds")
            writer.writerow(
                (
                    gap.decision_id[:12],
                    at,
                    harmless(gap.by_name),
                    len(gap.message_ids),
                    gap.contacts,
                    harmless(question),
                )
            )
    return sheet.getvalue().encode("utf-8-sig")
