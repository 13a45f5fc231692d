"""The words of digests in both languages; the console has its own in ``handoff/web/src/i18n``."""

from __future__ import annotations

from collections.abc import Mapping

METRIC_NAMES: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "conversations": "会话数", "messages": "消息数", "turns": "机器人应答次数", "handoffs": "转人工次数",
        "bot_share": "机器人独立接待率", "escalation": "转人工率", "contained": "机器人独立完成率", "verified": "确认解决率",
        "assumed": "推定解决率", "refuted": "未解决率", "miss_rate": "未命中率", "failed_actions": "办理失败次数", "saved_verified": "节省成本（确认解决）",
        "saved_assumed": "节省成本（推定解决）", "csat": "满意率", "nps": "净推荐值", "response_rate": "评价回复率",
        "first_response": "首次响应时间", "wait": "排队时间", "wait_error": "预计等待误差", "handle_time": "处理时长",
        "first_contact_resolution": "一次解决率", "reopened": "再次来访率", "sla": "按时响应率", "answered": "知识库答上",
        "missed": "知识库没答上", "cited": "文章引用次数", "disliked": "引用后不满意", "accuracy": "应答正确率",
        "calibration": "置信度偏差", "latency": "机器人响应时间",
    },
    "en": {
        "conversations": "Conversations", "messages": "Messages", "turns": "Bot turns", "handoffs": "Handoffs",
        "bot_share": "Bot alone", "escalation": "Escalated", "contained": "Contained", "verified": "Verified solved",
        "assumed": "Assumed solved", "refuted": "Not solved", "miss_rate": "Misses", "failed_actions": "Failed actions", "saved_verified": "Saved, verified",
        "saved_assumed": "Saved, assumed", "csat": "Satisfied", "nps": "Net promoter score",
        "response_rate": "Answered the survey", "first_response": "First response", "wait": "Waiting time",
        "wait_error": "Error of the promised wait", "handle_time": "Handling time",
        "first_contact_resolution": "Solved at first contact", "reopened": "Came back", "sla": "Answered in time",
        "answered": "Answered from articles", "missed": "Without an answer", "cited": "Article citations",
        "disliked": "Disliked citations", "accuracy": "Right turns", "calibration": "Calibration error",
        "latency": "Bot response time",
    },
}  # fmt: skip

WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "daily": "日报", "weekly": "周报", "monthly": "月报", "subject": "{name}：{rhythm} {period}", "period": "{since} 至 {until}",
        "against": "时间按 {zone}，与此前同样天数的 {since} 至 {until} 相比。", "against_day": "时间按 {zone}，与前一天 {since} 相比。",
        "bot": "（机器人）", "human": "（人工）", "colon": "：", "figure": "指标", "value": "数值", "change": "变化",
        "none": "没有数据", "few": "不足 5 份回答，不显示", "of": "（{whole} 中有 {part}）", "was": "上期 {value}",
        "better": "{by}，明显变好", "worse": "{by}，明显变差", "changed": "{by}，明显变化", "unsure": "{by}，无明显变化",
        "open": "{by}，数据太少，无法判断", "same": "持平", "no_change": "无法比较", "points": "{n} 个百分点", "minutes": "{m} 分 {s} 秒",
        "hours": "{h} 小时 {m} 分", "seconds": "{n} 秒", "ms": "{n} 毫秒", "median": "（中位数）", "link": "查看报表：{link}",
        "why": "这封邮件由前台的报表摘要自动发送。主管可以在“报表 → 定期摘要”中修改或停止。",
        "behind": "还有 {n} 条记录没有计入，数字可能略有变化。",
    },
    "en": {
        "daily": "daily digest", "weekly": "weekly digest", "monthly": "monthly digest", "subject": "{name}: {rhythm}, {period}",
        "period": "{since} to {until}", "against": "Days of {zone}, compared with as many days before: {since} to {until}.",
        "against_day": "Days of {zone}, compared with the day before, {since}.",
        "bot": " (bot)", "human": " (people)", "colon": ": ", "figure": "Figure", "value": "Value", "change": "Change",
        "none": "no data", "few": "hidden: fewer than 5 answers", "of": " ({part} of {whole})", "was": "was {value}",
        "better": "{by}, clearly better", "worse": "{by}, clearly worse", "changed": "{by}, a clear change",
        "unsure": "{by}, no clear change", "open": "{by}, too little data to judge", "same": "unchanged",
        "no_change": "nothing to compare with", "points": "{n} points", "minutes": "{m} min {s} s", "hours": "{h} h {m} min", "seconds": "{n} s",
        "ms": "{n} ms", "median": " (median)", "link": "Open the reports: {link}",
        "why": "Frontdesk sends this digest by itself. Supervisors change or stop it under Reports → Digests.",
        "behind": "{n} entries are still to be counted; the figures may change a little.",
    },
}  # fmt: skip
