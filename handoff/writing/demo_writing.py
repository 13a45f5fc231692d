"""The demo shop's shared canned replies and macros, so that both can be tried at once; kept once they were edited."""

from __future__ import annotations

from handoff.staff_side import StaffSide
from handoff.writing.canned import SHARED, CannedDraft, checked
from handoff.writing.macro_store import MacroDraft

_BY = "Frontdesk"
_CANNED = (
    CannedDraft(
        "hello",
        "开场问候",
        "Greeting",
        "{{contact.first_name|您}}好，我是客服{{agent.name}}，接下来由我为您服务。我先看一下前面的对话，马上回复您。",
        "Hello {{contact.first_name|there}}, this is {{agent.name}}. Give me a moment to read what you wrote, then I will help you.",
    ),
    CannedDraft(
        "wait",
        "请稍等",
        "One moment",
        "好的，我需要一两分钟核实一下，请您稍等，不用重复发送。",
        "Let me check this for you. It takes a minute or two; please stay in the chat.",
    ),
    CannedDraft(
        "order",
        "订单进度",
        "Order progress",
        "查到了：您的订单 {{order.number}}（{{order.product|您购买的商品}}）目前{{order.status}}。如果到{{date.tomorrow}}还没有更新，请直接回复我，我来催办。",
        "I have found it: your order {{order.number}} ({{order.product|your items}}) is {{order.status}}. If nothing has moved by {{date.tomorrow}}, write back here and I will chase it.",
    ),
    CannedDraft(
        "late",
        "物流延迟致歉",
        "Late parcel",
        "非常抱歉让您久等了。订单 {{order.number}} 的包裹在路上耽搁了，我已联系快递加急处理，{{date.tomorrow}}前给您准确的送达时间。",
        "I am sorry about the delay. The parcel for order {{order.number}} is held up on the way. I have asked the carrier to hurry and will tell you the delivery day by {{date.tomorrow}}.",
    ),
    CannedDraft(
        "refund",
        "退款到账时间",
        "When a refund arrives",
        "退款已经提交。原路退回一般需要 1–3 个工作日，信用卡最长 7 个工作日，到账后会有短信提醒。",
        "Your refund is on its way. It goes back to the way you paid: usually 1 to 3 working days, up to 7 for credit cards.",
    ),
    CannedDraft(
        "return",
        "退货怎么寄",
        "How to send it back",
        "退货请保留原包装和配件，把物品放进快递盒后在“我的订单”里预约上门取件即可。收到并检查后，我们会在 2 个工作日内退款。",
        "Please put the item with its box and accessories into a parcel and book a pick-up under “My orders”. Once it has arrived and been checked, we refund you within 2 working days.",
    ),
    CannedDraft(
        "invoice",
        "发票抬头",
        "Invoice details",
        "可以的，请把发票抬头和税号发给我（个人发票只要姓名），我为订单 {{order.number}} 开好后发到您的邮箱。",
        "Of course. Please send me the name for the invoice and, for a company, the tax number. I will e-mail the invoice for order {{order.number}}.",
    ),
    CannedDraft(
        "ticket",
        "工单已建",
        "Ticket opened",
        "我已经为您登记，工单号是 {{ticket.number}}，目前{{ticket.status|待处理}}。有进展会第一时间在这里通知您。",
        "I have written this down as ticket {{ticket.number}}; it is {{ticket.status|open}}. You will hear from us here as soon as there is news.",
    ),
    CannedDraft(
        "photo",
        "请发照片",
        "Send a photo",
        "麻烦您拍一张能看清问题的照片发过来（连同外包装更好），我这边就能直接判断怎么处理，不用您来回跑。",
        "Could you send a photo that shows the problem, ideally with the packaging? Then I can decide right away what to do.",
    ),
    CannedDraft(
        "transfer",
        "转给同事",
        "Passing you on",
        "这个问题由{{team.name|专门负责的同事}}处理更快，我把前面的情况都写给他们，您不需要再说一遍。",
        "{{team.name|A colleague who knows this well}} can solve this faster. I have written down everything so far, so you need not repeat it.",
    ),
    CannedDraft(
        "more",
        "还有别的问题吗",
        "Anything else?",
        "这样处理您看可以吗？还有其他需要帮忙的，直接告诉我就好。",
        "Does that settle it for you? If there is anything else, just tell me.",
    ),
    CannedDraft(
        "bye",
        "结束语",
        "Closing",
        "感谢您的耐心，祝您生活愉快！以后有问题随时来找我们。",
        "Thank you for your patience, and have a good day. We are here whenever you need us.",
    ),
)
#: titles and steps; "canned:" names a shortcut above
_MACROS: tuple[tuple[str, str, tuple[dict[str, str], ...]], ...] = (
    (
        "道别并结束会话",
        "Say goodbye and resolve",
        ({"verb": "reply", "canned": "bye"}, {"verb": "resolve"}),
    ),
    (
        "物流延迟：致歉并记录",
        "Late parcel: apologise and note it",
        (
            {"verb": "reply", "canned": "late"},
            {"verb": "note", "text": "Late parcel / 物流延迟：{{order.number}}. Carrier asked to hurry / 已催快递。"},
        ),
    ),
    (
        "接入并问候",
        "Accept and greet",
        ({"verb": "accept"}, {"verb": "reply", "canned": "hello"}),
    ),
    (
        "退回排队并说明",
        "Explain and put back in the queue",
        (
            {"verb": "reply", "canned": "transfer"},
            {"verb": "requeue", "note": "Needs a colleague who knows this product / 需要熟悉该产品的同事接手。"},
        ),
    ),
)


async def ensure_demo_writing(side: StaffSide) -> None:
    """Write the demo's canned replies and macros where there are no shared ones yet."""
    now = side.conversations.now()
    if not await side.canned.visible_to(SHARED):
        await side.canned.take_in(SHARED, [checked(draft) for draft in _CANNED], _BY, now)
    if await side.macros.visible_to(SHARED):
        return
    by_shortcut = {one.shortcut: one.id for one in await side.canned.visible_to(SHARED)}
    for title_zh, title_en, steps in _MACROS:
        ready = []
        for step in steps:
            filled = {name: value for name, value in step.items() if name != "canned"}
            if "canned" in step:
                if step["canned"] not in by_shortcut:
                    break
                filled["canned_id"] = by_shortcut[step["canned"]]
            ready.append(filled)
        else:
            kept = await side.macro_steps.checked(side, SHARED, ready)
            await side.macros.add(MacroDraft(SHARED, title_zh, title_en, kept), _BY, now)
