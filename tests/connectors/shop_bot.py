"""A scripted bilingual bot for conversations through a channel: an answer with its source, a task with buttons, a person."""

from __future__ import annotations

from conversations.model import Citation
from conversations.turn_model import Reply, ReplyButton, TurnRequest, TurnResult


class ShopBot:
    """Knows one article and one order, in Chinese and English."""

    def __init__(self) -> None:
        self.turns: list[TurnRequest] = []

    async def respond(self, request: TurnRequest) -> TurnResult:
        """What is said to a message or a pressed button."""
        self.turns.append(request)
        chinese = any("\u4e00" <= letter <= "\u9fff" for letter in request.text)
        language = "zh" if chinese else "en"
        return TurnResult(tuple(self._said(request, chinese)), {"language": language})

    def _said(self, request: TurnRequest, chinese: bool) -> list[Reply]:
        text, payload = request.text.lower(), request.payload or ""
        if payload.startswith("/cancel"):
            return [Reply(f"订单 {payload[8:]} 已取消。" if chinese else f"Order {payload[8:]} is cancelled.")]
        if payload == "/handoff" or "人工" in text or "person" in text:
            return [Reply("正在为您转接。" if chinese else "I am passing you on.", handoff="asked_for_person")]
        if "取消" in text or "cancel" in text:
            titles = ("A1 风筝", "B2 线轴") if chinese else ("A1 kite", "B2 reel")
            buttons = tuple(ReplyButton(title, f"/cancel {title[:2]}") for title in titles)
            return [Reply("取消哪个订单？" if chinese else "Which order shall I cancel?", buttons)]
        if "退货" in text or "return" in text:
            title = "退货政策" if chinese else "Returns & refunds"
            said = "**30 天**内可以退货。" if chinese else "You can return it within **30 days**."
            url = f"/kb/{'zh' if chinese else 'en'}/returns"
            return [Reply(said, citations=(Citation("p1", "returns", title, said, url),))]
        return [Reply(f"您说：{request.text}" if chinese else f"you said {request.text}")]
