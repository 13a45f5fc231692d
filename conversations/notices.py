"""Everything the service itself says to contacts, in Chinese and English."""

from __future__ import annotations

from datetime import datetime

LEAVE_QUEUE = "frontdesk:leave_queue"
RATE = "frontdesk:rate:"
SOLVED = "frontdesk:solved:"
PERSON = "frontdesk:person"

_TEXTS: dict[str, tuple[str, str]] = {
    "queued_first": (
        "已为您转接人工客服，您排在第一位，{wait}。",
        "I'm connecting you to a person. You're next in line, {wait}.",
    ),
    "queued": (
        "已为您转接人工客服，前面还有 {ahead} 位，{wait}。您可以先把情况写在这里，客服接入后就能看到。",
        "I'm connecting you to a person. There {are} ahead of you, {wait}. "
        "Feel free to write down the details meanwhile; they'll be there when someone joins.",
    ),
    "wait": ("预计等待约 {minutes} 分钟", "the wait is about {minutes} min"),
    "wait_hours": ("预计等待约 {hours} 小时", "the wait is about {hours} h"),
    "to_team": ("正在为您转到{team}，{position}", "I'm passing you on to our team “{team}”. {position}"),
    "still_waiting": ("让您久等了。现在{position}", "Thanks for your patience. {position}"),
    "open_again": ("客服已上班。{position}", "Our team is back. {position}"),
    "closed_now": ("抱歉，今天没能接待到您。{position}", "Sorry we didn't get to you in time. {position}"),
    "ask_contact": (
        "如果希望我们打电话或发邮件联系您，请直接在这里回复手机号或邮箱。",
        "If you'd like us to call or e-mail you, just reply with your phone number or e-mail address.",
    ),
    "contact_saved": (
        "好的，已记下 {point}，写进了工单 {ticket}。也可以接着说说您的问题。",
        "Got it: {point} is on ticket {ticket}. Feel free to add what it is about.",
    ),
    "contact_saved_only": (
        "好的，已记下 {point}。也可以接着说说您的问题。",
        "Got it: {point}. Feel free to add what it is about.",
    ),
    "contact_unclear": (
        "这个号码或邮箱好像不完整，请再核对一下发给我们，例如 13800000000 或 name@example.com。",
        "That phone number or e-mail address looks incomplete. Please check it and send it again, "
        "for example +44 7700 900000 or name@example.com.",
    ),
    "closed_ticket": (
        "现在不在人工服务时间。已为您登记工单 {ticket}，客服{opens}上班后会尽快与您联系；您也可以继续在这里留言。",
        "Our team is offline right now. I've opened ticket {ticket} for you, and someone will get back to you "
        "after {opens}. You can add more details here at any time.",
    ),
    "closed": (
        "现在不在人工服务时间。您的留言已保存，客服{opens}上班后会尽快回复您。",
        "Our team is offline right now. Your messages are saved, and someone will reply after {opens}.",
    ),
    "link_code": (
        "想换个渠道接着聊，请在 {minutes} 分钟内到那边发送：/link {code}。这串数字只能用一次，请不要告诉别人。",
        "To carry on somewhere else, send this there within {minutes} minutes: /link {code}. "
        "It works once; please don't share it with anyone.",
    ),
    "link_done": (
        "已接上之前的对话，我们就在这里继续，前面说过的不用再说一遍。",
        "We'll carry on here, right where you left off. No need to repeat anything.",
    ),
    "link_known": (
        "已关联好，以后您在这里说话，我们也知道是您。",
        "All linked. From now on we'll know it's you here, too.",
    ),
    "link_proved": (
        "已确认是您本人，您在其他渠道和我们的对话也接到这里了，说过的不用再说一遍。如果那不是您，请回复“不是我”。",
        "Now that we know it's you, your conversations with us elsewhere carry on here too, so there's no need to repeat "
        'anything. If that wasn\'t you, reply "not me".',
    ),
    "link_parted": (
        "好的，已经分开了。这里只留下您自己的对话，以后也不会再自动接到一起。",
        "All right, they're separate again. Only your own conversation stays here, and they won't be joined by themselves.",
    ),
    "link_stays": (
        "这些对话现在没法自动分开，请说“转人工”，由客服帮您处理。",
        'These can\'t be separated automatically any more. Say "talk to a person" and someone will sort it out.',
    ),
    "link_here": (
        "这串数字就是从您这里发出的，请到另一个渠道发送。",
        "That code came from here. Send it on the other channel.",
    ),
    "link_wrong": (
        "这串数字不对或已过期。请在原来的渠道再发一次 /link，取一个新的。",
        "That code is wrong or has expired. Send /link where you were before to get a new one.",
    ),
    "link_later": (
        "试错的次数太多了，请过一小时再试，或者直接在这里说您的问题。",
        "Too many wrong codes. Please try again in an hour, or just tell us here what you need.",
    ),
    "link_busy": (
        "两边都有客服在为您处理，暂时不能合到一起。请等其中一边结束后再试。",
        "People are already helping you in both places. Please try again once one of them is done.",
    ),
    "link_refused": (
        "这两边登录的是不同的客户账号，不能关联。如果弄错了，请说“转人工”，由客服帮您处理。",
        "These two belong to different customer accounts, so they can't be linked. If that's wrong, say \"talk to a person\".",
    ),
    "opted_out": (
        "好的，以后不再主动给您发通知。您来咨询，我们照样回复。想重新接收，回复“订阅”就行。",
        "Done: no more notifications from us. We'll still answer whenever you write. "
        "Changed your mind? Just reply START.",
    ),
    "opted_out_already": (
        "您已经退订了，我们不会主动给您发通知。想重新接收，回复“订阅”就行。",
        "You're already unsubscribed, so you won't get notifications from us. To get them again, reply START.",
    ),
    "opted_in": (
        "好的，有订单、工单的新消息，我们会及时告诉您。不想再收到，回复“退订”就行。",
        "You're back on: we'll let you know when there's news on your orders and tickets. "
        "Reply STOP at any time to turn it off.",
    ),
    "leave_queue": ("先问机器人", "Ask the bot instead"),
    "left_queue": ("好的，已取消排队，由我继续为您服务。", "All right, you're out of the queue. I'm back to help."),
    "joined": ("客服 {agent} 已接入，正在为您服务。", "{agent} has joined and is with you now."),
    "transferred": (
        "已为您转给客服 {agent}，之前的内容对方都能看到。",
        "{agent} is taking over and can see everything above.",
    ),
    "taken_over": (
        "现在由客服 {agent} 接手为您服务，之前的内容对方都能看到。",
        "{agent} is now looking after you and can see everything above.",
    ),
    "guest_joined": ("客服 {agent} 也加入了会话，一起为您服务。", "{agent} is here too, to help with this."),
    "guest_left": ("客服 {agent} 已离开会话，{owner} 继续为您服务。", "{agent} has left; {owner} is still with you."),
    "requeued": ("正在为您安排更合适的客服，{position}", "I'm finding someone better placed to help. {position}"),
    "lost": (
        "抱歉，客服的连接断开了。已为您优先安排其他客服，{position}",
        "Sorry, the connection to our agent was lost. You're at the front of the line for someone else. {position}",
    ),
    "position_first": ("您排在第一位，{wait}。", "You're next in line, {wait}."),
    "position": ("前面还有 {ahead} 位，{wait}。", "There {are} ahead of you, {wait}."),
    "released": (
        "人工服务已结束，由机器人继续为您服务。需要时请说“转人工”。",
        'The bot is back with you. Say "talk to a person" whenever you need one.',
    ),
    "resolved": ("本次服务已结束，感谢您的咨询。", "This conversation is now closed. Thank you for getting in touch."),
    "rate": (
        "请为本次服务打分，回复 1 到 5 就可以（5 分最满意）。也可以顺便说一声问题解决了没有，例如“5 解决了”或“2 没解决”。"
        "以后不想再收到评价邀请，请回复“不再询问”。",
        "How did we do? Reply with a number from 1 to 5, where 5 is best. You can add whether it was solved, "
        "like “5 solved” or “2 not solved”. Rather not be asked? Reply “don't ask me again”.",
    ),
    "rate_form": ("请为本次服务评价一下。", "How did we do? Please rate this conversation."),
    "rate_nps": (
        "如果愿意，还可以加上“推荐 0–10”，说说您有多愿意把我们推荐给朋友，例如“5 推荐 9”。",
        "If you like, add how likely you are to recommend us, from 0 to 10, like “5 recommend 9”.",
    ),
    "rated": ("感谢您的评价！", "Thank you for your rating!"),
    "rated_solved": ("感谢您的评价！您的问题解决了吗？", "Thank you for your rating! Was your problem solved?"),
    "rating_changed": ("好的，已按您的意思修改了评价。", "All right, I've changed your rating."),
    "rating_kept": ("您的评价我们已经收到了，谢谢！", "We already have your rating, thank you!"),
    "rating_closed": (
        "谢谢您还想着我们！这次评价已经截止了，有什么想说的，直接在这里告诉我们就好。",
        "Thank you for coming back to this! The time to rate it is over, but you can tell us anything right here.",
    ),
    "ask_no_more": (
        "好的，以后不再请您评价。有需要随时找我们。",
        "Understood, we won't ask you for ratings any more. We're here whenever you need us.",
    ),
    "not_solved": (
        "抱歉，问题还没有解决。需要人工客服继续处理的话，回复 1 或“转人工”就可以。",
        "Sorry that it isn't solved yet. If you'd like a person to look into it, reply 1 or \"talk to a person\".",
    ),
    "person": ("转人工", "Talk to a person"),
    "solved_yes": ("解决了", "Solved"),
    "solved_no": ("没解决", "Not solved"),
    "merged": (
        "我们已把这里的对话与您在{channel}的对话合并，客服会在{channel}回复您，请在那边继续。",
        "We've joined this conversation with the one you have with us on {channel}. You'll get your answer there, so please carry on there.",
    ),
    "merged_same": (
        "我们已把这里的对话并入您的另一个对话，客服会在那里回复您，请在那边继续。",
        "We've joined this conversation with the other one you have with us. You'll get your answer there, so please carry on there.",
    ),
    "merge_undone": (
        "我们在这里继续为您服务，您直接在这里说就可以。",
        "We'll carry on here after all. Just write here if there is anything to add.",
    ),
    "dialogue_failed": (
        "抱歉，我这边出了点问题，马上为您转接人工客服。",
        "Sorry, something went wrong on my side. Let me get you a person.",
    ),
    "handoff_angry": (
        "真的很抱歉让您碰上这样的事，换了谁都会着急。我不再让您跟机器人耗着了，马上请同事亲自来处理。",
        "I'm truly sorry this has happened, and I can see how upsetting it is. You shouldn't have to sort this out with a "
        "bot, so I'm getting a colleague to look after you personally.",
    ),
    "handoff_action_failed": (
        "抱歉，这一步还是没能办成。我请同事直接帮您办。",
        "I'm sorry, that still didn't go through. Let me get a colleague to do it for you.",
    ),
    "handoff_two_misses": (
        "抱歉，这个问题我还是没能帮上忙，我请同事来帮您。",
        "I'm sorry, I still can't answer that. Let me get a colleague to help.",
    ),
    "handoff_loop": (
        "看来我一直没有帮到点子上，抱歉。我请同事来接着帮您。",
        "We seem to be going round in circles, sorry about that. Let me get a colleague to take it from here.",
    ),
    "handoff_low_confidence": (
        "我不太确定您的意思，怕答错耽误您。我请同事来帮您。",
        "I'm not sure I understand you well enough, and I don't want to get it wrong. Let me get a colleague.",
    ),
    "handoff_vip": (
        "您是我们的重要会员，我请专属同事来为您服务。",
        "As one of our valued members you can count on a person. Let me get a colleague for you.",
    ),
    "still_working": (
        "这个问题还在处理，请再稍等一下。",
        "I'm still on it; this is taking a little longer than usual.",
    ),
    "file_received": (
        "文件已收到。我看不了文件内容，请用文字说明您的需求；需要人工查看的话，请说“转人工”。",
        "I've received your file. I can't read files, so please tell me in words what you need, or say \"talk to a person\".",
    ),
}

_CHANNELS = {
    "webchat": ("网页客服", "our web chat"),
    "web": ("网页客服", "our web chat"),
    "wechat": ("微信", "WeChat"),
    "wecom": ("企业微信", "WeCom"),
    "dingtalk": ("钉钉", "DingTalk"),
    "feishu": ("飞书", "Feishu"),
    "telegram": ("Telegram", "Telegram"),
    "whatsapp": ("WhatsApp", "WhatsApp"),
    "messenger": ("Messenger", "Messenger"),
    "slack": ("Slack", "Slack"),
    "line": ("LINE", "LINE"),
    "email": ("电子邮件", "e-mail"),
    "sms": ("短信", "text message"),
}

_SCORES = {
    5: ("很满意", "excellent"),
    4: ("满意", "good"),
    3: ("一般", "okay"),
    2: ("不满意", "poor"),
    1: ("很不满意", "very poor"),
}


def notice(name: str, language: str, **values: str | int) -> str:
    """The text called ``name`` in the contact's language; any language but Chinese reads English."""
    return _TEXTS[name][0 if language == "zh" else 1].format(**values)


def channel_name(channel: str, language: str) -> str:
    """A channel as contacts call it."""
    return _CHANNELS.get(channel, ("另一个渠道", "the other channel"))[0 if language == "zh" else 1]


def waiting(name: str, language: str, ahead: int, wait_seconds: float, **values: str) -> str:
    """A notice that tells the position: "queued", or one that holds ``{position}``."""
    wait = _wait(language, wait_seconds)
    are = "is 1 person" if ahead == 1 else f"are {ahead} people"
    if name == "queued":
        return notice("queued" if ahead else "queued_first", language, ahead=ahead, are=are, wait=wait)
    position = notice("position" if ahead else "position_first", language, ahead=ahead, are=are, wait=wait)
    return notice(name, language, position=position, **values)


def closed(
    name: str, language: str, opens_at: datetime | None, now: datetime, ticket: str | None, **values: str
) -> str:
    """The same notice out of hours, with the promise instead; ``opens_at`` is in the desk's own time zone."""
    opens = _moment(language, opens_at, now)
    if ticket:
        promise = notice("closed_ticket", language, ticket=ticket, opens=opens)
    else:
        promise = notice("closed", language, opens=opens)
    return promise if name == "queued" else notice(name, language, position=promise, **values)


def joined(language: str, *sentences: str) -> str:
    """Sentences one after the other; Chinese needs no space between them."""
    return ("" if language == "zh" else " ").join(sentences)


def _wait(language: str, seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    if minutes < 90:
        return notice("wait", language, minutes=minutes)
    return notice("wait_hours", language, hours=round(minutes / 60))


def rating_titles(language: str) -> list[tuple[int, str]]:
    """The rating buttons, best first."""
    return [(score, f"{score} {words[0 if language == 'zh' else 1]}") for score, words in _SCORES.items()]


def _moment(language: str, opens_at: datetime | None, now: datetime) -> str:
    if opens_at is None:
        return "" if language == "zh" else "we reopen"
    days = (opens_at.date() - now.astimezone(opens_at.tzinfo).date()).days
    clock = f"{opens_at:%H:%M}"
    if language == "zh":
        day = {0: "今天", 1: "明天"}.get(days, f"{opens_at.month}月{opens_at.day}日")
        return f"{day} {clock} "
    day = {0: "today", 1: "tomorrow"}.get(days, f"on {opens_at:%A}, {opens_at.day} {opens_at:%B}")
    return f"{clock} {day}"
