"""A bot that speaks of a shop in two languages: a cited answer, a task with buttons, a person."""

from __future__ import annotations

from conversations.model import Citation
from conversations.turn_model import Reply, ReplyButton, TurnRequest, TurnResult

_WORDS = {
    "en": {
        "answer": "**Delivery** takes three to five days.",
        "title": "Delivery",
        "ask": "Which order do you mean?",
        "done": "Order {order} is on its way.",
        "person": "I am getting a colleague.",
        "what": "You said: {text}",
    },
    "zh": {
        "answer": "**配送**需要三到五天。",
        "title": "配送",
        "ask": "您说的是哪个订单？",
        "done": "订单 {order} 正在派送。",
        "person": "正在为您转接人工。",
        "what": "您说：{text}",
    },
}


class ShopBot:
    """Answers by a few words of what it hears, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[TurnRequest] = []

    async def respond(self, request: TurnRequest) -> TurnResult:
        self.asked.append(request)
        language = "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in request.text) else "en"
        if request.payload is not None:
            language = request.payload[-2:] if request.payload[-2:] in _WORDS else language
        return TurnResult(tuple(self.replies(request, _WORDS[language], language)), {"language": language})

    def replies(self, request: TurnRequest, words: dict[str, str], language: str) -> list[Reply]:
        text = request.text.lower()
        if request.payload is not None and request.payload.startswith("/order"):
            return [Reply(words["done"].format(order=request.payload.split()[1]))]
        if "delivery" in text or "配送" in text:
            citation = Citation("p1", "a1", words["title"], words["answer"], f"/articles/{language}/delivery")
            return [Reply(words["answer"], citations=(citation,))]
        if "order" in text or "订单" in text:
            buttons = tuple(ReplyButton(f"A100{place}", f"/order A100{place} {language}") for place in (1, 2, 3))
            return [Reply(words["ask"], buttons=buttons)]
        if "person" in text or "人工" in text:
            return [Reply(words["person"], handoff="asked_for_person")]
        if "long" in text:
            return [Reply("这是一个很长的回答。" * 900)]
        if "two" in text:
            return [Reply("first"), Reply("second")]
        return [Reply(words["what"].format(text=request.text))]
