// 客户评价页面的文字；与 `ratings.en.ts` 的键一致。
export const ratings = {
  title: '客户评价', intro: '客户对人工和机器人的评价分开统计。回答不足 5 份的数据不显示，以免认出是谁。', introOwn: '客户对您接待的会话的评价。回答不足 5 份的数据不显示，以免认出是谁。',
  weeks: '{n} 周', period: '时间范围', filters: '筛选', all: { team: '全部团队', agent: '全部客服', channel: '全部渠道', language: '两种语言', intent: '全部话题' }, clear: '清除筛选',
  kinds: { human: '人工', bot: '机器人' }, by: { team: '团队', agent: '客服', channel: '渠道', language: '语言', intent: '话题' }, languages: { zh: '中文', en: '英文' }, unknown: '未知',
  csat: '满意率', csatHint: '4 分和 5 分所占比例，附 95% 置信区间', mean: '平均分', meanOf: '满分 {n} 分', interval: '{low}–{high}', response: '回复率', responseOf: '邀请 {asked} 次，收到 {answers} 份', nps: '净推荐值', npsOf: '推荐者 {promoters}，中立者 {passives}，贬损者 {detractors}',
  resolution: '问题解决了吗？', verified: '客户确认已解决', refuted: '客户说没解决', assumed: '推定已解决', resolutionHint: '三者不相加：推定的部分没有得到客户确认。',
  distribution: '分数分布', stars: '{n} 分：{count}', trend: '每周满意率', trendHint: '柱高是满意率，竖线是 95% 置信区间；回答不足 5 份的周留空。', week: '{day} 当周', breakdown: '对比维度', group: '分组', asked: '邀请', answers: '回答',
  few: '不足 5 份回答', protects: '为保护小分组而隐藏', comments: '客户留言', more: '显示全部 {n} 条', noComments: '这段时间没有客户留言。', open: '查看会话', solved: '已解决', notSolved: '没解决', anonymous: '已匿名',
  nothing: '还没有评价', nothingText: '会话结束时会邀请客户评价，收到后显示在这里。', tooFew: '回答太少，暂不显示', tooFewText: '已邀请 {asked} 次，收到 5 份以上回答后显示数据。',
  exportFigures: '导出数据（CSV）', exportComments: '导出留言（CSV）', failed: '无法读取评价：{message}',
}
export const ratingCard = { bot: '机器人', solved: '已解决', notSolved: '没解决', silently: '结束但不邀请评价', silentDone: '已结束，不邀请客户评价。' }
