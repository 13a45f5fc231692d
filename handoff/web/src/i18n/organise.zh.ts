// 视图、搜索、标签、优先级、稍后处理、批量操作与合并的中文文字；键与 `organise.en.ts` 完全一致。
import type { organise as Texts } from './organise.en'

export const organise: typeof Texts = {
  view: {
    mine: '我的', queued: '待接入', team: '我的团队', bot: '机器人', all: '进行中', snoozed: '稍后处理', mentions: '提到我', resolved: '已结束',
    groups: { work: '我的工作', desk: '全部会话', filters: '筛选视图' }, count: '{n} 个会话 | {n} 个会话', unseen: '{n} 条新提及 | {n} 条新提及',
  },
  sort: { label: '排序', serving: '接待顺序', newest: '最近有动静', oldest: '最久没动静', waiting: '等得最久', priority: '优先级', opened: '最新会话' },
  empty: {
    team: ['团队暂无会话', '分给您所在团队的会话会出现在这里。'],
    snoozed: ['没有稍后处理的会话', '把会话放一放，到点或客户来消息时会自动回来。'],
    mentions: ['还没有人提到您', '同事在备注里 @ 您时，会话会出现在这里。'],
    filter: ['没有符合条件的会话', '一有符合的会话就会出现在这里；也可以编辑筛选条件。'],
  },
  filter: {
    add: '新建筛选', edit: '编辑筛选', addTitle: '保存筛选视图', editTitle: '编辑筛选视图', name: '名称', namePlaceholder: '例如：紧急且未回复', shared: '共享给所有同事', sharedBy: '{name} 共享', onlyYou: '仅自己可见', conditions: '显示同时满足以下条件的会话', addCondition: '添加条件', choose: '选择条件…', removeCondition: '移除条件：{name}', none: '请至少添加一个条件。',
    save: '保存', cancel: '取消', remove: '删除', removeSure: '删除筛选视图“{name}”？', saved: '筛选视图已保存。', removed: '筛选视图已删除。', up: '上移', down: '下移', fits: '目前没有符合的会话 | 目前有 1 个会话符合 | 目前有 {n} 个会话符合', fitsMany: '目前有 {n} 个以上符合', counting: '正在统计…', outdated: '需要编辑',
    field: {
      status: '状态', channel: '渠道', language: '语言', label: '标签', priority: '优先级', team: '团队', agent: '客服', waiting_longer_minutes: '等待超过', sentiment: '情绪', handoff_reason: '转人工原因', tier: '客户等级', created: '开始时间', updated: '最近动静', unread: '未读', snoozed: '稍后处理',
    },
    me: '我自己', nobody: '无人接待', noTeam: '未分团队', everyLabel: '须全部具备', minutes: '分钟', unreadYes: '有我没看过的消息', snoozedYes: '已设为稍后处理', snoozedNo: '未设为稍后处理', within: '最近几天内', between: '指定日期之间', days: '天', from: '从', to: '到', sentiments: { negative: '负面', neutral: '中性', positive: '正面' }, tiers: { standard: '普通', silver: '银卡', gold: '金卡', vip: 'VIP', black: '黑卡' }, noLabels: '还没有标签。',
  },
  label: {
    add: '标签', change: '标签', search: '查找或新建标签', create: '新建“{title}”', none: '没有符合的标签。', noneYet: '还没有标签，输入名称即可新建。', closed: '新标签请找主管添加。', remove: '移除标签 {title}', manage: '管理标签', manageTitle: '标签', title: '名称', colour: '颜色', archive: '停用', restore: '恢复', archived: '已停用', save: '保存', close: '关闭', intro: '停用的标签仍留在原来的会话上，但不再供选择。',
    colours: { grey: '灰', red: '红', orange: '橙', yellow: '黄', green: '绿', teal: '青', blue: '蓝', indigo: '靛', purple: '紫', pink: '粉' },
  },
  priority: { label: '优先级', none: '无优先级', low: '低', normal: '普通', high: '高', urgent: '紧急' },
  snooze: {
    do: '稍后处理', title: '稍后处理到', hours: '3 小时后', tomorrow: '明天 {time}', monday: '周一 {time}', custom: '其他时间', until: '日期和时间', reason: '原因（选填）', reasonPlaceholder: '例如：等快递回复', submit: '确定', past: '请选择将来的时间。', wake: '立即恢复', hint: '到点或客户来消息时，会话会自动回来。', done: '{time} 再处理。', woken: '会话已回到列表。', chip: '{time} 前', back: '已回来', backTitle: '稍后处理的会话回来了', notYours: '只有接待的客服可以设置稍后处理。', askPerson: '只有排队或人工接待的会话可以稍后处理。',
    cameBack: '稍后处理的会话回来了',
  },
  mention: { chip: '提到我', you: '{name} 提到了您' },
  bulk: {
    select: '选择 {name} 的会话', start: '批量选择', selected: '已选 {n} 个 | 已选 {n} 个', all: '全选当前列表', clear: '取消选择', assign: '分给我', resolve: '结束', resolveSure: '结束 {n} 个会话？系统会邀请客户评价。 | 结束 {n} 个会话？系统会邀请每位客户评价。', done: '已处理 {n} 个会话。 | 已处理 {n} 个会话。', partly: '成功 {done} 个，失败 {failed} 个', failures: '未能处理', close: '关闭', region: '批量操作',
  },
  search: {
    title: '搜索', open: '全文搜索', placeholder: '消息、姓名、电话、邮箱、订单号或工单号', from: '来自', anyone: '所有人', contact: '客户', bot: '机器人', agent: '客服', note: '备注', channel: '渠道', anyChannel: '全部', since: '晚于', until: '早于', messages: '消息', people: '联系人与单号', hits: '没有符合的消息 | 1 条消息 | {n} 条消息', hitsMany: '最近的 {n} 条', more: '显示更多', start: '搜索所有会话', startText: '中文输入任意一两个字即可，英文可输入词的开头，单复数等形式也能找到。按 ↓ 逐条浏览结果。', nothing: '没有找到“{q}”', nothingText: '换短一点的词，或去掉筛选条件再试。', failed: '搜索失败：{message}', crmDown: '客户系统没有响应，订单号和工单号的结果可能不全。', close: '关闭搜索', clear: '清除筛选', customer: '客户', authors: { contact: '客户', bot: '机器人', agent: '客服', system: '系统' },
  },
  merge: {
    do: '合并', title: '合并重复会话', intro: '所选会话会并入这里：消息按时间一起显示，并会告知客户一次在哪里等候回复。', likely: '可能是同一位客户', none: '没有发现重复会话', noneText: '同一客户、电话、邮箱或姓名的会话会列在这里。要合并其他会话，请先打开它再从那里合并。', why: { customer: '同一客户', contact: '同一联系人', address: '电话或邮箱相同', name: '姓名相同，请先核实是否同一人' }, direction: '合并方向', into: '并入当前会话', outOf: '当前会话并入对方', submit: '合并', cancel: '取消', sure: '我已核实双方是同一个人。', done: '已合并，30 分钟内可以撤销。', loading: '正在查找重复会话…', mustBeOpen: '合并后继续的会话须在排队或由客服接待。',
    joined: '{name} 合并', origin: '来自{channel}', undo: '撤销合并', undoSure: '把两个会话重新分开？', undone: '已重新分开。', goesOn: '此会话已并入另一个会话。', openTarget: '打开', thread: '含 {n} 个合并来的会话 | 含 {n} 个合并来的会话', status: '已合并', failed: '读取失败：{message}',
  },
}
