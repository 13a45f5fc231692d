// 团队、分配和多人协作的中文文字；键与 `teams.en.ts` 完全一致。
import type { company as Company, teams as Teams } from './teams.en'

export const company: typeof Company = {
  offer: '{name} 正在等待人工', offerTeam: '{team}', invited: '{owner} 请您协助接待 {name}', accept: '接入', decline: '婉拒', join: '加入', later: '暂不', seconds: '剩 {n} 秒', requests: '待您回应',
  missed: '已超时，转给其他同事了。', declined: '已婉拒，将邀请下一位同事。',
  handedToMe: '{by} 把与 {name} 的会话转给了您。', bargedIn: '{by} 加入了您与 {name} 的会话。', takenOver: '{by} 接手了您与 {name} 的会话。', open: '查看',
  participants: '还有', supervisor: '主管', pending: '已邀请', remove: '请 {name} 离开', leave: '离开会话', joinThis: '加入会话', bargeIn: '以主管身份加入', takeOver: '从 {name} 手中接手', takeOverSure: '确定从 {name} 手中接手？对方和客户都会收到提示。', bargeInHint: '您可以发言，会话仍由 {name} 负责；客户会看到提示。',
  invite: '邀请同事', inviteTitle: '邀请同事协助', inviteText: '两人都能发言，会话仍归您。同事加入后客户会看到提示。', inviteSubmit: '邀请', nobody: '现在没有其他客服在线。',
  inviteDone: '已邀请 {name}。', left: '您已离开会话。', joined: '您已加入会话。', removed: '{name} 已不在会话中。', tookOver: '会话已由您负责。',
  toAgent: '转给客服', toTeam: '转给团队', teamHint: '客户会排在该团队队列的最前面。', load: '{n} / {capacity}', atCapacity: '已满', full: '{name} 同时接待的会话已满（{load}），客户可能要多等一会儿。', anyway: '仍然转接', noTeams: '目前只有一个团队，可在“团队”页面添加。', transferredTeam: '已转给{name}。',
  place: '第 {n} 位', told: '告知约 {n} 分钟', late: '首次回复已超时', due: '距首次回复时限 {time}', skills: '需要：{skills}', contactPoint: '联系方式：{point}', offeredTo: '正在邀请 {name}', team: '团队', tier: { vip: 'VIP', gold: '金卡', silver: '银卡', standard: '' },
}

export const teams: typeof Teams = {
  title: '团队', intro: '谁在什么时间、用什么方式接待哪些会话。修改后从下一次转人工起生效。', tabs: '本页内容', tabTeams: '团队', tabRules: '分配规则', tabPeople: '成员能力', tabWaits: '等待时间',
  add: '添加团队', edit: '编辑{name}', remove: '删除', removeSure: '删除“{name}”？正在排队的客户将由全体客服接待。', save: '保存', cancel: '取消', saved: '已保存。', removed: '已删除。', failed: '团队读取失败：{message}', changed: '{name} 修改于 {at}',
  readOnly: '由主管和管理员修改。', isDefault: '接待其他团队都不接的会话', inactive: '已停用', everybody: '全体在线客服', members: '没有成员 | 1 名成员 | {n} 名成员',
  mode: { pull: '客服自行接入', offer: '逐个邀请' }, modeHint: { pull: '谁有空，谁接下一个。', offer: '先邀请一位客服；超时未接，再邀请下一位。' },
  name: '名称', nameZh: '中文名称', nameEn: '英文名称', nameHint: '转接时客户会看到。', howServed: '接待方式', offerSeconds: '邀请时限（秒）', capacity: '每人同时接待数', pullOver: '客服可以超过上限自行接入', firstResponse: '首次回复时限（分钟）', firstResponseHint: '快到时限的先接待。', active: '启用',
  serves: '接待范围', servesHint: '没有匹配的规则时按这里分配；全部留空则只接规则或同事转来的会话。', channels: '渠道', intents: '话题', languages: '语言', skills: '需要的技能', skillsHint: '用逗号分隔，例如：退款, 技术', listHint: '用逗号分隔，例如：{example}', whom: '成员', whomHint: '不选则为全体在线客服。',
  hours: '工作时间', hoursHint: '例如 Mon-Fri 09:00-18:00, Sat 10:00-14:00。留空：沿用服务台时间；always：全天。', zone: '时区', deskHours: '服务台时间', always: '全天', holidays: '节假日与特殊日期', holidayFirst: '开始', holidayLast: '结束', holidayHours: '时间', holidayHoursHint: '留空为休息', holidayName: '名称', addHoliday: '添加日期', removeHoliday: '删除{name}', noHolidays: '无',
  problem: { nobody: '团队里还没有人。', skill: '团队里没有人会“{detail}”。', language: '团队里没有人能用{detail}接待。' },
  rulesIntro: '从上到下，第一条符合的规则决定由哪个团队接待；都不符合时，按团队的接待范围分配。', noRules: '还没有规则', noRulesText: '目前按团队的接待范围分配。', addRule: '添加规则', ruleTo: '转到', ruleIf: '条件', anything: '不限', topics: '话题或转人工原因', tiers: '客户', tier: { standard: '普通', silver: '银卡', gold: '金卡', vip: 'VIP' }, needs: '需要技能', onlyOpen: '仅在该团队上班时', up: '上移规则 {n}', down: '下移规则 {n}', removeRule: '删除规则 {n}', rule: '规则 {n}', enabled: '启用', unsaved: '尚未保存。', discard: '撤销',
  peopleIntro: '每位客服会什么，同时接待多少个会话。', person: '客服', personCapacity: '同时接待', can: '技能', personCapacityHint: '按团队', noPeople: '还没有客服',
  waitsIntro: '客户开始排队时我们说要等多久，实际等了多久。只比较最终有客服接入的排队。', day: '日期', waits: '排队', accepted: '已接入', left: '返回机器人', expected: '告知', actual: '实际', error: '相差', lateShare: '超出告知', noWaits: '这段时间没有人排队', days: '最近 {n} 天', median: '中位数', minutes: '{n} 分钟', seconds: '{n} 秒',
}
