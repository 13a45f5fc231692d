"""Reviews as the console gets them, and their figures as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from conversations.json_form import moment
from reporting.export_cells import harmless
from reviewing.review_results import Line, Report
from reviewing.review_store import Sample
from reviewing.reviews import Compared
from reviewing.scorecards import Card, card_form
from reviewing.states import DISPUTED_WITHIN, Review, State

RESULT_COLUMNS = (
    "reviewed", "breakdown", "key", "label", "reviews", "mean", "mean_low", "mean_high", "passed", "passed_low", "passed_high",
)  # fmt: skip


def summary_json(one: Review, *, blind: bool = False) -> dict[str, Any]:
    """A review in a list; ``blind`` leaves out who reviewed, and in which sample."""
    return {
        "id": one.id,
        "sample_id": None if blind else one.sample_id,
        "conversation_id": one.conversation_id,
        "subject": one.subject,
        "reviewer_id": None if blind else one.reviewer.id,
        "reviewer_name": None if blind else one.reviewer.name,
        "agent_id": one.agent_id,
        "agent_name": one.agent_name,
        "team_id": one.team_id,
        "calibrates": one.calibrates,
        "state": one.state.value,
        "score": None if one.state is State.DRAFT else one.score.value,
        "passed": None if one.state is State.DRAFT else one.score.passed,
        "created_at": moment(one.created_at),
        "submitted_at": moment(one.submitted_at) if one.submitted_at else None,
        "disputed_at": moment(one.disputed_at) if one.disputed_at else None,
        "decided_at": moment(one.decided_at) if one.decided_at else None,
    }


def review_json(one: Review, card: Card, *, blind: bool = False) -> dict[str, Any]:
    """A whole review with its scorecard."""
    return summary_json(one, blind=blind) | {
        "card": card_form(card),
        "answers": dict(one.answers),
        "comment": one.said.comment,
        "tags": list(one.said.tags),
        "notes": dict(one.said.notes),
        "remarks": [asdict(remark) for remark in one.said.remarks],
        "score": one.score.value,
        "passed": one.score.passed,
        "failed_by": list(one.score.failed_by),
        "revision": one.revision,
        "dispute": one.dispute,
        "disputed_until": moment(one.submitted_at + DISPUTED_WITHIN) if one.submitted_at else None,
        "decision": one.decision,
        "decided_by_name": one.decided_by.name if one.decided_by else None,
        "answers_before": dict(one.answers_before) if one.answers_before is not None else None,
        "score_before": one.score_before,
    }


def sample_json(one: Sample, progress: Sequence[tuple[str, str, int, int]]) -> dict[str, Any]:
    """A sample with how far its reviewers are."""
    return {
        "id": one.id,
        "title": one.title,
        "kind": one.kind,
        "subject": one.subject,
        "card_id": one.card_id,
        "card_version": one.card_version,
        "drawn": one.drawn,
        "drawn_of": one.drawn_of,
        "created_at": moment(one.created_at),
        "by_name": one.by.name,
        "reviewers": [
            {"reviewer_id": id, "reviewer_name": name, "done": done, "of": of} for id, name, done, of in progress
        ],
    }


def compared_json(found: Iterable[Compared]) -> list[dict[str, Any]]:
    """How far reviewers agree, question by question."""
    return [
        {
            "key": one.key,
            "percent": one.agreement.percent,
            "alpha": one.agreement.alpha,
            "pairs": one.agreement.pairs,
        }
        for one in found
    ]


def report_json(one: Report) -> dict[str, Any]:
    """The figures of people, or of the bot."""
    return {
        "subject": one.subject,
        "disputed": one.disputed,
        "changed": one.changed,
        "lines": [asdict(line) for line in one.lines],
    }


def results_csv(reports: Iterable[Report]) -> bytes:
    """One line for each figure; those of fewer than five reviews have none."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(RESULT_COLUMNS)
    for report in reports:
        for line in report.lines:
            writer.writerow(
                [report.subject, line.by, harmless(line.key), harmless(line.label), line.reviews, *_figures(line)]
            )
    return sheet.getvalue().encode("utf-8-sig")


def _figures(line: Line) -> list[str]:
    scores = ["" if one is None else f"{one:.2f}" for one in (line.mean, line.low, line.high)]
    shares = ["" if one is None else f"{one:.4f}" for one in (line.passed, line.passed_low, line.passed_high)]
    return [*scores, *shares]
