// 语料页面的文字；与 `examples.en.ts` 的键一致。
export const examples = {
  title: '语料', intro: '按意图整理客户可能的说法，下次训练时机器人会学习这些句子。', readOnly: '机器人学习用的句子，训练师可以修改。',
  intents: '意图', all: '全部意图', outOfScope: '不属于任何意图', outOfScopeHint: '机器人不该当成任何意图的消息',
  languages: { all: '全部', zh: '中文', en: 'English' }, language: '语言', search: '搜索语料', count: '没有语料 | {n} 条语料 | {n} 条语料',
  nothing: '还没有语料', nothingText: '在上方按客户的口吻写下第一条。', noMatch: '没有找到', noMatchText: '换个词或换个筛选条件试试。', noneOfKind: '没有需要处理的语料', noneOfKindText: '没有语料带有这种标记。',
  quick: '给“{intent}”添加一条{language}语料', quickAny: '给“{intent}”添加语料', quickHint: '按回车添加，也可以一次粘贴多行。', add: '添加', added: '已添加。 | 已添加 1 条语料。 | 已添加 {n} 条语料。', pasted: '将添加 {n} 条', chooseIntent: '先在左侧选择意图，再添加语料。',
  edit: '编辑', save: '保存', cancel: '取消', remove: '删除', removed: '已删除。 | 已删除 1 条语料。 | 已删除 {n} 条语料。', move: '移动', moveTo: '移到…', moved: '已移动。 | 已把 1 条语料移到 {intent}。 | 已把 {n} 条语料移到 {intent}。', saved: '已保存。', undo: '撤销', undone: '已撤销。',
  selected: '未选择 | 已选 1 条 | 已选 {n} 条', selectAll: '选择本页全部', select: '选择“{text}”', clear: '取消选择', removeSure: '要删除这条语料吗？ | 要删除这条语料吗？ | 要删除这 {n} 条语料吗？', pages: '翻页', page: '第 {from}–{to} 条，共 {total} 条', previous: '上一页', next: '下一页',
  failed: '无法读取语料：{message}', text: '语料', intent: '意图',
  filter: '待处理', filters: { all: '全部语料', conflict: '有冲突', duplicate: '重复', near: '几乎相同', bot: '机器人判断错误', crossed: '交叉验证判断错误', mistaken: '可能混淆（估算）', held_out: '测试句' },
  note: {
    conflict: '与 {intent} 冲突', conflictTitle: '“{text}”是 {intent} 的语料，相似度 {p}%。', conflictSame: '{intent} 里也有',
    duplicate: '重复', duplicateTitle: '另有写法：“{text}”。', near: '几乎相同', nearTitle: '与“{text}”相似（{p}%）。',
    bot: '机器人：{intent}', botTitle: '线上机器人把它当成 {intent}（把握 {p}%）。', crossed: '没学过会当成：{intent}', crossedTitle: '交叉验证：没见过这句的模型把它当成 {intent}（把握 {p}%）。', mistaken: '估算：{intent}', mistakenTitle: '只是估算，不是机器人本身的判断：一个学过其余语料的简单分类器把它当成 {intent}。',
    held_out: '测试句', heldOutTitle: '这句话用来衡量机器人（{file}），请从语料里删掉，否则测试成绩虚高。', unsure: '没有把握',
  },
  warning: { few: '{language}只有 {n} 条', too_few: '{language} {n} 条，训练至少要 12 条', lopsided: '{language}明显偏少', dominant: '{language}远多于其他意图', short: { few: '偏少', too_few: '不足', lopsided: '不均', dominant: '偏多' } },
  untrained: '所有修改都已训练。 | 有 1 次修改尚未训练，下次训练后生效。 | 有 {n} 次修改尚未训练，下次训练后生效。', unknownTrained: '修改在下次训练后生效。', train: '去训练',
  broken: '无法读取 {file} 第 {line} 行：{reason}。文件手动改正之前，其中的语料不会显示。',
  checking: { encoding: '正在读取语料：{done} / {total}', comparing: '正在比对语料：{done} / {total}', waiting: '马上开始比对语料', failed: '无法比对语料：{message}' },
  ask: '问问机器人', askHint: '逐条发给线上机器人，记下它的判断，不会留下任何会话。', asking: '正在问机器人：{done} / {total}', stop: '停止', asked: '已开始询问机器人。',
  mark: { title: '标注实体', hint: '先在句子里选中文字，再选择它是什么。', selected: '已选中：“{text}”', none: '请先选中文字。', type: '类型', value: '商品', clear: '去掉标注', removeOne: '去掉“{text}”的标注', open: '标注实体', done: '保存', sameAsText: '与原文相同' },
  history: { title: '修改历史', ofIntent: '{intent} 的修改历史', open: '历史', none: '还没有修改', undo: '撤销', undone: '已撤销', undoes: '撤销了一次修改', more: '更早的修改', why: '原因', restLines: '另有 {n} 条', failed: '无法读取修改历史：{message}', undoSure: '要撤销这次修改吗？' },
  did: { new_intent: '新建意图', drop_intent: '删除意图', revise_intent: '修改意图', add: '添加', remove: '删除', reword: '改写', move: '移动' },
  importing: {
    open: '导入', title: '导入语料', pick: '选择文件', again: '换个文件', hint: '支持 CSV（列名 language、intent、text）和 Rasa 格式的 YAML。确认之前不会改动任何内容。', language: '这个 YAML 文件的语言', apply: '添加 1 条 | 添加 1 条 | 添加 {n} 条', none: '文件里没有新内容', why: '原因（记入历史）', line: '行', shown: '只显示前 {n} 行。',
    state: { new: '新增', there: '已存在', twice: '文件内重复', exists: '属于其他意图', held_out: '测试句', unknown_intent: '没有这个意图', empty: '没有文字', too_long: '太长', bad_text: '不是单行文字', bad_annotation: '标注有误', bad_language: '未知语言' },
  },
  exporting: { open: '导出', csv: 'CSV（用于表格软件）', yaml: 'YAML（Rasa）', what: '导出左侧选中的内容。' },
  conflict: {
    title: '没有改动任何内容', yours: '您的版本', theirs: '现在', by: '{name}，{when}', reload: '查看现在的内容', close: '关闭',
    reworded: '{name}已经改写了这条语料。', moved: '{name}已经把这条语料移到 {intent}。', removed: '{name}已经删除了这条语料。', gone: '这条语料已经不在了，可能有人直接改了文件。', exists: '这句话已经是语料了。', inIntent: '{intent} 的语料（{language}）', gone_mark: '已删除',
  },
  refused: {
    example_bad_intent: '意图名称须为 3–40 个小写字母、数字或下划线，标题和回复须有中英文。', example_intent_exists: '已有同名意图。', example_intent_used: '{intent} 还有 {left} 句语料，请先移走或删除。', example_held_out: '这句话用来衡量机器人（{file}），加进语料会让测试成绩虚高。', example_exists: '这句话已经是 {intent} 的语料（{language}）。', example_gone: '这条语料刚刚被改动过。', example_unknown_intent: '没有名为 {intent} 的意图。', example_empty: '请先写点内容。', example_too_long: '一条语料最多 500 个字符。', example_too_many: '一次处理的内容太多了。', example_bad_text: '语料必须是一行普通文字。', example_busy: '有人正在保存，请过几秒再试。', example_read_only: '服务没有写入语料文件夹的权限，请联系管理员。', example_already_undone: '这次修改已经撤销过了。', example_asking: '已经在询问机器人了。', example_no_language: '请选择这个文件的语言。', example_header: '第一行必须写明列名 language、intent、text。',
  },
}
