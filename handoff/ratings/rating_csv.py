"""The report of ratings as CSV files: the figures, and the comments; both as anonymous as on the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from conversations.rating_report import Group, KindReport
from reporting.export_cells import harmless

FIGURE_COLUMNS = (
    "served_by", "breakdown", "group", "asked", "answers", "csat", "csat_low", "csat_high", "mean",
    "score_1", "score_2", "score_3", "score_4", "score_5", "verified", "refuted", "assumed", "hidden",
)  # fmt: skip
COMMENT_COLUMNS = ("served_by", "week", "score", "solved", "agent", "comment")


def figures_csv(reports: Iterable[KindReport]) -> bytes:
    """One line for each group; those that may not be shown say why instead."""
    rows: list[Sequence[object]] = []
    for report in reports:
        for group in (report.total, *report.groups, *report.weeks):
            rows.append((report.kind.value, group.breakdown, group.label or group.key, group.asked, *_figures(group)))
    return _written(FIGURE_COLUMNS, rows)


def comments_csv(reports: Iterable[KindReport], hide: Callable[[str], str]) -> bytes:
    """One line for each comment; ``hide`` masks what its reader may not see."""
    rows = [
        (
            report.kind.value,
            one.week.isoformat() if one.week else "",
            _shown(one.score),
            _yes(one.solved),
            one.agent or "",
            hide(one.text),
        )
        for report in reports
        for one in report.comments
    ]
    return _written(COMMENT_COLUMNS, rows)


def _figures(group: Group) -> tuple[object, ...]:
    figures = group.figures
    if figures is None:
        return (*[""] * 13, group.hidden.value if group.hidden else "")
    shares = (f"{figures.csat:.4f}", f"{figures.low:.4f}", f"{figures.high:.4f}", f"{figures.mean:.2f}")
    return (
        figures.answers, *shares, *figures.distribution, figures.verified, figures.refuted, figures.assumed, ""
    )  # fmt: skip


def _shown(value: object) -> object:
    return "" if value is None else value


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _written(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([harmless(value) if isinstance(value, str) else value for value in row])
    return sheet.getvalue().encode("utf-8-sig")
