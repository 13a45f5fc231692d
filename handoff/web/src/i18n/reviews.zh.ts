// 质检页面，以及用大白话说明机器人的每一轮；键与 `reviews.en.ts` 一致。
export const reviews = {
  title: '质检', intro: '重读已结束的对话，按质检表打分。', introOwn: '质检员对您的对话的评价。每份质检可在 14 天内申诉一次。', failed: '无法读取：{message}', comma: '、',
  tabs: { mine: '待我质检', about: '关于我', disputes: '申诉', all: '已提交', samples: '样本', results: '结果', cards: '质检表' },
  empty: { mine: '没有待质检的对话。主管可在“样本”中抽取。', about: '还没有人质检过您的对话。', disputes: '没有待处理的申诉。', all: '还没有提交过质检。', samples: '还没有样本，先抽一批吧。' },
  subject: { bot: '机器人', human: '客服', both: '客服与机器人' }, states: { draft: '草稿', submitted: '已提交', disputed: '申诉中', upheld: '维持原判', changed: '已改判' },
  list: { what: '被质检', reviewer: '质检员', state: '状态', score: '得分', when: '时间', open: '打开' }, calibrates: '校准', score: '{n} 分', noScore: '无得分', passed: '合格', notPassed: '不合格', critical: '关键项', weight: '权重 {n}',
  back: '返回列表', transcript: '对话', form: '质检表', version: '第 {n} 版', contact: '客户', bot: '机器人', agent: '客服', why: '机器人为什么这么说', remark: '评论这条消息', remarkFor: '对第 {n} 条消息的评论', toInbox: '送进训练师收件箱', sentToInbox: '已送出，几秒后训练师会在收件箱里看到。',
  answers: { yes: '是', no: '否', na: '不适用' }, note: '写备注', noteFor: '对“{question}”的备注', noteHint: '为什么这样评', allTeams: '所有团队', comment: '总评', tags: '标签（用逗号分隔）', save: '保存草稿', submit: '提交', saved: '草稿已保存。', submitted: '已提交。', submitSure: '提交后不能再修改。确定提交吗？', left: '还有 {n} 题未答', cancel: '取消',
  dispute: { title: '对结果提出申诉', reason: '您不同意哪一点？', send: '提交申诉', until: '{date} 前可申诉一次。', said: '客服的申诉', done: '已提交申诉，将由另一位主管裁定。' },
  decide: { title: '裁定申诉', reason: '理由（客服会看到）', uphold: '维持原判', change: '按上面的答案改判', hint: '如需改判，请先在质检表上修改答案。', said: '{name} 的裁定', before: '原为 {n} 分', done: '已裁定。', own: '这份质检是您做的，需由另一位主管裁定。' },
  sample: {
    make: '抽取样本', title: '名称', kind: '抽取方式', kinds: { random: '随机', targeted: '定向', calibration: '质检员校准' }, subject: '质检对象', card: '质检表', reviewers: '质检员', each: '每人几条对话', days: '最近几天内结束', seed: '随机种子', seedHint: '同一种子会抽到同样的对话；留空则自动生成。', stratum: '均衡抽取', strata: { none: '不分组', agent: '按客服', channel: '按渠道' },
    criteria: '只要符合这些条件的对话', rating: '评分不高于', refuted: '客户说没解决', misses: '未答上的问题至少', wait: '等待至少（秒）', negative: '情绪负面', handedOff: '机器人转过人工', channel: '渠道', language: '语言', intent: '意图', agent: '客服', team: '团队', any: '不限',
    preview: '看看有多少', fitting: '有 {n} 条对话符合条件，将分出 {reviews} 份质检。', draw: '抽取', drawn: '已完成 {done}/{of} · 种子 {seed} · 从 {n} 条中抽取', progress: '{name}：{done}/{of}', open: '查看', blind: '所有人提交之前，谁也看不到别人的答案。', agreement: '逐题一致性', question: '问题', percent: '答案相同', alpha: 'Krippendorff α', pairs: '对数', undefined: '无法计算', conversation: '对话 {n}',
  },
  results: { days: '最近 {n} 天', period: '时间范围', export: '导出（CSV）', by: { agent: '客服', team: '团队', week: '起始周', question: '问题' }, mean: '平均分', interval: '95 % 区间 {low}–{high}', passed: '合格率', reviews: '质检数', few: '不足 5 份，不显示', total: '合计', disputed: '申诉 {n} 份，改判 {changed} 份' },
  card: { edit: '编辑', add: '新建质检表', save: '保存为新版本', saved: '已保存为第 {n} 版。', titleZh: '名称（中文）', titleEn: '名称（英文）', passMark: '合格线', serves: '适用于', zh: '中文', en: '英文', form: '作答方式', forms: { yes_no: '是或否', scale: '1 到 5 分' }, weight: '权重', critical: '关键项：答“否”整单不合格', remove: '删除', addQuestion: '添加问题', addSection: '添加分组', section: '分组', facts: '{n} 题 · 合格线 {mark} · 第 {version} 版' },
  turn: {
    nothing: '没有听懂。', pressed: '按“{intent}”处理，没有置信度。', understood: '理解为“{intent}”（{confidence}）。', sure: '理解为“{intent}”（{confidence}），高于阈值 {limit}。', unsure: '猜测是“{intent}”（{confidence}），低于阈值 {limit}，把握不够，没有直接处理。', tooUnsure: '最接近的是“{intent}”（{confidence}），低于 {limit}，把握太小，没有采用。',
    reading: '把消息读作“{title}”。', parts: '这条消息包含 {n} 个部分。', task: '办理这项业务。', noted: '记下了：{slots}。', asked: '询问了{slots}。', acted: '在商城系统中查询或办理。', refused: '有一项信息明显不对，没有采用。',
    quoted: '引用了文章“{title}”（{score}）。', noArticle: '最接近的文章“{title}”（{score}）低于阈值 {limit}。', knowledge: '用知识库作了回答。', knowledgeMissed: '查了知识库，没有找到答案。', phrased: '回答由语言模型组织措辞。', verbatim: '回答用的是文章原文。',
    clarify: '反问客户想问什么。', clarifyMissed: '没有答案，反问客户想问什么。', handoff: '转给了人工。', handoffMissed: '又一次没有答案，转给了人工。', handedOff: '转人工的原因：{reason}。', smalltalk: '闲聊了几句。', rule: '依据规则：{rules}。', rules: '依次依据的规则：{rules}。', failed: '处理过程中出了故障。', file: '只是一个文件，机器人读不了。', away: '机器人没有及时回应，由人工接手。', other: '之后做了什么没有记录。',
  },
  rules: {
    start: '开始办理“{intent}”', submit: '信息齐了，办理“{intent}”', answer: '回应“{intent}”', plain: '“{name}”',
    an_order_number_alone_asks_where_the_order_is: '只发订单号，就是查订单', a_ticket_number_alone_asks_how_the_ticket_stands: '只发工单号，就是查工单进度', other_data_that_nobody_asked_for: '客户给了没有问到的信息', a_person_is_asked_for_also_in_the_middle_of_a_form: '要找人工，办理到一半也照办', stop_leaves_a_form: '说停就停止办理',
    a_question: '问题交给知识库', nothing_fits_so_the_knowledge_base_is_asked: '都不符合，先查知识库', not_sure_enough_to_act: '把握不够，先反问',
  },
  slots: { order_number: '订单号', contact_value: '联系方式', identity_proof: '身份验证信息', new_address: '新地址', return_reason: '原因', email: '邮箱', phone: '手机号', product: '商品', ticket_number: '工单号', invoice_title: '发票抬头' },
}
