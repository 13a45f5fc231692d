"""What people call the figures, in both languages; the longest words that fit are taken.

Behind each key first the words that name it and nothing else, then the weak ones, which only name it when nothing
stronger stands in the question: "CSAT of refund conversations" asks for the CSAT.
"""

from __future__ import annotations

from collections.abc import Mapping

#: By figure: strong words, weak words; separated by "|".
METRIC_WORDS: Mapping[str, tuple[str, str]] = {
    "conversations": (
        "会话量|会话数|会话数量|会话总数|对话量|对话数|咨询量|咨询数|接待量|接入量|进线量|聊天数|来访量|接待数"
        "|conversation volume|chat volume|conversation count|number of conversations|number of chats|contact volume",
        "会话|对话|咨询|进线|聊天|接待|来访|会话情况|接待情况|conversation|chat|enquiry|enquiries|inquiry|inquiries|session|volume|traffic|case|talk",
    ),
    "messages": ("消息量|消息数|消息总数|消息条数|message volume|message count|number of messages", "消息|message"),
    "turns": (
        "机器人轮次|机器人对话轮次|机器人回复数|机器人回复次数|轮次|轮数|对话轮次|bot turn|bot replies|number of turns", "turn",
    ),
    "handoffs": (
        "转人工量|转人工数|转人工数量|转人工次数|转接人工次数|转人工会话数|number of handoffs|handoff count|handoff volume",
        "转人工|转到人工|转给人工|转接人工|转接|找人工|要人工|求助人工|handoff|hand-off|handover|hand-over|handed off|handed over"
        "|hand off|hand over|escalations|escalated|transfer to human|transfers to humans|transfers to agents|transferred to agents"
        "|passed to a human|passed to people|given to people|transferred to a human|sent to a human|sent to an agent"
        "|transferred to people|asked for humans|handed to a human|handed to humans|handed to people|handed to agents",
    ),
    "bot_share": (
        "机器人接待占比|机器人占比|机器人接待率|机器人独立接待率|机器人独立接待占比|机器人承接率|机器人处理占比|机器人处理比例"
        "|机器人独立处理率|机器人单独接待占比|自动化率|bot share|automation rate|automation|share of the bot|bot only share|share handled by the bot"
        "|share of conversations handled by the bot|share of chats handled by the bot|bot handled share|handled by bot alone"
        "|handled by the bot alone|handled by the bot|conversations the bot handled alone", "",
    ),
    "escalation": (
        "转人工率|转人工比例|转人工占比|转人工的比例|转人工的占比|转接率|升级率|escalation rate|handoff rate|hand-off rate|handover rate"
        "|share handed off|share of conversations handed off|percentage handed off|share of handoffs|percentage of handoffs"
        "|handoff percentage|handoff share|transfer rate|escalation", "",
    ),
    "contained": (
        "自助解决率|机器人解决率|机器人自助解决率|机器人自助率|自助率|拦截率|机器人拦截率|独立解决率|机器人独立解决率|机器人独立解决"
        "|机器人自己解决|自助解决|containment rate|containment|contained|self-service rate|self service rate|self-service|self service"
        "|deflection rate|deflection|bot resolution rate|resolved by the bot|solved by the bot|bot solved alone|resolved without a human|resolved without an agent|resolved without agents|bot resolution", "",
    ),
    "verified": (
        "确认解决率|已确认解决|已确认解决率|确认解决|验证解决率|核实解决率|客户确认解决|客户确认解决率|verified resolution rate|verified resolution"
        "|verified|confirmed resolution|confirmed resolution rate|confirmed as resolved|confirmed as solved|confirmed solved|resolution confirmed", "",
    ),
    "assumed": (
        "推定解决率|推定解决|默认解决率|默认解决|假定解决率|假定解决|视为解决|assumed resolution rate|assumed resolution|assumed resolved"
        "|assumed|presumed resolved|presumed resolution", "",
    ),
    "refuted": (
        "未解决率|未解决|没解决|没有解决|否认解决|否认解决率|未解决比例|没解决的比例|客户说没解决|refuted|refuted resolution|refuted rate|unresolved rate|unresolved"
        "|unsolved|not solved|not resolved|wasn't solved|wasn't resolved|said it was not solved", "",
    ),
    "miss_rate": (
        "未命中率|未识别率|识别失败率|没听懂|听不懂|没听懂的比例|听不懂的比例|没听懂率|未理解率|没理解|答非所问率|兜底率|miss rate|missed turns|misunderstood|misunderstand|misread|misreads|fail to understand|fails to understand|misunderstanding"
        "|not understood|not understand|did not understand|didn't understand|does not understand|doesn't understand|failed to understand"
        "|fallback rate|fallback", "miss|misses",
    ),
    "failed_actions": (
        "操作失败|操作失败数|操作失败次数|办理失败|办理失败数|办理失败次数|执行失败|执行失败次数|动作失败|任务失败|任务失败次数|没办成|没有办成|办不成|失败的操作|失败操作"
        "|failed action|failed actions|action failed|actions failed|action failure|failed task|task failed|tasks failed|task failure|failed turns"
        "|actions that failed|tasks that failed|actions fail|tasks fail", "",
    ),
    "saved_verified": (
        "确认节省|已确认节省|确认节省的成本|确认节省成本|节省的成本|节省成本|节省|节约|省了多少钱|省了多少|省多少钱|省下|省钱|省了"
        "|verified savings|verified saving|confirmed savings|money saved|cost saved|costs saved|saving|savings|save|saved|cost savings|save us", "",
    ),
    "saved_assumed": (
        "推定节省|推定节省成本|推定节省的成本|估计节省|假定节省|默认节省|assumed savings|assumed saving|presumed savings|assumed cost savings|estimated savings", "",
    ),
    "csat": (
        "满意度|满意率|好评率|客户满意度|用户满意度|满意度评分|评分|csat|csat score|satisfaction|satisfaction rate|customer satisfaction|customer satisfaction score"
        "|satisfied|satisfaction score|happy|rating|rating score|happiness", "rated|satisf|pleased|满意",
    ),
    "nps": ("nps|净推荐值|推荐值|净推荐|推荐度|net promoter score|net promoter|promoter score", ""),
    "response_rate": (
        "评价率|参评率|评价回收率|评价参与率|评价回复率|问卷回收率|问卷回复率|评价应答率|response rate|survey response rate|survey response"
        "|rating response rate|share who rated|answered the survey|survey answer rate|rating participation|rated at all|survey participation", "",
    ),
    "first_response": (
        "首次响应时间|首次响应时长|首次响应|首响|首响时间|首响时长|首次回复时间|首次回复|首次回复时长|响应时间|响应时长|响应速度|反应速度|反应时间|回复速度|回复时间|第一次回复"
        "|人工响应时间|人工回复速度|first response time|first response|frt|time to first response|first reply|first reply time|response time|reply time"
        "|time to first reply|time to reply|time to respond|speed of answer|initial response time", "how fast|how quickly",
    ),
    "wait": (
        "等待时间|等待时长|排队时间|排队时长|等了多久|等多久|等待多久|排队多久|排了多久|等多长时间|等了多长时间|等待了多久|要等多久|等了|排队等待时间|waiting time|wait time|waiting|wait|waited|queue time"
        "|queueing time|queuing time|time in queue|time in the queue|queue wait", "等待|排队|queue",
    ),
    "wait_error": (
        "等待预估误差|预估等待误差|预计等待误差|等待时间预测误差|等待预测误差|预估误差|预测误差|等待时间预估误差|等待时间误差|排队预估误差|排队预测误差|预估偏差|等待误差|等待预估偏差"
        "|wait estimate error|wait error|wait forecast error|forecast error|estimate error|waiting time error|error of wait estimates|error of the wait estimate"
        "|error in wait estimates|wait estimate accuracy|expected wait error|wait time error|estimated wait error|wait prediction error", "",
    ),
    "handle_time": (
        "处理时长|处理时间|人工处理时长|人工处理时间|服务时长|处理一个会话|处理一通会话|处理每个会话|接待时长|aht|handle time|handling time"
        "|time spent per conversation|time per conversation", "",
    ),
    "first_contact_resolution": (
        "首次解决率|一次解决率|一次性解决率|首次联系解决率|首解率|首次接触解决率|首次解决|一次解决|fcr|first contact|on first contact|at first contact|first try|first contact resolution|first-contact resolution|first contact resolution rate"
        "|first time resolution|resolved on first contact|solved on first contact|solved at first contact|resolved at first contact|resolved the first time|solved the first time|solved first time", "",
    ),
    "reopened": (
        "重开率|重新打开率|再次来访率|重复进线率|重复咨询率|重复来访率|二次进线率|二次咨询率|回头率|再次咨询率|再次联系|再次来访|回来再问|再次提问|回来再问的|又回来|再来|再次进线|再来咨询|再次咨询|重复进线|重复来访|重开|7天内再次咨询|又来咨询"
        "|reopened|reopen|reopen rate|reopening rate|came back|come back|coming back|repeat contact|repeat contact rate|repeat rate|contacted us again|wrote again|recontact rate", "",
    ),
    "sla": (
        "sla|sla达成率|sla达标率|达标率|承诺达成率|及时率|及时响应率|按时响应率|准时响应率|准时率|按时率|准时|按时|服务水平|响应达标率|sla attainment|sla compliance|sla rate|service level|answered in time|answered on time|within sla"
        "|on time|in time|service level agreement|met sla|kept promises|promises kept", "",
    ),
    "answered": (
        "知识库回答数|知识库答上|知识库回答|知识库命中|知识问答回答数|答上来的问题|答上来|答上了|答上|已回答|回答数|回答了多少问题|知识库回答次数|answered questions|questions answered|knowledge answers"
        "|answered from knowledge|answered by the knowledge base|answered from the knowledge base|knowledge base answers|answers from the knowledge base|questions answered from the knowledge base", "answered",
    ),
    "missed": (
        "没答上来|没有回答上来|回答不了|回答不上来|答不出|答不出来|没找到答案|没答上|未答上来|没回答上来|答不上来|未回答|未回答数|没有回答|没有答案|没答案|知识缺口|知识库没答上来|没答上来的问题|未命中问题|missed questions|unanswered questions|unanswered|questions without an answer|questions without answers|without an answer|no answer"
        "|knowledge gap|not answered|couldn't answer|could not answer|can't answer|cannot answer|failed to answer|didn't answer|did not answer|open questions", "missed",
    ),
    "cited": ("引用次数|引用量|被引用|引用|引用数|使用次数|citation|cited|citations count|quoted|quote|article usage|article use", ""),
    "disliked": (
        "点踩|被踩|被点踩|踩|点踩数|不喜欢|差评文章|差评|负面反馈|disliked|dislike|downvoted|downvote|thumbs down|negative feedback|unhelpful|rated badly", "",
    ),
    "accuracy": (
        "准确率|识别准确率|意图准确率|正确率|准确度|机器人准确率|模型准确率|accuracy|accuracy rate|accurate|准不准|准确吗|准确|识别率|how often was the bot right|how often the bot was right|correct rate|how often is the bot right", "准|更准|right|correct|correctly",
    ),
    "calibration": ("校准误差|校准|置信度校准|置信度误差|期望校准误差|ece|calibration|calibration error|calibrated", ""),
    "latency": (
        "延迟|延时|机器人反应|机器人反应时间|机器人反应速度|机器人响应时间|机器人响应时长|机器人响应速度|机器人回复速度|机器人回复时间|机器人回复时长|机器人耗时|响应延迟|耗时|处理耗时|latency|latencies|bot response time|bot latency|turn latency|bot reply time|bot speed|how fast is the bot"
        "|how fast was the bot|how fast does the bot answer|how fast does the bot reply|how fast did the bot answer|how fast did the bot reply|how quickly does the bot answer|how quickly does the bot reply|how quickly did the bot answer|response time of the bot", "",
    ),
}  # fmt: skip
#: Words for several figures that are never added up, and which these are.
SEVERAL: Mapping[str, tuple[str, ...]] = {
    "解决率|解决|已解决|resolution rate|resolution|resolved|solved|solve rate|resolve rate|solve": (
        "verified",
        "assumed",
        "contained",
    ),
}
#: What a figure is called when it is proposed.
TITLES: Mapping[str, tuple[str, str]] = {
    "conversations": ("会话量", "conversations"), "messages": ("消息量", "messages"), "turns": ("机器人轮次", "bot turns"),
    "handoffs": ("转人工次数", "handoffs"), "bot_share": ("机器人接待占比", "bot share"), "escalation": ("转人工率", "escalation rate"),
    "contained": ("自助解决率", "containment rate"), "verified": ("确认解决率", "verified resolutions"), "assumed": ("推定解决率", "assumed resolutions"),
    "refuted": ("未解决率", "unresolved rate"), "miss_rate": ("未命中率", "miss rate"), "failed_actions": ("办理失败次数", "failed actions"), "saved_verified": ("确认节省", "verified savings"),
    "saved_assumed": ("推定节省", "assumed savings"), "csat": ("满意度", "CSAT"), "nps": ("NPS", "NPS"), "response_rate": ("评价率", "survey response rate"),
    "first_response": ("首次响应时间", "first response time"), "wait": ("等待时间", "waiting time"), "wait_error": ("等待预估误差", "wait estimate error"),
    "handle_time": ("处理时长", "handle time"), "first_contact_resolution": ("首次解决率", "first contact resolution"), "reopened": ("重开率", "reopen rate"),
    "sla": ("SLA达成率", "SLA attainment"), "answered": ("知识库回答数", "questions answered"), "missed": ("没答上来的问题", "unanswered questions"),
    "cited": ("文章引用次数", "article citations"), "disliked": ("文章点踩数", "article dislikes"), "accuracy": ("准确率", "accuracy"),
    "calibration": ("校准误差", "calibration error"), "latency": ("延迟", "bot latency"),
}  # fmt: skip
