"""What an evaluation's figures are made of: intents, confusions, how sure the model was, what the gate did with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from bot.measure import OUT_OF_SCOPE, Parsed, by_intent, figures, reliability

STEPS = 20  #: of the histogram of confidences
MOST_CONFUSIONS = 60
MOST_OF_ONE = 8  #: lines shown of one confusion
_KNOWLEDGE = {"out_of_scope", "ask_knowledge"}  #: what the knowledge base is asked for


def breakdown(texts: Sequence[str], parsed: Sequence[Parsed]) -> dict[str, Any]:
    """Everything the console draws of some lines and what the model made of them."""
    inside = [one for one in parsed if one.intent != OUT_OF_SCOPE]
    outside = [one for one in parsed if one.intent == OUT_OF_SCOPE]
    return {
        "figures": figures(parsed) if parsed and inside else {"test": len(parsed)},
        "intents": [{"name": name, **score} for name, score in by_intent(inside).items()],
        "matrix": matrix(inside),
        "confusions": confusions(texts, parsed),
        "histogram": histogram(inside),
        "reliability": reliability(inside) if inside else [],
        "decided": {"inside": decided(inside), "outside": decided(outside)},
    }


def matrix(inside: Sequence[Parsed]) -> dict[str, Any]:
    """How often each intent was taken for which, as rows of an intent by the columns of what it was taken for."""
    names = sorted({one.intent for one in inside} | {one.predicted for one in inside})
    place = {name: number for number, name in enumerate(names)}
    rows = [[0] * len(names) for _ in names]
    for one in inside:
        rows[place[one.intent]][place[one.predicted]] += 1
    return {"names": names, "rows": rows}


def confusions(texts: Sequence[str], parsed: Sequence[Parsed]) -> list[dict[str, Any]]:
    """What was taken for what, the most frequent first, with the lines of which the model was surest."""
    found: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for text, one in zip(texts, parsed):
        if one.intent != OUT_OF_SCOPE and not one.right:
            found[one.intent, one.predicted].append((one.probability, text))
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        {
            "intent": intent,
            "predicted": predicted,
            "count": len(lines),
            "lines": [
                {"text": text, "confidence": round(sure, 4)}
                for sure, text in sorted(lines, key=lambda line: (-line[0], line[1]))[:MOST_OF_ONE]
            ],
        }
        for (intent, predicted), lines in ordered[:MOST_CONFUSIONS]
    ]


def histogram(inside: Sequence[Parsed]) -> list[dict[str, Any]]:
    """Right and wrong lines by how sure the model was of its best intent."""
    right, wrong = Counter[int](), Counter[int]()
    for one in inside:
        (right if one.right else wrong)[min(int(one.probability * STEPS), STEPS - 1)] += 1
    return [{"from": round(step / STEPS, 4), "right": right[step], "wrong": wrong[step]} for step in range(STEPS)]


def decided(lines: Sequence[Parsed]) -> dict[str, int]:
    """What the thresholds made of the lines: done rightly or wrongly, asked back, or passed on to the knowledge base."""
    count = Counter(_done(one) for one in lines)
    return {name: count[name] for name in ("right", "wrong", "clarified", "passed_on")}


def _done(one: Parsed) -> str:
    if one.decided == "clarify":
        return "clarified"
    if one.decided == one.intent:
        return "right"
    if one.decided in _KNOWLEDGE and (one.intent == OUT_OF_SCOPE or one.decided == "out_of_scope"):
        return "passed_on"
    return "wrong"
