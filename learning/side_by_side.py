"""Two results of tests beside each other: figures, what changed for each intent, and lines that only one gets right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Figures that are compared, and whether more is better.
COMPARED = {
    "accuracy": True,
    "macro_f1": True,
    "in_scope_accuracy_at_gate": True,
    "oos_recall": True,
    "oos_auroc": True,
    "ece": False,
    "parse_p50": False,
    "parse_p95": False,
}
_MOST_LINES = 300


def compared(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """``one`` against ``other``; line by line only where both were measured on the same lines."""
    same_set = one.get("set") == other.get("set")
    result: dict[str, Any] = {
        "same_set": same_set,
        "same_thresholds": one.get("thresholds") == other.get("thresholds"),
        "sections": {
            name: _section(one["sections"][name], other["sections"][name])
            for name in one["sections"]
            if name in other["sections"]
        },
        "stories": _stories(one.get("stories") or [], other.get("stories") or []),
    }
    mine, theirs = _by_line(one["wrong"]), _by_line(other["wrong"])
    result["only_one_right"] = _lines(theirs, mine) if same_set else None
    result["only_other_right"] = _lines(mine, theirs) if same_set else None
    return result


def _section(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    figures = {
        name: {"one": one["figures"].get(name), "other": other["figures"].get(name), "more_is_better": better}
        for name, better in COMPARED.items()
    }
    before = {intent["name"]: intent for intent in other["intents"]}
    intents = []
    for intent in one["intents"]:
        known = before.get(intent["name"])
        intents.append({"name": intent["name"], "one": intent["f1"], "other": known["f1"] if known else None})
    intents += [
        {"name": name, "one": None, "other": known["f1"]}
        for name, known in before.items()
        if name not in {intent["name"] for intent in one["intents"]}
    ]
    intents.sort(key=lambda row: (-abs((row["one"] or 0) - (row["other"] or 0)), row["name"]))
    return {"figures": figures, "intents": intents}


def _stories(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    before = {story["name"]: story["passed"] for story in other}
    return [
        {"name": story["name"], "title": story["title"], "one": story["passed"], "other": before[story["name"]]}
        for story in one
        if story["name"] in before and before[story["name"]] != story["passed"]
    ]


def _by_line(wrong: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    return {(line["language"], line["intent"], line["text"]): line for line in wrong}


def _lines(wrong: Mapping[Any, Mapping[str, Any]], right: Mapping[Any, Any]) -> list[Mapping[str, Any]]:
    """The lines that are in the first and not in the second: which the second version gets right."""
    return [line for key, line in wrong.items() if key not in right][:_MOST_LINES]
