"""A bot of a shop, and a conversation that every channel must be able to hold with it."""

from __future__ import annotations

from conversations.model import Citation
from conversations.turn_model import Reply, ReplyButton, TurnRequest, TurnResult

RETURNS = {
    "zh": Citation("p1", "a1", "退货说明（七天）", "签收后七天内可以退货。", "/articles/returns-zh"),
    "en": Citation("p2", "a2", "Returns [7 days]", "You may return within seven days.", "/articles/returns-en"),
}
WORDS = {
    "zh": ("签收后七天内可以退货。\n运费由我们承担。", "请选择订单：", "订单一", "订单二", "已登记退货 "),
    "en": (
        "You may return within seven days.\nWe pay for shipping.",
        "Which order is it?",
        "Order one",
        "Order two",
        "Return noted for ",
    ),
}


class ShopBot:
    """Quotes an article, returns one of two orders, or calls a person."""

    async def respond(self, request: TurnRequest) -> TurnResult:
        language = "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in request.text) else "en"
        if request.text.isdigit() and request.language_hint in WORDS:
            language = request.language_hint
        answer, which, one, two, noted = WORDS[language]
        trace = {"language": language}
        if request.payload is not None and request.payload.startswith("/order"):
            return TurnResult((Reply(noted + request.payload.removeprefix("/order")),), trace)
        if "人工" in request.text or "person" in request.text:
            return TurnResult((Reply("", handoff="asked_for_person"),), trace)
        if "退掉" in request.text or "send back" in request.text:
            buttons = (ReplyButton(one, "/order1"), ReplyButton(two, "/order2"))
            return TurnResult((Reply(which, buttons=buttons),), trace)
        return TurnResult((Reply(answer, citations=(RETURNS[language],)),), trace)
