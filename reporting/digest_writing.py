"""Writes a digest: as plain text and simple HTML for people, as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from html import escape
from typing import Any

from reporting.answers import Answer
from reporting.catalogue import METRICS, Form
from reporting.digest_words import METRIC_NAMES, WORDS
from reporting.digests import Digest
from reporting.query import Query

_CELL = "padding:6px 12px 6px 0;border-bottom:1px solid #ddd;text-align:left;vertical-align:top"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a digest found; all answers are of one period."""

    digest: Digest
    answers: Sequence[Answer]
    zone: str
    currency: str
    link: str

    @property
    def behind(self) -> int:
        """How many entries were not counted yet."""
        return max((one.behind for one in self.answers), default=0)

    @property
    def asked(self) -> Query:
        """Any of its questions, for their period."""
        return self.answers[0].query


def letter_of(found: Findings) -> dict[str, str]:
    """Subject, text and HTML of a mail."""
    words = WORDS[found.digest.language]
    query, before = found.asked, _before(found.asked)
    period = _period(words, query)
    subject = words["subject"].format(name=found.digest.name, rhythm=words[found.digest.schedule.rhythm], period=period)
    one_day = query.since == query.until
    against = words["against_day" if one_day else "against"].format(
        zone=found.zone, since=before[0].isoformat(), until=before[1].isoformat()
    )
    lines = [(_name(found, one), _value(found, one), _changed(found, one)) for one in found.answers]
    link, behind = words["link"].format(link=found.link), words["behind"].format(n=found.behind) if found.behind else ""
    colon = words["colon"]
    text = "\n".join(
        [subject, against, "", *(f"{name}{colon}{value} [{changed}]" for name, value, changed in lines), ""]
        + ([behind, ""] if behind else [])
        + [link, "", words["why"], ""]
    )
    head = "".join(f'<th style="{_CELL}">{escape(words[one])}</th>' for one in ("figure", "value", "change"))
    rows = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in line) + "</tr>" for line in lines
    )
    html = (
        f'<!doctype html><html lang="{found.digest.language}"><head><meta charset="utf-8"><title>{escape(subject)}</title></head>'
        f'<body style="font-family:sans-serif"><h1 style="font-size:18px">{escape(subject)}</h1><p>{escape(against)}</p>'
        f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        + (f"<p>{escape(behind)}</p>" if behind else "")
        + f'<p><a href="{escape(found.link)}">{escape(link)}</a></p><p style="color:#666">{escape(words["why"])}</p></body></html>'
    )
    return {"subject": subject, "text": text, "html": html}


def body_of(found: Findings) -> str:
    """What a program is posted."""
    before = _before(found.asked)
    digest = {"id": found.digest.id, "name": found.digest.name, "rhythm": found.digest.schedule.rhythm.value}
    form = {
        "type": "report.digest",
        "digest": digest,
        "since": found.asked.since.isoformat(),
        "until": found.asked.until.isoformat(),
        "compared_with": {"since": before[0].isoformat(), "until": before[1].isoformat()},
        "time_zone": found.zone,
        "currency": found.currency,
        "figures": [_figure(one) for one in found.answers],
        "behind": found.behind,
        "link": found.link,
    }
    return json.dumps(form, ensure_ascii=False, separators=(",", ":"))


def _figure(answer: Answer) -> dict[str, Any]:
    metric = METRICS[answer.query.metric]
    return {
        "metric": metric.key,
        "served": _served(answer) or None,
        "form": metric.form.value,
        "better": metric.better,
        **asdict(answer.total),
        "hidden": answer.hidden,
        "change": None if answer.change is None else asdict(answer.change),
    }


def _before(query: Query) -> tuple[Any, Any]:
    days = query.until - query.since
    until = query.since - timedelta(days=1)
    return until - days, until


def _period(words: Any, query: Query) -> str:
    if query.since == query.until:
        return query.since.isoformat()
    return str(words["period"].format(since=query.since.isoformat(), until=query.until.isoformat()))


def _served(answer: Answer) -> str:
    return next(iter(answer.query.filters.get("served", ())), "")


def _name(found: Findings, answer: Answer) -> str:
    language, served = found.digest.language, _served(answer)
    name = METRIC_NAMES[language][answer.query.metric]
    return name + (WORDS[language][served] if served else "")


def _value(found: Findings, answer: Answer) -> str:
    words, total, form = WORDS[found.digest.language], answer.total, METRICS[answer.query.metric].form
    if answer.hidden:
        return words["few"]
    if total.value is None:
        return words["none"]
    written = _written(found, form, total.value)
    if form is Form.SHARE and total.whole is not None:
        return written + words["of"].format(part=total.part, whole=total.whole)
    return written + (words["median"] if form in (Form.SECONDS, Form.MILLISECONDS) else "")


def _changed(found: Findings, answer: Answer) -> str:
    words, change, metric = WORDS[found.digest.language], answer.change, METRICS[answer.query.metric]
    if change is None or change.difference is None:
        return words["no_change"]
    if change.difference == 0:
        return words["same"]
    sign = "+" if change.difference > 0 else "−"
    size = abs(change.difference)
    by = f"{sign}{size * 100:.1f}" if metric.form is Form.SHARE else sign + _written(found, metric.form, size)
    if metric.form is Form.SHARE:
        by = words["points"].format(n=by)
    if change.significant is None:
        return words["open"].format(by=by)
    if not change.significant:
        return words["unsure"].format(by=by)
    if not metric.better:
        return words["changed"].format(by=by)
    return words["better" if (change.difference > 0) == (metric.better > 0) else "worse"].format(by=by)


def _written(found: Findings, form: Form, value: float) -> str:
    words = WORDS[found.digest.language]
    if form is Form.SHARE:
        return f"{value * 100:.1f} %" if found.digest.language == "en" else f"{value * 100:.1f}%"
    if form is Form.MONEY:
        return f"{found.currency} {value:,.2f}"
    if form is Form.MILLISECONDS:
        return words["ms"].format(n=round(value))
    if form is Form.SECONDS:
        whole = round(value)
        if whole >= 3600:
            return words["hours"].format(h=whole // 3600, m=whole % 3600 // 60)
        return words["minutes"].format(m=whole // 60, s=whole % 60) if whole >= 60 else words["seconds"].format(n=whole)
    if form is Form.ERROR:
        return f"{value:.3f}"
    return f"{value:.1f}" if form is Form.POINTS else f"{value:,.0f}"
