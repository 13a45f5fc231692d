// 审计记录的查找、举证与导出；与 `audit_proof.en.ts` 的键一致。
export const auditProof = {
  words: '关键词（含加密内容）', search: '查找', wordsNote: '查找加密内容会留下记录，但不记所查的词。', entriesOf: '审计记录中的相关条目',
  lookedTo: '已查到第 {n} 条（{at}）。', lookedAll: '所选范围已全部查完。', further: '继续往前查',
  ofConversation: '只看会话 {id}', ofContact: '只看客户 {id}', conversation: '会话', contact: '客户', only: '只看相关', progress: '已核对 {read} / {of} 条…',
  around: '最早出问题的记录及其前后', state: '状态', states: { fits: '与哈希相符', changed: '被改动', missing: '缺失', unlinked: '无法衔接：前一条缺失' },
  proof: {
    show: '查看证明', title: '第 {n} 条记录的证明', failed: '无法读取证明：{message}', here: '由本浏览器重新计算', entry: '前一条的哈希加上下方原文，算出的 SHA-256 与记录的哈希相同', path: '其后 {n} 条记录依次推算到检查点 {mark} 的哈希', pathLong: '距检查点 {mark} 太远，请改用“检查完整性”', signature: '检查点由本系统的密钥签名（{at}）',
    yes: '相符', no: '不符', unknown: '未检查：此浏览器不支持', noCheckpoint: '尚无检查点覆盖这条记录；一分钟内会签署。',
    compared: '审计记录与数据库现状对照', field: '项目', trail: '审计记录', now: '现在', result: '结果', result_same: '一致', result_differs: '不一致', result_erased: '已擦除，不可读', result_gone: '已不存在', result_broken: '加密部分被调换',
    fields: { conversation_id: '会话', in_seq: '消息序号', out_seqs: '回复序号', text: '客户原话', replies: '回复', trace: '判断依据（SHA-256）', intent: '意图', confidence: '置信度', route: '处理方式', policy: '策略', model_id: '模型编号', model: '模型', sealed: '加密部分' },
    hash: '哈希', previous: '前一条的哈希', canonical: '参与哈希的原文', computed: '重新算出', toTrail: '此会话的全部记录', close: '关闭',
  },
  export: {
    do: '导出', title: '导出带签名的证据包', intro: '一个 .zip 文件，任何人不用本系统也能校验。个人信息保持加密。', everything: '全部记录', period: '上面所选的时间段', conversation: '上面所选的会话', linked: '连同其间直到下一个检查点的记录，以证明位置（他人的只有编号）',
    opened: '附上可读的个人信息', reason: '原因（会留下记录）', reasonNeeded: '请简单说明原因。', download: '下载', failed: '无法导出：{message}', fingerprint: '公钥指纹', fingerprintHint: '请用文件以外的途径告诉接收方。对方运行：python verify_bundle.py 文件 --fingerprint …', cancel: '取消', done: '证据包已下载。',
  },
}
