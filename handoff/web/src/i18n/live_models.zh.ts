// 正在服务的版本:上线、对比、退回。
export const liveModels = {
  failed: '读取上线状态失败：{message}',
  now: '当前线上版本', sinceBy: '{time} 起，由 {name} 上线', sinceTrained: '{time} 起，手动训练', none: '还没有机器人报告自己在用哪个模型。',
  running: '进行中的会话', runningNone: '目前没有进行中的会话。', runningOn: '{model}：{n} 个',
  stay: '每个会话从开始到结束都用同一个模型。',
  rollback: '退回 {model}', choose: '其他版本', chooseHint: '选择版本', promote: '上线…', compare: '对比…', stop: '结束对比…', share: '新会话占比',
  noOthers: '还没有其他版本，请先训练一个。', missing: '有机器人缺少此版本', previous: '上一个线上版本',
  comparison: '对比', comparing: '{time} 起，{share}% 的新会话使用 {model}。',
  counts: '{n} 个会话，其中 {running} 个进行中', metric: '指标', live: '线上', candidate: '候选', difference: '差异',
  metrics: { containment: '机器人独立解决', handoffs: '转人工', rating: '平均评分', satisfied: '评 4 分或 5 分', missed: '出现答不上的消息', turns: '每个会话的回答数' },
  verdicts: { better: '更好', worse: '更差', close: '没有明显差别', too_few: '数据还不够' },
  more: '数据还不够：大约还需 {n} 个会话才能看出{size}的差别', sizes: { share: ' 5 个百分点', rating: ' 0.2 分', turns: '半次回答' },
  of: '共 {n}', nothing: '暂无', reasons: '转人工的原因',
  method: '区间为 95% 置信区间，只统计对比开始之后新开的会话。频繁查看、一见好就收，容易把偶然当成效果：请等数据足够再决定。',
  bots: '机器人', botServes: '默认使用 {model}', botLoaded: '已加载：{models}', botAway: '没有响应：{problem}',
  history: '变更记录', byHand: '手动训练', noReplay: '未经回放',
  changes: {
    promote: '{name} 上线了 {live}', compare: '{name} 开始用 {share}% 的新会话对比 {candidate}', stop: '{name} 结束了与 {candidate} 的对比', rollback: '{name} 退回到 {live}', found: '发现 {live} 已在使用',
  },
  sure: {
    promote: '将 {model} 上线？', compare: '将 {model} 与线上版本对比？', stop: '结束对比？', rollback: '退回 {model}？',
    promoteText: '先由每个机器人加载，之后新会话都用它。', compareText: '先由每个机器人加载，之后 {share}% 的新会话用它。', stopText: '新会话只用 {model}；已在候选版本上的会话会用到结束。', rollbackText: '新会话重新使用它；正在进行的对比会结束。',
    running: '以下进行中的会话保持不变：', note: '备注（写入变更记录）', why: '为什么不回放就上线？', whyHint: '至少写一句话，会写入审计记录。',
    unproved: '这个版本还没有用真实会话回放过。', anyway: '不回放，直接上线', working: '机器人正在加载…', cancel: '取消',
    yes: { promote: '上线', compare: '开始对比', stop: '结束对比', rollback: '退回' },
  },
  done: { promote: '{model} 已上线。', compare: '对比已开始。', stop: '对比已结束。', rollback: '已退回 {model}。' },
  refused: {
    changed: '{name} 抢先了一步，现在的状态如下。', changedByOthers: '状态刚刚被改过，现在的状态如下。', no_model: '有机器人没有这个版本：{message}', bot_failed: '没有做任何改动：{message}', blocked: '回放未通过，不能上线：{message}', reason_needed: '请写一句话说明为什么不回放就上线。', live_already: '这个版本已经在线上。', nothing_before: '此前没有其他线上版本。', no_comparison: '已经没有正在进行的对比。', no_bot: '没有机器人响应，请稍后再试。',
  },
}
