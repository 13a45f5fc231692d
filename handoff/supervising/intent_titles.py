"""What the console calls the product's own intents, in Chinese and English; those that trainers made have titles of their own."""

from __future__ import annotations

from collections.abc import Mapping

#: By intent; ``handoff/web/src/i18n`` says the same, which a test looks after.
INTENT_TITLES: Mapping[str, tuple[str, str]] = {
    "order_status": ("查订单", "Order status"),
    "change_address": ("改地址", "Change address"),
    "cancel_order": ("取消订单", "Cancel order"),
    "return_refund": ("退换货", "Return or refund"),
    "request_invoice": ("开发票", "Invoice"),
    "open_ticket": ("提交工单", "Open a ticket"),
    "ticket_status": ("查工单", "Ticket status"),
    "update_contact": ("修改联系方式", "Update contact details"),
    "handoff": ("转人工", "Wants a person"),
    "affirm": ("肯定", "Yes"),
    "deny": ("否定", "No"),
    "stop": ("停止", "Stop"),
    "thanks": ("感谢", "Thanks"),
    "inform": ("提供信息", "Gives information"),
    "greet": ("问候", "Greeting"),
    "goodbye": ("告别", "Goodbye"),
    "ask_knowledge": ("咨询问题", "Question"),
    "clarify": ("不明确", "Unclear"),
    "out_of_scope": ("超出范围", "Out of scope"),
    "how_are_you": ("问好", "How are you"),
    "are_you_a_bot": ("问是否机器人", "Are you a bot"),
    "bot_name": ("问名字", "Asks the name"),
    "capabilities": ("问能做什么", "What can you do"),
    "praise": ("表扬", "Praise"),
    "insult": ("辱骂", "Insult"),
    "joke": ("笑话", "Joke"),
    "weather": ("天气", "Weather"),
    "apology": ("道歉", "Apology"),
    "speak_language": ("换语言", "Change language"),
    "laugh": ("笑", "Laugh"),
    "hold_on": ("稍等", "Hold on"),
}
