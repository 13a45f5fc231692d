// 控制台的全部中文文字；键与 `en.ts` 完全一致。
import { live } from './live.zh'
import { reports } from './reports.zh'
import { reviews } from './reviews.zh'
import { alerts } from './alerts.zh'
import { digests } from './digests.zh'
import type { Texts } from './en'
import { organise } from './organise.zh'
import { posts } from './posts.zh'
import { pages, phrasing, prompts } from './prompts.zh'
import { writing, writingPages } from './writing.zh'
import { company, teams } from './teams.zh'
import { assist, translation } from './assist.zh'
import { access, audit } from './access.zh'
import { contacts } from './contacts.zh'
import { masked } from './masked.zh'
import { examples } from './examples.zh'
import { ratingCard, ratings } from './ratings.zh'
import { channelPage, channels, letters } from './channels.zh'
import { limits } from './limits.zh'
import { knowledge } from './knowledge.zh'
import { mishaps } from './mishaps.zh'
import { models } from './models.zh'
import { replays } from './replays.zh'
import { measuring } from './measuring.zh'
import { training } from './training.zh'
import { liveModels } from './live_models.zh'
import { reasons, rulePage, rules, signals, summary } from './signals.zh'

export const zh: Texts = {
  organise,
  examples,
  pages: { ...pages, live: live.title, reports: reports.title, reviews: reviews.title, alerts: alerts.title, ...rulePage, ...writingPages, ratings: ratings.title, mishaps: mishaps.title, knowledge: knowledge.title, models: models.title, access: access.title, audit: audit.title, examples: examples.title, ...channelPage },
  writing,
  phrasing,
  posts,
  prompts,
  rules,
  signals,
  summary,
  company,
  teams,
  assist,
  access,
  audit,
  ratings,
  mishaps,
  knowledge,
  models,
  replays,
  measuring,
  training,
  liveModels,
  limits,
  live,
  reports,
  reviews,
  alerts,
  digests,
  ratingCard,
  channels,
  letters,
  translation,
  contacts,
  masked,
  app: { name: '前台', unreachable: '无法连接服务器，请检查网络。', tryAgain: '重试', loading: '加载中…' },
  signIn: {
    title: '登录客服工作台', email: '邮箱', password: '密码', submit: '登录', demo: '演示账号',
    with: '用{name}登录', or: '或者',
    useDemo: '以{name}身份登录', expired: '登录已失效，重新登录后将回到刚才的位置。', offline: '服务器没有响应，请检查网络后重试。',
  },
  role: { agent: '客服', trainer: '训练师', supervisor: '主管', admin: '管理员', auditor: '审计员' },
  top: {
    language: 'EN', toLanguage: '切换到英文', dark: '深色模式', light: '浅色模式', soundOn: '提示音已开', soundOff: '提示音已关', notify: '允许桌面通知', signOut: '退出登录',
    online: '在线', away: '离开', presence: '我的状态', presenceHint: '离开时不会再分配新会话，已接入的会话不受影响。', account: '账号', shortcuts: '键盘快捷键', readOnly: '只读',
  },
  shortcuts: { title: '键盘快捷键', move: '下一个 / 上一个会话', open: '打开会话', search: '搜索', reply: '写回复', note: '写备注', send: '发送', newline: '换行', assist: '插入辅助卡片', close: '关闭会话' },
  connection: { offline: '连接已断开，正在重新连接… 您写的内容不会丢失。', now: '立即重连', live: '实时', connecting: '连接中…' },
  view: { label: '视图' },
  list: {
    search: '搜索消息、姓名、订单号', searchShort: '搜索消息、姓名、订单号', results: '没有找到“{q}” | 1 条结果 | {n} 条结果', waiting: '没有人在排队 | 1 人排队 | {n} 人排队', longest: '最长 {time}', more: '显示更多', label: '会话列表',
    newTurn: '条未读 | 条未读', you: '我：', agent: '客服：', bot: '机器人：', noMessages: '还没有消息', waits: '已等待', failed: '列表读取失败：{message}',
    emptyTitle: { mine: '都处理完了', queued: '没有人在排队', bot: '机器人暂无会话', all: '没有进行中的会话', resolved: '还没有已结束的会话' },
    emptyText: { mine: '您接入的会话会出现在这里。', queued: '有客户需要人工时，会有提示音和角标提醒。', bot: '机器人正在接待的会话会实时出现在这里。', all: '新会话一开始就会出现在这里。', resolved: '结束的会话会留在这里供查阅。' },
    emptySearch: '可以试试更短的词、联系人姓名，或订单号（如 KT20260001）。',
  },
  status: { bot: '机器人接待', queued: '排队中', assigned: '{name} 接待', assignedMe: '我在接待', resolved: '已结束', resolvedIdle: '客户未再回复' },
  reason: { asked_for_person: '要求人工', two_misses: '机器人答不上', action_failed: '办理失败', dialogue_failed: '机器人故障', taken_over: '人工接管', agent_lost: '客服掉线', requeued: '退回排队', transferred: '同事转来', other: '转人工', ...reasons },
  channel: {
    webchat: '网页', telegram: 'Telegram', rest: '接口', wecom: '企业微信', wechat: '微信', dingtalk: '钉钉', slack: 'Slack', messenger: 'Messenger', whatsapp: 'WhatsApp', email: '邮件', feishu: '飞书', line: 'LINE', mqtt: 'MQTT', webhook: '外部程序', sms: '短信', other: '渠道',
  },
  language: { zh: '中文', en: '英文' },
  conversation: {
    none: '请选择一个会话', noneText: '在左侧点选，或按 J、K 移动，按 Enter 打开。', back: '返回列表', accept: '接入', takeOver: '接管', transfer: '转接', requeue: '退回排队', release: '交回机器人', resolve: '结束会话',
    details: '客户资料与机器人记录', hideDetails: '收起资料', notFound: '会话不存在或已被清除。', failed: '会话读取失败：{message}',
    resolveSure: '确定结束会话？客户会收到评价邀请。', releaseSure: '确定交回机器人？从下一条消息起由机器人回答。', requeueTitle: '退回排队', requeueText: '客户会被告知将由其他同事接待，其他客服可以接入。', cancel: '取消', 
    conflict: '其他同事先了一步', refused: '操作未成功', accepted: '已接入会话。', transferred: '已转接给 {name}。', requeued: '已退回排队。', released: '已交回机器人。', resolved: '会话已结束，已邀请客户评价。',
    why: {
      readOnly: '您的角色可以查看会话，但不能回复。', notYours: '会话由 {name} 接待。', resolved: '会话已结束；客户再发消息会开启新会话。', merged: '已并入另一个会话，客户在这里写的内容会显示在那边。', offered: '正在邀请另一位同事接入，稍后即可接入。', queuedFirst: '请先接入会话。', botFirst: '机器人正在回答，接管后即可回复。', alreadyQueued: '会话已在排队。', alreadyBot: '机器人正在接待。', botSpeaks: '机器人正在回答。主管可以接管；客户要求人工时会进入排队。',
    },
  },
  transfer: { title: '转接会话', to: '转给', note: '给同事的备注（客户看不到）', notePlaceholder: '需要让对方知道什么？', submit: '转接', nobody: '现在没有其他客服在线，可以改为退回排队。', holds: '暂无会话 | {n} 个会话 | {n} 个会话', online: '在线', away: '离开', offline: '离线', choose: '请选择同事。' },
  transcript: {
    erased: '内容已删除',
    label: '会话内容', bot: '机器人', you: '我', note: '内部备注', onlyStaff: '仅员工可见', typing: '客户正在输入', why: '为什么？', whyLabel: '机器人为什么这样回答', failedDelivery: '未送达：渠道拒绝了这条消息，客户没有看到。',
    sending: '发送中…', sendFailed: '未发送：{message}', sendOffline: '未发送：没有网络。恢复连接后会自动重发。', retry: '重新发送', discard: '放弃', offered: '提供的按钮', sources: '来源', newMessages: '新消息', empty: '还没有消息', readFailed: '消息读取失败：{message}', image: '图片 {name}', download: '下载 {name}', toBottom: '跳到最新消息', close: '关闭',
  },
  composer: {
    reply: '回复', note: '备注', replyPlaceholder: '回复 {name}…', notePlaceholder: '写给同事的内部备注…', send: '发送', addNote: '添加备注', attach: '添加附件', removeFile: '移除 {name}', uploading: '正在上传 {name}', hint: 'Enter 发送 · Shift+Enter 换行', tooLarge: '{name} 超过 10 MB。', uploadFailed: '{name}：{message}', tooLong: '超出 {n} 个字', mode: '输入类型', 
  },
  contact: {
    tab: '客户', trace: '机器人记录', verified: '身份已核实', unverified: '身份未核实', unverifiedText: '在客户证明身份之前，请勿透露订单或账户信息。', phone: '电话', email: '邮箱', language: '语言', country: '国家/地区', level: '会员等级', points: '积分', since: '注册时间', channel: '渠道', firstSeen: '首次来访',
    orders: '订单', noOrders: '没有订单', crmDown: '客户系统没有响应，暂时看不到订单和工单。', tickets: '工单', noTickets: '没有工单', past: '历史会话', noPast: '这是第一次会话', rating: '评价', noRating: '尚未评价', score: '{n} 分（满分 5 分）', expected: '预计 {date}', showEvents: '物流记录', callback: '已承诺回电', pickOne: '打开会话后，这里显示客户资料。', readPast: '打开查看', current: '返回当前会话',
  },
  level: { standard: '普通', silver: '银卡', gold: '金卡', black: '黑卡' },
  orderStatus: { unpaid: '待付款', paid: '已付款', packed: '已打包', shipped: '运输中', delivered: '已签收', cancelled: '已取消', returned: '已退货' },
  ticketStatus: { open: '待处理', in_progress: '处理中', waiting: '等待客户', resolved: '已解决' },
  trace: {
    none: '机器人在此会话中还没有回答。', intro: '机器人每次回答的由来，最新的在最前。', said: '客户说', understood: '理解为', nothing: '没有意图', ranking: '其他可能', limits: '达到 {answer} 就直接处理，达到 {clarify} 会反问。', barRetrieval: '文章相关度达到 {p} 才引用。',
    verdictAnswer: '把握足够，直接处理。', verdictClarify: '不够确定，介于两个阈值之间。', verdictLow: '把握太低，没有按意图处理。', route: '接下来', routes: { task: '办理业务', smalltalk: '闲聊回应', knowledge: '查询知识库', clarify: '反问确认', handoff: '转给人工' },
    passages: '找到的段落', rules: '规则', actions: '执行的动作', slots: '记住的信息', timings: '耗时', model: '模型', language: '语言', ms: '{n} 毫秒', showTurn: '在会话中查看', cleared: '已清空', technical: '技术细节', total: '合计', understand: '理解', act: '处理', call: '整个往返',
  },
  synonyms: {
    title: '同义词与商品别名', intro: '教机器人听懂客户的说法。保存后从下一个问题起生效。', search: '搜索词语', add: '添加', edit: '编辑', remove: '删除', all: '全部',
    kinds: { synonym: '词语', product: '商品别名' }, kind: { synonym: '词语', product: '商品别名' }, kindLabel: '类型', kindFilter: '显示',
    term: '客户的说法', means: '文章里的说法', meansProduct: '商品', language: '适用语言', languages: { zh: '中文', en: '英文', both: '中英文' }, twoWay: '双向生效', twoWayHint: '勾选后，客户说其中任何一个，机器人都会同时按另一个去找。',
    termHint: '客户怎么写就怎么填，例如“邮费”', meansHint: '知识库文章里的写法，例如“运费”', productHint: '店里的正式商品名，例如“嫩芽扫地机 V1”',
    addTitle: '添加同义词', editTitle: '编辑同义词', save: '保存', cancel: '取消', saved: '已保存，从下一个问题起生效。', removed: '已删除。', removeSure: '确定删除“{term}”？客户再这样说时，机器人可能听不懂。', changed: '{who}，{when}', changedTitle: '最近修改',
    empty: '还没有同义词', emptyText: '客户的叫法和文章里的写法不一样时，在这里加上第一条。', noMatch: '没有找到“{q}”', count: '暂无规则 | {n} 条规则 | {n} 条规则', failed: '列表读取失败：{message}', readOnly: '您的角色可以查看同义词，但不能修改。',
    test: '试一个问题', testHint: '看看机器人会读成什么、找到哪些文章。', testDraft: '保存前先试一试', question: '客户的问题', run: '试一试', reads: '机器人读作', unchanged: '没有用到同义词，问题保持原样。', articles: '找到的文章', none: '没有找到文章。', isNew: '新出现', gone: '不再出现', up: '原第 {n} 位，上升', down: '原第 {n} 位，下降', same: '位置不变', score: '把握 {p}',
    refused: {
      synonym_empty: '两栏都要填写。', synonym_too_long: '每栏最多 80 个字。', synonym_too_common: '这个词几乎每句话都会出现，不能当作别的意思。', synonym_same: '两栏写的是同一个词。', synonym_exists: '已经有这样一条规则了。', synonym_loop: '这条规则会和已有的规则绕成一圈，请把那一条改成双向生效。', synonym_clash: '这个名称已经属于另一件商品。', synonym_too_many: '规则太多了，请先删除不用的。',
    },
  },
  intent: {
    order_status: '查订单', change_address: '改地址', cancel_order: '取消订单', return_refund: '退换货', request_invoice: '开发票', open_ticket: '提交工单', ticket_status: '查工单', update_contact: '修改联系方式', handoff: '转人工', affirm: '肯定', deny: '否定', stop: '停止', thanks: '感谢', inform: '提供信息', greet: '问候', goodbye: '告别', ask_knowledge: '咨询问题', clarify: '不明确', out_of_scope: '超出范围',
    how_are_you: '问好', are_you_a_bot: '问是否机器人', bot_name: '问名字', capabilities: '问能做什么', praise: '表扬', insult: '辱骂', joke: '笑话', weather: '天气', apology: '道歉', speak_language: '换语言', laugh: '笑', hold_on: '稍等',
  },
}
