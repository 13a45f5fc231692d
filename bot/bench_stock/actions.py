"""What a first Rasa bot does for the two turns that need code: a keyword look-up and an order from a dictionary.

Served by the rasa-sdk that Rasa brings with it; the benchmark compares the product with this set-up. So that both sides
carry the same words, it says what the desk said to the same question or order (``STOCK_ANSWERS``), once it has found
an article or an order of its own.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

ARTICLES = Path(__file__).resolve().parents[2] / "knowledge_base" / "articles" / "en"
COMMON = frozenset(
    re.findall(
        r"\w+", "a an and are at be can do does for how i in is it long me my of on or the to what when you your"
    )
)
ANSWERS: dict[str, str] = (
    json.loads(Path(os.environ["STOCK_ANSWERS"]).read_text(encoding="utf-8")) if "STOCK_ANSWERS" in os.environ else {}
)
#: Order number → last 4 digits of the phone, what the order does; the same orders the demo shop has.
ORDERS = {
    "KT20260001": ("2468", "on its way"),
    "KT20260002": ("2468", "paid, being prepared"),
    "KT20260003": ("0123", "on its way"),
    "KT20260004": ("0123", "delivered"),
    "KT20260005": ("2468", "delivered"),
}


def words_of(text: str) -> frozenset[str]:
    """The words of a text that say what it is about."""
    return frozenset(re.findall(r"[a-z0-9]+", text.lower())) - COMMON


def read_articles() -> list[tuple[str, str, frozenset[str], frozenset[str]]]:
    """Title, first paragraph, words of the head (title, questions, tags) and words of the body of every article."""
    articles = []
    for file in sorted(ARTICLES.glob("*.md")):
        _, head, body = file.read_text(encoding="utf-8").split("---\n", 2)
        title = re.search(r"^title: *(.+)$", head, re.MULTILINE)
        first = body.strip().split("\n\n")[0]
        articles.append((title.group(1) if title else file.stem, first, words_of(head), words_of(body)))
    return articles


class AnswerQuestion(Action):
    """Says the first paragraph of the article that shares most words with the question."""

    def __init__(self) -> None:
        self._articles = read_articles()

    def name(self) -> str:
        return "action_answer_question"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        question = " ".join((tracker.latest_message.get("text") or "").split())
        words = words_of(question)
        title, text, _, _ = max(
            self._articles, key=lambda article: 3 * len(words & article[2]) + len(words & article[3])
        )
        dispatcher.utter_message(text=f"{ANSWERS.get(question, text)}\nSource: {title}")
        return []


class ValidateOrderStatusForm(FormValidationAction):
    """Accepts an order number that exists and the digits that belong to it."""

    def name(self) -> str:
        return "validate_order_status_form"

    def validate_order_number(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        number = re.sub(r"[\s-]", "", str(value)).upper()
        if number in ORDERS:
            return {"order_number": number}
        dispatcher.utter_message(text="I cannot find that order.")
        return {"order_number": None}

    def validate_phone_digits(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        if str(value).strip() == ORDERS[tracker.get_slot("order_number")][0]:
            return {"phone_digits": str(value).strip()}
        dispatcher.utter_message(text="Those digits do not match.")
        return {"phone_digits": None}


class OrderStatus(Action):
    """Says what the order does and forgets the form's slots."""

    def name(self) -> str:
        return "action_order_status"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        number = tracker.get_slot("order_number")
        dispatcher.utter_message(text=ANSWERS.get(number, f"Your order {number} is {ORDERS[number][1]}."))
        return [SlotSet("order_number", None), SlotSet("phone_digits", None)]
