// 模型的版本、训练与新建意图；键与 `training.en.ts` 相同。
export const training = {
  train: '训练新版本', note: '备注', notePlaceholder: '这一版改了什么，例如“礼品卡，补充退款问法”', profile: '方案', profiles: { fast: '快速', accurate: '精确（较慢）' },
  hint: '训练在后台进行，需要几分钟。客户不会受影响：新版本上线之前，不会用来回答任何人。',
  work: '进行中', versions: '版本', none: '还没有版本', noneText: '请在上面训练第一个版本。手工训练的模型会在机器人列出后出现在这里。',
  states: { queued: '排队中', running: '训练中', done: '已完成', failed: '训练失败', cancelled: '已取消' },
  by: '{name} · {time}', next: '马上开始', waiting: '等前一个完成后开始 | 等前一个完成后开始 | 前面还有 {n} 个', again: '机器人中途停止，正在重试一次。',
  progress: '进度', soFar: '已用 {time}', cancel: '取消', goOn: '继续', cancelSure: '停止这次训练吗？已完成的部分不会保留。', dropSure: '把这次训练移出队列吗？', details: '详情',
  steps: { start: '启动', copy: '复制语料', check: '检查语料', load: '加载', train: '学习', measure: '用预留语句测量', sign: '签名', done: '完成' },
  parts: { Normaliser: '整理文字', LanguageDetector: '区分语言', BilingualTokenizer: '切分词语', PatternEntities: '识别实体', SentenceEncoder: '理解句子（编码器一）', SecondSentenceEncoder: '理解句子（编码器二）', NGramHasher: '学习措辞', LinearIntentClassifier: '区分意图', Gate: '学会承认不懂', RulePolicy: '对话规则' },
  failed: { bad_data: '有些语料需要先改正。', no_key: '在这里训练的模型无法签名。', died: '机器人两次中途停止。', refused: '机器人不接受这项任务。', not_taken_in: '版本已训练完成，但未能登记。', broken: '训练过程中出错了。' },
  advice: { bad_data: '详情里列出了每一句。请到“语料”页改正后重新训练。', no_key: '这台机器人只有公钥。请在有签名私钥的机器上训练，或联系管理员。', died: '多半是内存不足。请关闭那台机器上的其他程序，或请管理员查看机器人日志。', refused: '服务与机器人的版本可能不一致，请联系管理员。', not_taken_in: '请重新训练；如果再次失败，请管理员查看服务日志。', broken: '请重新训练。如果再次失败，请把详情交给管理员。' },
  ready: '新版本已就绪：{name}', unread: '读取版本失败：{message}',
  badges: { live: '线上', candidate: '对比中' }, gone: '已删除', byHand: '手工训练', byHandNote: '由 make train 训练', noNote: '无备注', took: '训练用时 {time}',
  editsSince: '已包含全部语料修改 | 之后有 1 次语料修改 | 之后有 {n} 次语料修改',
  figures: '在预留语句上的结果', languages: { zh: '中文', en: 'English' }, examples: '语料', accuracy: '听懂率', accuracyHint: '预留语句中意图判断正确的比例', f1: '宏平均 F1', f1Hint: '每个意图同等计算，不论多少', unmeasured: '中文 {zh} 句，英文 {en} 句，未测量', unknownMade: '在版本登记之前训练',
  intent: {
    new: '新建意图', edit: '编辑意图', drop: '删除意图', name: '名称', nameHint: '小写字母、数字和下划线，例如 gift_wrapping', titleZh: '中文标题', titleEn: '英文标题', titleHint: '客户和同事看到的叫法',
    does: '机器人怎么做', doing: { knowledge: '用知识库回答', reply: '回复固定的话', handoff: '转人工' }, replyZh: '中文回复', replyEn: '英文回复',
    firstZh: '首批中文语料', firstEn: '首批英文语料', lines: '每行一句，按客户的说法写',
    enough: '下次训练就会用上。', few: '任一语言满 {n} 句后才会参加训练。', make: '创建意图', save: '保存', made: '意图已创建，下次训练后生效。', saved: '已保存，下次训练后生效。', dropped: '意图已删除。', dropSure: '删除这个意图吗？需要先移走或删除它的语料。',
  },
}
