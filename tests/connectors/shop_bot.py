"""The scripted bot of a shop, with which every channel must be able to hold a conversation in Chinese and English."""

from __future__ import annotations

from conversations.model import Citation
from conversations.turn_model import Reply, ReplyButton, TurnRequest, TurnResult

_WORDS = {
    "en": {
        "returns": "You can return it within **30 days**.",
        "returns title": "Returns & refunds [30 days]",
        "delivery": "**Delivery** takes three to five days.",
        "delivery title": "Delivery",
        "cancel which": "Which order shall I cancel?",
        "cancelled": "Order {order} is cancelled.",
        "A1": "A1 kite",
        "B2": "B2 reel",
        "send back which": "Which order is it?",
        "1": "Order one",
        "2": "Order two",
        "sent back": "Return noted for {order}",
        "find which": "Which order do you mean?",
        "found": "Order {order} is on its way.",
        "person": "I am passing you on.",
        "else": "you said {text}",
    },
    "zh": {
        "returns": "**30 天**内可以退货。",
        "returns title": "退货说明［三十天］",
        "delivery": "**配送**需要三到五天。",
        "delivery title": "配送",
        "cancel which": "取消哪个订单？",
        "cancelled": "订单 {order} 已取消。",
        "A1": "A1 风筝",
        "B2": "B2 线轴",
        "send back which": "请选择订单：",
        "1": "订单一",
        "2": "订单二",
        "sent back": "已登记退货 {order}",
        "find which": "您说的是哪个订单？",
        "found": "订单 {order} 正在派送。",
        "person": "正在为您转接。",
        "else": "您说：{text}",
    },
}
#: What a pressed button asks for.
_DONE = {"/cancel": "cancelled", "/return": "sent back", "/order": "found"}


class ShopBot:
    """Quotes an article, does a task with an order that is chosen, or calls a person, and remembers what it was asked."""

    def __init__(self) -> None:
        self.turns: list[TurnRequest] = []

    async def respond(self, request: TurnRequest) -> TurnResult:
        """What is said to a message or a pressed button."""
        self.turns.append(request)
        language = "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in request.text) else "en"
        if request.text.isdigit() and request.language_hint in _WORDS:
            language = request.language_hint
        verb, _, order = (request.payload or "").partition(" ")
        if order[-2:] in _WORDS:  # some buttons say nothing in any language
            order, language = order[:-3], order[-2:]
        words = _WORDS[language]
        if verb in _DONE:
            return TurnResult((Reply(words[_DONE[verb]].format(order=order)),), {"language": language})
        return TurnResult(tuple(_said(request, words, language)), {"language": language})


def _said(request: TurnRequest, words: dict[str, str], language: str) -> list[Reply]:
    text = request.text.lower()
    if request.payload == "/handoff" or "人工" in text or "person" in text:
        return [Reply(words["person"], handoff="asked_for_person")]
    if "退掉" in text or "send back" in text:
        return [Reply(words["send back which"], tuple(ReplyButton(words[one], f"/return {one}") for one in ("1", "2")))]
    if "取消" in text or "cancel" in text:
        return [Reply(words["cancel which"], tuple(ReplyButton(words[one], f"/cancel {one}") for one in ("A1", "B2")))]
    if "退货" in text or "return" in text:
        return [_quoting("returns", words, f"/articles/returns-{language}")]
    if "配送" in text or "delivery" in text:
        return [_quoting("delivery", words, f"/articles/{language}/delivery")]
    if "订单" in text or "order" in text:
        buttons = tuple(ReplyButton(f"A100{place}", f"/order A100{place} {language}") for place in (1, 2, 3))
        return [Reply(words["find which"], buttons)]
    if text == "a long answer":
        return [Reply("这是一个很长的回答。" * 900)]
    if text == "two answers":
        return [Reply("first"), Reply("second")]
    return [Reply(words["else"].format(text=request.text))]


def _quoting(article: str, words: dict[str, str], url: str) -> Reply:
    citation = Citation("p1", article, words[f"{article} title"], words[article], url)
    return Reply(words[article], citations=(citation,))
