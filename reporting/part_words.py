"""What people call the parts of a figure: what it is broken down by, what it is limited to, and which end of it they want."""

from __future__ import annotations

from collections.abc import Mapping

#: What a figure is broken down by, when something says so ("by channel", "各渠道") or nothing else explains the word.
DIMENSION_WORDS: Mapping[str, str] = {
    "channel": "渠道|平台|来源渠道|通道|channel|platform",
    "team": "团队|组|小组|客服组|技能组|部门|班组|team|group|department|squad",
    "agent": "客服|坐席|座席|员工|同事|人员|客服人员|客服代表|agent|human agent|rep|representative|staff|colleague|staff member|teammate",
    "language": "语言|语种|language",
    "intent": "意图|问题类型|业务类型|主题|话题|类型|问题种类|intent|topic|question type|subject|kind of question|type of question|types of question|kinds of question",
    "model": "模型|模型版本|版本|机器人版本|model|model version|version|bot version",
    "reason": "原因|理由|缘由|转人工原因|转接原因|reason|cause|handoff reason|reason for handoff|handover reason|escalation reason|reasons for handoffs|reasons for handing off|reasons for escalation",
    "article": "文章|知识文章|知识条目|条目|知识点|article|knowledge article|help article|knowledge base article",
    "served": "人机|bot vs human|bot and human|bot versus human|human vs bot|bot or human|bots and humans|bot vs agents|bot and agents|human and bot|bot and people|bot vs people"
    "|机器人和人工|机器人与人工|人工和机器人|人工与机器人|机器人还是人工|机器人跟人工|机器人对人工|机器人vs人工|人工vs机器人|机器人和客服|机器人人工",
    "hour": "小时|时段|钟头|时间段|hour|hour of the day|time of day|hour of day",
    "weekday": "星期几|周几|礼拜几|day of the week|day of week|weekday|days of the week",
    "day": "天|日|day|date|日期",
    "week": "周|星期|week",
    "month": "月|月份|month",
}  # fmt: skip
#: Words that name the breakdown and say that one is wanted.
BROKEN_DOWN: Mapping[str, str] = {
    "hour": "每小时|每个小时|逐小时|按时段|分时段|几点|什么时段|什么时候|高峰时段|hourly|peak hour|rush hour|what time|at what time",
    "day": "每天|每日|逐日|逐天|按天|按日|分天|哪天|哪一天|哪几天|daily|day by day|per-day",
    "week": "每周|每星期|逐周|按周|分周|哪周|哪一周|weekly|week by week",
    "month": "每月|每个月|逐月|按月|分月|哪个月|哪月|monthly|month by month",
    "weekday": "按星期|按星期几|周几|星期几|by weekday",
    "agent": "谁|哪位|每人|人均|who",
    "why": "为什么|为啥|为何|why|how come",
    "trend": "趋势|走势|变化趋势|变化曲线|曲线|trend|over time|development|evolution",
}
#: What makes a word behind it a breakdown.
MARKS = (
    "按|按照|各|各个|每|每个|每位|每一个|分|不同|哪个|哪些|哪位|哪几个|哪几|哪几篇|哪几位|哪几条|哪一个|什么|哪|哪种|哪家|哪篇|个别|依|根据|以|所有"
    "|by|per|each|which|every|across|what|split by|broken down by|grouped by|group by|break down by|breakdown by|for each|for every|individual|sorted by|ranked by|ranking of|ranking by|breakdown of|distribution of|split of|different"
)
#: What stands behind it.
MARKS_BEHIND = "分布|排名|排行|排行榜|排序|对比|构成|明细|分别|各自|占比分布|分组|拆分|分析|breakdown|distribution|ranking|comparison|split|pattern|patterns"

HIGHEST = "最多|最高|最长|最大|最频繁|最常见|最常|最忙|最慢|最久|最容易|容易|最经常|最爱|最晚|最需要|主要|最主要|most|highest|longest|top|biggest|largest|slowest|greatest|most common|most frequent|most often|main|leading|busiest|the most|maximum|best of"
MORE = "更多|更高|更长|更大|更慢|更频繁|more|higher|longer|slower|bigger|larger"
LESS = "更少|更低|更短|更小|更快|less|fewer|lower|shorter|faster|quicker|smaller"
BETTER = "更好|更准|更优|better"
WORSE = "更差|更糟|worse"
PLAIN_MORE = "高|多|长|慢|久"
PLAIN_LESS = "低|少|短|快"
PLAIN_BETTER = "好|准|优"
PLAIN_WORSE = "差|糟"
LOWEST = "最少|最低|最短|最小|最快|fewest|lowest|shortest|least|smallest|fastest|quickest|bottom|quietest|rarest|fewest|the least|minimum"
BEST = "最好|最佳|最优|最棒|表现最好|best|best performing"
WORST = "最差|最糟|最不好|垫底|表现最差|倒数|worst|poorest|weakest|worst performing"
#: Words among these that also say which figure, when no other is named.
SAYS_METRIC: Mapping[str, str] = {"最忙": "conversations", "busiest": "conversations", "quietest": "conversations"}

#: Fixed values, by dimension.
VALUES: Mapping[str, Mapping[str, str]] = {
    "channel": {
        "webchat": "网页|网页端|网站|网页聊天|官网|web chat|webchat|web|website|web widget|site chat", "telegram": "telegram|tg|电报",
        "wechat": "微信|公众号|微信公众号|wechat|we chat|weixin", "wecom": "企业微信|企微|wecom|wechat work|we com", "dingtalk": "钉钉|dingtalk",
        "slack": "slack", "messenger": "messenger|facebook|facebook messenger|fb", "whatsapp": "whatsapp|whats app", "email": "邮件|邮箱|电子邮件|email|e-mail|mail",
        "rest": "接口|开放接口|api|rest|rest api", "mqtt": "mqtt", "webhook": "外部程序|webhook", "feishu": "飞书|feishu|lark", "line": "line", "sms": "短信|sms|text message",
    },
    "language": {"zh": "中文|汉语|普通话|简体中文|chinese|mandarin", "en": "英文|英语|english"},
    "served": {
        "bot": "机器人|智能客服|机器人客服|bot|chatbot|the bot|robot",
        "human": "人工|人工客服|人工坐席|真人|真人客服|人工服务|human|human agent|live agent",
    },
    "reason": {
        "asked_for_person": "客户要求|主动要求|要求人工|要求转人工|客户要求转人工|主动转人工|客户主动要求|asked for a person|asked for a human|asked for an agent|wanted a person|wanted a human|customer request|customer asked|requested a human",
        "two_misses": "连续两次没听懂|两次没听懂|连续没听懂|连续未命中|两次未命中|two misses|two misses in a row|missed twice|misunderstood twice",
        "action_failed": "操作失败|执行失败|动作失败|任务失败|failed action|action failed|action failure|failed actions|action failures",
        "dialogue_failed": "机器人故障|机器人出错|机器人异常|对话失败|机器人无响应|bot failure|bot failed|bot error|bot was down|bot failures|bot errors|dialogue failed",
        "taken_over": "接管|人工接管|主动接管|客服接管|taken over|took over|takeover|take over|takeovers",
        "angry": "情绪激动|生气|愤怒|发火|客户生气|客户愤怒|恼火|投诉情绪|angry|anger|upset|furious|angry customer|annoyed|distress",
        "low_confidence": "机器人没把握|没把握|置信度低|低置信度|把握不足|把握低|low confidence|bot unsure|unsure|not sure|uncertain",
        "loop": "来回打转|死循环|打转|绕圈|重复提问|loop|going in circles|in circles|looping",
        "vip": "vip|重要客户|vip客户|贵宾|vip customer",
    },
}  # fmt: skip
#: Everyday words for the product's own intents; what trainers made is called as they called it.
INTENT_WORDS: Mapping[str, str] = {
    "order_status": "订单查询|查单|物流|查物流|order tracking|where is my order|tracking",
    "change_address": "修改地址|改收货地址|address change|changing address|address changes",
    "cancel_order": "取消|退订|cancellation|order cancellation|cancelled order",
    "return_refund": "退款|退货|退换货|退货退款|退换|换货|refund|return|returns and refunds|return refund|refunds and returns",
    "request_invoice": "发票|开票|invoice request|invoicing",
    "open_ticket": "建工单|报修|提工单|ticket opening|new ticket",
    "ticket_status": "工单进度|工单状态|查工单|ticket status",
    "update_contact": "改联系方式|改手机号|contact update",
    "praise": "表扬|夸奖", "insult": "辱骂|骂人", "weather": "天气", "joke": "笑话",
}  # fmt: skip
CHANNEL_TITLES = {"wechat": ("微信", "WeChat"), "webchat": ("网页", "Web chat"), "telegram": ("Telegram", "Telegram")}

CHANGED = (
    "环比|变化|升了还是降了|是升是降|涨了还是跌了|上升还是下降|有没有提升|有没有上升|有没有下降|有没有变好|提升了吗|下降了吗|上升了吗|改善了吗|升了|降了|涨了|跌了|上升|下降|提升|增长|改善"
    "|增加|减少|变好|变差|涨幅|降幅|增幅|improve|improved|improving|better or worse|up or down|went up|went down|gone up|gone down|go up|go down|rise|risen|rose|drop|dropped|fall|fallen|fell|grow|grown|grew|growth"
    "|increase|increased|decrease|decreased|change|changed|week over week|month over month|week on week|month on month|wow|mom"
)
#: Said of durations, of which the reports show the median.
AVERAGE = "平均|均值|平均值|中位数|average|avg|mean|median|typical|on average|usually"
EXCEPT = "除了|除去|除开|除|以外|之外|不含|不算|不包括|不包含|排除|剔除|去掉|非|不是|没有|不|没|except|excluding|exclude|except for|without|other than|apart from|besides|not|no|but not|minus|non|never|ignoring|leaving out|don't|didn't|doesn't|isn't|wasn't|aren't|outside"
CONDITION = (
    "超过|高于|低于|大于|小于|多于|少于|不到|至少|至多|以上|以下|之内解决|分位|百分位|如果|假如|同比|去年同期|早上|上午|中午|下午|晚上|夜间|凌晨|工作日|工作时间|下班后|节假日"
    "|over|above|below|under|more than|less than|fewer than|at least|at most|greater than|higher than|lower than|longer than|shorter than|exceed|exceeding|percentile|p90|p95|p99|if"
    "|morning|afternoon|evening|night|noon|working hours|business hours|office hours|after hours|holiday|year over year|year on year|yoy|correlation|correlate|per cent of|between"
    "|预测|预计|将会|会有|forecast|predict|will|expect|expected"
)
#: Words that ask, point or join, and say nothing about what is asked for.
FILLERS = (
    "的|了|是|有|多少|怎么样|怎样|如何|怎么|请|请问|帮我|帮忙|帮|看|看看|看一下|看下|查|查一下|查下|查看|一下|我|我们|咱们|你|您|想|想要|要|知道|了解|给我|给|显示|列出|列一下|展示|统计|统计一下|吗|呢|吧|啊|呀|啦|么|嘛|几|数据|情况|数量|数|次数|次"
    "|总共|一共|总|总数|总体|整体|全部|全|都|在|里|里面|中|内|上|下|们|与|和|跟|及|以及|或|又|还|也|就|那|那么|这|那个|它|其|出现|发生|来自|来|从|通过|用|于|对|对于|关于|由|被|把|让|到|为|因为|由于|因|所|比例|占比|率|值|时间|时长|得分|分数|分|指标|报表|报告|图|图表|表"
    "|客户|用户|顾客|消费者|人|个|名|位|条|篇|项|目前|至今|到目前为止|截至|现在|当前|进行|处理|回复|回答|接到|收到|产生|做|做了|会|能|可以|能否|麻烦|一天|一天里|一天中|期间|期|段|问题|问|说|提|一个|哪里|多|大概|大约|具体|相关|类|渠道来的|发起|进来|表现|评价|服务|水平|结果|导致|导致的|引起|引起的|造成|造成的|一个|每一|单|经常|常常|总是|老是|时常|通常|一般|最近一次|那边|这边|边|得|大|多大|更|再|进来|比较|挺|很|太|非常|特别|一些|一点|详细|汇总|总结|给出|拉一下|拉个|拉|调出|调|来个|来一份|一份|一张|画|做个|各是|分别是多少|情况如何|咋样|啥|啥样|咋|哈|呗|哦|嗯|你好|您好|谢谢|辛苦|请教|聊了|聊|共|合计|累计|占|占了|占多少|百分之几|百分比|几成|多高|多低|高|低|高不高|低不低|好不好|快不快|快|慢|长不长|多不多|好吗|需要|花|花了|花多久|用了|联系|找|联络|咱|我司|公司|平台上|线上|方面|部分|之间|期间内|整个|整|全天|全月|全周|当天|当日|当月|当周|最终|真的|究竟|到底|其中|有关|涉及|提到|的话|来说|而言|状况|报一下|列|列出来|呈现|输出|算一下|算算|计算|数一下|多少次|多少个|多少人|多少条|收|发|发了|客人|买家|访客|有没有|有无|是否|是不是|毫秒|秒|分钟|秒钟|左右|这类|这种|此类|一类|类型的|这些|那些|哪儿|各种|该|每当|其他人|大家|时候|之后|之前的|后|以来|起|那个时候|能不能|可否|可不可以|一共有|总共有|共有|平均来看|按时间|等|几次|几个|几条|打|打开|跑|跑一下|回|来问|来咨询|问了|收到的|产生的|发生的|发生了|接待了|处理了|回答了|处理过|真实|实际|上报|说明|介绍|分享|请问一下|问一下|想问|我想问|想问下|看下来|看起来|的是|分别是|请给我|知识库|想看|想知道|想了解|多久|多长|多长时间|多快|钱|成本|元|块"
    "|the|a|an|of|for|in|on|at|was|were|is|are|be|been|being|am|show|me|give|get|gets|got|how|many|much|our|we|us|i|my|you|your|did|do|does|done|have|had|has|please|can|could|would|tell|list|want|to|see|know|number|total|count|rate|figure|figures|report|data|stats|statistics|number of|amount"
    "|with|from|and|or|there|it|its|all|that|this|these|those|they|them|their|his|her|via|through|about|so|far|up|until|now|currently|overall|in total|altogether|all together|display|plot|chart|graph|table|find|look|looking|like|come|came|coming|go|went|going|let|let's|lets|need|needed|'s|'|s"
    "|customer|customers|client|user|users|contact|contacts|visitor|visitors|often|frequently|usually|always|regularly|incoming|inbound|pattern|patterns|within 7 days|within seven days|within a week|customers who|people who|those who|users who|contacts who|clients who|visitors who|keep|kept|run|ran|rank|ranked|order of|sort|pull|fetch|present|summary|summarise|summarize|overview|current|actual|really|actually|exactly|approximately|roughly|whole|entire|full|complete|combined|generally|such|own|guest|buyer|shopper|folks|guys|company|business|shop|deal|dealt|serve|served|process|processed|pick|picked|wrote|write|sent|send|arrive|arrived|landed|occurred|occur|experienced|experience|spent|spend|feel|felt|think|thought|would|should|might|i'd|i'm|we're|we've|they|minute|second|hour s|millisecond|ms|sec|min|seconds|minutes|meet|met|hit|hitting|land|leave|leaving|turn up|turned up|show up|did they|say|said|stand|stands|standing|stats for|info|information|details|detail|situation|status of|state of|picture|view|again|each of|both|between us|everybody|everyone|anyone|anybody|someone|somebody|it's|is it|was it|were there|are there|is there|was there|there were|let me see|let us see|breakdown of|on our|in our|of our|coming from|came from|come from|originating|originated|arriving|received|getting|given|rate of|rates|figures for|figure for|how much of|what portion|portion|fraction|part of|what fraction|fared|fare|faring|doing|the day|a day|at all|to date|human being|being|individuals|cost us|us per|put|list of|end up|ended up|wind up|trying|tried|try|able|unable|unit|units|agents' |need to|able to|required|taken by|by our|were they|they were|share|percentage|percent|proportion|ratio|score|scores|value|level|long|often|quickly|fast|well|take|took|taken|make|made|ask|asked|asking|answer|answers|reply|replies|replied|respond|responded|give|given|use|used|handle|handled|handling|receive|received"
    "|hi|hello|hey|thanks|just|only|also|each other|one|ones|when|where|while|during|as|than|into|out|reached|reach|talk|talked|talking|opened|started|begin|began|related|question|questions|time|times|period|per|same|good|great|bad|quick|kind|sort|type|compare|compared|money|cost|costs|perform|performing|performance|desk|support|service|quickly|day's|happen|happened|because|because of|due|due to|caused|after|concerning|regarding|involving|got handed|cases|work|works|worked|our bot's|much did|had the|what's|how's|who's|speak|spoke|end|ended|took place|they're|left|any|some|ever|during the|show us"
    "|people|person|human being|knowledge base|knowledge|and the|versus|vs|against|number|which are|in which|please show|come in|came in|coming in|get handed|look at"
)
