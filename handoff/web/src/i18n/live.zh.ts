// 见 live.en.ts。
export const live = {
  title: '现场', intro: '此刻所有进行中的会话：谁在等、承诺了什么、谁能接。',
  failed: '看板读取失败：{message}现在看到的可能不是最新，系统会自动重试。', late: '连接已断开，下面是 {time} 的数据。',
  wall: '大屏', states: { queued: '排队中', assigned: '人工接待', bot: '机器人接待', snoozed: '已搁置' }, all: '全部进行中',
  totals: '进行中的会话数', promises: '响应承诺', lateCount: '{n} 个已超时', riskCount: '{n} 个快超时',
  queues: '排队情况', team: '团队', waiting: '排队', oldest: '最久', expected: '预计等待', onDuty: '在岗', status: '状况', noTeam: '未分组', goneTeam: '已停用的团队', opens: '{time} 上班', closed: '下班',
  words: { closed: '已下班', nobody: '无人在岗', late: '承诺已超时', risk: '承诺快超时', waiting: '接待中', clear: '无人排队' },
  agents: '客服', agent: '客服', presence: { online: '在线', away: '离开', offline: '离线' }, load: '接待量', loadOf: '{n}/{most}', offeredToo: '另邀请 {n} 个', unanswered: '最久未回复', showOffline: '显示离线的人（{n}）', noAgents: '现在没有人在岗。', full: '已满',
  conversations: '会话', filters: '筛选会话', anyState: '所有状态', anyTeam: '所有团队', anyAgent: '所有客服', anyChannel: '所有渠道', attention: '需要关注', clear: '清除',
  sort: '排序', sorts: { attention: '需要关注的在前', waiting: '等得最久的在前', promise: '承诺最先到期的在前', mood: '情绪最差的在前', confidence: '机器人最没把握的在前', priority: '优先级高的在前', newest: '最新的在前' },
  needs: { late: '承诺已超时', risk: '承诺快超时', unanswered: '久未回复', upset: '情绪不佳', askedBack: '机器人反问', urgent: '紧急' },
  contact: '客户', state: '状态', waits: '已等', due: '承诺到期', mood: '情绪', bot: '机器人最近一轮', channelLanguage: '渠道', priority: '优先级', languages: { zh: '中文', en: '英文' },
  overdue: '超时 {time}', noWait: '–', offeredTo: '正邀请{name}', confidence: '把握 {p}', noTurn: '–', noPreview: '还没有内容', botSaid: '机器人：', agentSaid: '客服：',
  none: '没有进行中的会话。', noneFits: '没有符合筛选条件的会话。', beyond: '还有 {n} 个会话未列出，请用筛选缩小范围。',
  listen: '旁听', listenTo: '旁听{name}', stop: '结束旁听', seen: '同事能看到您正在查看这个会话，客户看不到。', seenAuditor: '没有人会知道您正在查看这个会话。', openDesk: '在工作台打开', replyDesk: '去工作台回复', gone: '会话读取失败：{message}', loading: '正在读取会话…',
  whisper: '悄悄话', whisperTo: '给{name}的悄悄话', whisperAll: '给同事的备注', whisperHint: '内部备注，会在客服那边响铃提醒，客户永远看不到。', whisperHintAll: '内部备注，客户永远看不到。', whisperPlaceholder: '想提醒什么？', send: '发悄悄话', sendAll: '添加备注', whispered: '已送达{name}。', noted: '备注已写入会话。', notSent: '没有发出：{message}您写的内容还在这里。',
  board: {
    title: '大屏', close: '关闭大屏', full: '全屏', waiting: '人排队', oldest: '最久等待', late: '承诺已超时', risk: '承诺快超时', talking: '人工接待', bot: '机器人接待', online: '在线', away: '离开', free: '空余接待位', minutes: '分', expected: '现在要等', nobody: '无', connected: '实时', lost: '连接已断开', at: '截至 {time}', more: '另有 {n} 个团队', verdict: { danger: '马上处理', warn: '请留意', ok: '一切正常', quiet: '已下班' },
  },
}
