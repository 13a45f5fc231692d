// 坐席辅助与翻译的中文文案，键与 `assist.en.ts` 完全一致。
import type { assist as Assist, translation as Translation } from './assist.en'

export const assist: typeof Assist = {
  tab: '辅助', pickOne: '打开一个会话，这里会帮您想好怎么回。', lookingFor: '按这句话查找：', updating: '客户又发来消息，正在重新查找…', loading: '正在查找答案…', failed: '辅助信息读取失败：{message}', tryAgain: '重试',
  nothingAsked: '暂时没有要查的内容', nothingAskedText: '客户一提出问题，这里就会给出帮助。',
  suggestion: '推荐回复', noSuggestion: '没有足够可靠的内容可以推荐。', fromArticle: '下面这篇文章回答了这个问题', fromConversations: '有 1 个相似会话里坐席这样回复 | 有 {n} 个相似会话里坐席这样回复', support: '可靠度 {p}',
  phrased: '由 {model} 润色，每句话都与来源核对过', phrasing: '语言模型正在润色…', showQuoted: '看原文引用', showPhrased: '看润色版', notPhrased: '未润色：{reason}',
  bot: '机器人', botSaid: '机器人已回答', botWould: '机器人会这样回答', botLoading: '正在问机器人…', botAway: '机器人暂时没有响应。', botFile: '客户发来的是文件，机器人看不了。', botNothing: '机器人不会再说别的。', botHandsOff: '机器人会转人工。', botSame: '与推荐回复一致。', mayBePhrased: '实际回答可能由语言模型换个说法。', sure: '把握 {p}', understood: '理解为「{intent}」', articleScore: '最佳文章 {p}', buttons: '附带按钮：{titles}',
  would: {
    lead: '没有执行任何操作。下一步机器人会', verify_last4: '核对手机号后四位', start_code: '发送验证码', check_code: '核对验证码', change_address: '修改收货地址', cancel_order: '取消订单', request_return: '发起退换货', request_invoice: '申请发票', open_ticket: '提交工单', open_callback_ticket: '登记回电工单', update_contact: '修改联系方式',
  },
  passages: '知识库文章', noPassages: '没有文章能回答这个问题。', internal: '内部', internalHint: '这篇文章仅供员工阅读。', internalSure: '这篇文章仅供员工阅读。仍要把它的内容插入给客户的回复吗？链接不会一并发送。', internalTitle: '内部文章', insertAnyway: '仍要插入', cancel: '取消', inLanguage: '{language}版', score: '匹配 {p}', openArticle: '打开文章',
  similar: '相似的已结束会话', noSimilar: '没有相似的已结束会话。', alike: '相似 {p}', asked: '客户问：', noReplies: '没有经过坐席。', rated: '评分 {n}/5', notRated: '未评分', by: '由 {name} 解决', byIdle: '无坐席，自动结束', open: '打开会话', masked: '那位客户的姓名和号码已隐去。',
  insert: '插入', insertKey: '插入（Alt+{n}）', inserted: '已插入', key: 'Alt+{n}', cannotInsert: '先接入会话，才能插入。', fillIn: '发送前请把括号里的内容补全。', sources: '随回复发送的来源', removeSource: '不附带来源《{title}》',
  reject: '没有帮助', rejected: '谢谢，已记录。', reasons: { wrong: '内容有误', outdated: '已过时', not_relevant: '答非所问', wrong_tone: '语气不合适', private: '透露太多', other: '其他' },
  pageTitle: '坐席辅助', intro: '给坐席推荐了什么，哪些用上了，哪些没用。', page: '辅助', days: '最近 {n} 天', reportFailed: '报表读取失败：{message}', empty: '还没有展示过', emptyText: '坐席打开辅助标签回复客户后，这里就能看到哪些内容帮上了忙。', partial: '卡片数量超过一份报表的上限，这里只统计最新的部分。',
  kinds: { suggestion: '推荐回复', phrased: '润色回复', bot: '机器人回答', passage: '文章', similar: '相似会话' },
  columns: { kind: '卡片', agent: '坐席', shown: '展示', used: '采用', unchanged: '原样', edited: '修改后', rejected: '拒绝', ignored: '忽略', acceptance: '采用率', edit: '修改幅度', wait: '展示到发送' },
  byKind: '按卡片', byAgent: '按坐席', total: '合计', replies: '{n} 条回复中 {share} 用了辅助', noReplyYet: '还没有在辅助打开时发出的回复。', took: '查找耗时：中位数 {p50}，95 分位 {p95}。', digests: '{resolved} 个已结束会话中，{held} 个可被检索。', rejectedBecause: '拒绝原因', none: '无', seconds: '{n} 秒', ms: '{n} 毫秒',
}

export const translation: typeof Translation = {
  translate: '翻译', translating: '翻译中…', original: '看原文', translated: '由 {model} 翻译', all: '自动翻译这位客户的所有消息', allShort: '全部翻译', hide: '收起译文', failed: '未翻译：{reason}',
  reply: '译成{language}', undo: '恢复我写的内容', kept: '您写的是：{text}', youWrote: '原文：', sent: '以译文发送', retry: '重试',
  reason: {
    number: '译文改动了数字', code_or_name: '译文改动了编号或名称', link: '译文多出了网址', language: '译文语言不对', too_much: '译文多出了内容', meaning: '译文意思不符', same_language: '已经是这种语言', nothing_to_translate: '没有可翻译的文字', too_long: '内容太长', speaks_to_a_machine: '包含对机器下达的指令', timeout: '模型没有及时响应', resting: '模型连续出错，暂时停用', other: '模型没有给出可用的译文',
  },
}
