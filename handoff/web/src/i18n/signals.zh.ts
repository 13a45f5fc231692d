// 客户情绪、转人工原因与转人工规则的中文文字；键与 `signals.en.ts` 一致。
import type { reasons as Reasons, rulePage as RulePage, rules as Rules, signals as Signals, summary as Summary } from './signals.en'

export const reasons: typeof Reasons = { angry: '情绪激动', low_confidence: '机器人没把握', loop: '来回打转', vip: '重要客户' }

export const rulePage: typeof RulePage = { rules: '转人工规则' }

export const signals: typeof Signals = {
  mood: { negative: '不满', neutral: '平静', positive: '满意', angry: '愤怒或焦急', unknown: '情绪未知' },
  moodOf: '这条消息的语气：{mood}',
  why: {
    asked_for_person: '客户要求人工服务。',
    two_misses: '机器人连续几次没有找到答案。',
    action_failed: '机器人替客户办理时没有成功。',
    dialogue_failed: '机器人无响应或出现故障。',
    taken_over: '机器人接待时，同事主动接管。',
    agent_lost: '客服离线太久，会话退回排队。',
    requeued: '同事把会话退回了排队。',
    transferred: '同事把会话转给了本团队。',
    angry: '客户的消息听起来很生气，或十分焦急。',
    low_confidence: '机器人连续几次没弄清客户的意思。',
    loop: '客户反复问同一件事，或机器人反复说同一句话。',
    vip: '该等级的客户由人工接待。',
    other: '会话已转给人工。',
  },
  detail: { anger: '把握 {percent}%', failures: '失败 {n} 次 | 失败 {n} 次', misses: '连续 {n} 次答不上 | 连续 {n} 次答不上', turns: '连续 {n} 次没把握', byContact: '问了 {n} 次', byBot: '同一句答复说了 {n} 次', tier: '等级：{tier}' },
}

export const summary: typeof Summary = {
  title: '会话摘要', show: '展开摘要', hide: '收起摘要', wants: '诉求', unknownWish: '还不明确', facts: '已知信息', tried: '机器人做过', nothing: '还没有', feeling: '情绪', reason: '转接原因', added: '排队时补充', record: '进行中', phrased: '由 {model} 改写；下方信息均来自会话', earlier: '此前：{reasons}',
  article: '给出文章', clarified: '反问 {n} 次 | 反问 {n} 次', missed: '答不上 {n} 次 | 答不上 {n} 次', files: '{n} 个文件 | {n} 个文件', goTo: '定位到这条消息',
  outcome: { done: '已办好', failed: '没办成', stopped: '客户中止', unfinished: '未完成' },
  trend: { worse: '越来越差', better: '逐渐好转', steady: '平稳' },
  order: '订单', ticket: '工单', course: '从第一条到最近一条',
  detail: {
    order_number: '订单号', ticket_number: '工单号', invoice_number: '发票号', tracking_number: '运单号', product: '商品', order_item: '退换商品', return_reason: '退货原因', problem: '问题', new_address: '新地址', invoice_kind: '发票类型', invoice_title: '发票抬头', amount: '金额', date: '日期', contact_field: '要修改', contact_value: '新的内容', phone: '电话', email: '邮箱',
  },
}

export const rules: typeof Rules = {
  title: '转人工规则', intro: '机器人在什么情况下把会话交给人工。修改后几秒内生效，并记入审计。', readOnly: '机器人在什么情况下把会话交给人工。主管和管理员可以修改。',
  always: '始终开启', alwaysText: '客户要求人工，或机器人出了故障，都会立刻转人工，不能关闭。',
  enabled: '开启', off: '关闭', version: '版本 {n} · {name} · {at}', box: '产品默认规则', note: '改了什么、为什么', notePlaceholder: '写给同事看', save: '保存', saved: '已保存为版本 {n}，现已生效。', undo: '撤销我的修改', reset: '恢复产品默认', failed: '规则读取失败：{message}', notSaved: '没有保存：{message}', changed: '尚未保存',
  reason: {
    angry: { name: '客户生气或焦急', text: '每条中英文消息都会判断语气。如果听起来愤怒、绝望或带有威胁，机器人不再给标准答复，而是先安抚，再转人工。' },
    action_failed: { name: '办理失败', text: '取消订单、退货、改地址等没有办成。第一次失败时，机器人会请客户再试一次。' },
    two_misses: { name: '没有找到答案', text: '知识库里没有足够合适的内容。在此之前，机器人会请客户选择或换个说法。' },
    loop: { name: '来回打转', text: '客户一再问同一件事，或机器人一再说同一句话。' },
    low_confidence: { name: '机器人没把握', text: '连续几条消息，机器人都只能猜客户的意思。' },
    vip: { name: '重要客户', text: '指定等级的客户一遇到问题，或第一条消息起，就由人工接待。每个会话只转一次。' },
  },
  threshold: { angry: '需要多大把握', low_confidence: '低于此值算没把握' },
  thresholdHint: { angry: '越低，转人工越多。', low_confidence: '越高，转人工越多。' },
  count: { angry: '生气的消息数', action_failed: '失败次数', two_misses: '连续次数', loop: '重复次数', low_confidence: '连续次数' },
  tiers: '客户等级', tiersHint: '等级名称，用逗号分隔', atOnce: '第一条消息起', atTrouble: '一遇到问题', when: '何时',
  exceptions: '例外', addException: '添加例外', removeException: '删除这条例外', language: '语言', channel: '渠道', any: '不限', anyLanguage: '不限语言', anyChannel: '不限渠道', channelPlaceholder: '如 telegram', needsPlace: '请选择语言或填写渠道。',
  preview: '这样改会怎样？', previewText: '过去 {days} 天，这套规则会把 {total} 个会话中的 {handed} 个转给人工（{percent}%）。', previewNone: '过去 {days} 天没有会话。', previewRun: '用过去 {days} 天试算', previewRunning: '正在统计…', previewCapped: '只统计了最近 {total} 个会话。', previewFailed: '试算失败：{message}', previewHint: '根据已保存的消息和机器人记录统计，不会改动任何数据。',
  history: '历史版本',
}
