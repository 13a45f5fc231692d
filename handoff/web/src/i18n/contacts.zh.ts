// 客户面板的中文文案，键与 `contacts.en.ts` 完全一致。
import type { contacts as Contacts } from './contacts.en'

export const contacts: typeof Contacts = {
  loading: '正在读取客户资料…', failed: '客户资料读取失败：{message}', tryAgain: '重试',
  linked: '由 {name} 关联', linkedText: '同事认为就是下面这位客户，但对方尚未证明身份，请勿透露订单和账户信息。', verifiedHere: '在此核实', unreachableHere: '消息发不到', unreachableText: '对方在此屏蔽了我们或已离开；对方再次来信后即可恢复。', person: '联系人', account: '客户账户',
  noAccount: '尚未关联客户', noAccountText: '客户证明身份，或由您关联账户之后，这里会显示账户和订单。',
  field: { name: '姓名', displayName: '显示名称', language: '语言', tier: '客户价值', note: '备注', phone: '电话', email: '邮箱', addresses: '联系渠道', contact_point: '联系方式', text: '问题描述', order_number: '订单' },
  none: '未填写', visitor: '网页访客', tierOfAccount: '{tier}（来自账户）', tierByHand: '人工设定', anyTier: '以账户为准', anyLanguage: '按客户所用语言',
  tier: { standard: '普通', silver: '银卡', gold: '金卡', vip: 'VIP' },
  edit: { button: '修改{field}', save: '保存', cancel: '取消', keys: '回车保存，Esc 取消', noteKeys: '回车保存，Shift+回车换行，Esc 取消', conflict: '同事刚刚把它改成了“{value}”。您输入的内容还在，再次保存即可覆盖。', locked: '客户证明身份之后才能修改。', notePlaceholder: '仅团队内部可见', addNote: '添加备注' },
  link: { do: '关联客户', change: '换一位', undo: '取消关联', undoSure: '确定取消与这位客户的关联？', title: '关联客户账户', intro: '关联之后，团队可以直接看到订单和工单。关联不等于核实身份：客户自己证明之前，机器人不会透露任何账户信息。', search: '姓名、电话、邮箱、订单号或工单号', start: '在上方搜索客户。', nothing: '没有找到与“{q}”相符的客户。', submit: '关联', done: '已关联 {name}。', undone: '已取消关联。', searching: '正在搜索…' },
  ticket: {
    open: '新建工单', update: '更新', openTitle: '新建工单', subject: '标题', subjectPlaceholder: '一句话概括（选填）', text: '问题描述', priority: '优先级', order: '相关订单', noOrder: '无', point: '联系方式', pointHint: '客户没有账户，请填写电话或邮箱。', submit: '提交工单', save: '保存', cancel: '取消', status: '状态', comment: '回复', commentHint: '客户查询工单时可以看到这里的回复。', opened: '工单 {number} 已提交。', updated: '工单 {number} 已更新。', history: '处理记录', changed: '{field}：{old} → {new}', nothingYet: '这张工单还没有处理记录。', customer: '客户',
    conflict: '同事刚刚更新了这张工单，现在显示的是最新状态。您写的内容还在，请再次保存。', nothing: '请修改状态或优先级，或者写一条回复。',
    priorities: { low: '低', normal: '普通', high: '高', urgent: '紧急' }, fields: { status: '状态', priority: '优先级' },
  },
  history: { title: '全部会话', none: '还没有会话', more: '显示更多', here: '当前打开', bot: '机器人', by: '{name} 接待', merged: '已合并', failed: '读取失败，请重试。', open: '打开 {date} 的会话' },
  merge: {
    do: '合并联系人', title: '合并联系人', intro: '选出属于同一个人的联系人，对方的全部内容会移到这里；之后也可以拆分。', search: '姓名、电话、邮箱、渠道账号或订单号', likely: '很可能是同一个人', found: '搜索结果', noneLikely: '没有明显重复的联系人', noneLikelyText: '只有客户账户、电话或邮箱相同才会推荐。其他情况请在上方搜索。', nothing: '没有找到与“{q}”相符的联系人。', loading: '正在查找联系人…', why: { customer: '同一客户账户', phone: '电话相同', email: '邮箱相同', found: '搜索找到' }, count: '没有会话 | {n} 个会话 | {n} 个会话',
    preview: '合并后的变化', from: '移到这里', into: '保留', keeps: '名称、语言和客户价值以当前联系人为准，两边的备注都会保留。', proof: '身份只在核实过的渠道有效：合并不会放开任何账户信息。', submit: '合并', cancel: '取消', done: '已合并。', holds: { conversations: '会话', open: '进行中', messages: '消息', ratings: '评价', labels: '标签', tickets: '工单', addresses: '渠道' }, customer: '客户：{name}',
    refused: { different_customers: '这两位联系人属于不同的客户，不是同一个人。如果是误关联，请先取消关联。', already_merged: '其中一位刚刚被合并了，请关闭后重新查看。' }, sure: '我已确认是同一个人。',
    merged: '已合并的联系人', byWhen: '{name} 于{when}合并', separate: '拆分', separateSure: '确定拆分？会话和渠道会还给原来的联系人。', separated: '已拆分。', onlyThey: '只有 {name} 或主管可以拆分。', byCode: '联系人于{when}用关联码自己关联', byProof: '两边都验证为同一位客户，{when}自动关联', bySignIn: '在网站登录时关联，{when}', onlySupervisors: '只有主管可以拆分。',
  },
  privacy: {
    do: '资料与隐私', title: '资料与隐私', export: '导出全部资料', exportText: '打包成一个 ZIP：档案、账户、订单、工单、每次会话（含内部备注和机器人的判断依据）、文件和审计记录。', exportDo: '下载',
    erase: '删除此人', eraseText: '客户要求删除个人信息时使用。', goes: '说过的话、文件、姓名、联系方式、备注、机器人的记忆都会删除，由它们生成的索引也一并清除。', stays: '只保留不含内容的空壳，供报表计数；审计记录还在，但谁也读不出其中的个人信息。', shop: '客户系统里的账户和订单不受影响，请到那边删除。', final: '删除后无法恢复。', sure: '我已确认就是这个人。', eraseDo: '永久删除',
    erased: '此人的资料已删除。', receipts: '删除凭证', working: '这里的内容已删除，文件、机器人记忆和检索索引会在几分钟内清除……', done: '已于 {when} 全部清除。', counts: '{conversations} 次会话，{messages} 条消息，{files} 个文件', receiptDo: '下载凭证', receiptText: '凭证由本系统签名，不含任何个人信息。', close: '关闭',
  },
  telling: {
    title: '主动通知', all: '全部通知', on: '接收', off: '已退订', byContact: '客户自己关闭', by: '由{name}关闭', saved: '已保存。', unreachable: '{channels}暂时联系不上，等客户再发来消息就会恢复。', and: '、',
    state: { waiting: '等待中', sending: '发送中', sent: '已发送', unknown: '可能已送达', not_sent: '未发送' },
    reason: { opted_out: '客户不想接收', window_closed: '渠道现在不允许主动发送', unreachable: '渠道联系不上客户', no_address: '没有可用的联系方式', unknown_order: '找不到订单', refused: '渠道拒收', expired: '已过时效', too_many: '今天已发得够多', erased: '联系人已删除', merged: '会话已合并', unknown_type: '这类通知已停用', taken_back: '已撤回', quiet_hours: '等到工作时间再发', rating: '等客户评价完', shop_silent: '客户系统没有响应', busy: '稍后重试' },
  },
  action: { edit: '修改联系人', ticket: '新建工单', merge: '合并联系人', link: '关联客户' }, words: { edit: '客户 姓名 备注 资料 kehu', ticket: '工单 问题 gongdan', merge: '重复 合并 hebing', link: '账户 身份 guanlian' },
  inUse: { phone: '这个电话号码已被另一个账户使用。', email: '这个邮箱已被另一个账户使用。' },
  invalid: { name: '这个姓名无法使用，请填写 1 到 80 个字，且至少含一个文字。', phone: '电话号码不正确：大陆手机号为 11 位，其他地区请以 + 和国家代码开头。', email: '邮箱地址不正确。', language: '请选择中文或英文。', tier: '请从列表中选择。', note: '备注过长，最多 4000 字。', contact_point: '请填写电话或邮箱，方便同事回复客户。', text: '请写明问题。', order_number: '客户账户里没有这个订单。' },
  error: { not_to_reveal: '只有正在接待这位客户的人或主管可以查看原文。', locked: '短时间内查看原文过多，请一刻钟后再试。', still_open: '这位客户正在等待或接受人工服务，请先结束会话再删除。', erased: '此人的资料已删除，没有可处理的内容。', contact_changed: '同事刚刚修改了这位联系人。', changed_meanwhile: '同事刚刚修改了这项内容。', not_verified: '客户证明身份之后才能修改账户资料。', crm_down: '客户系统没有响应，请重试，不会重复提交。', ticket_move: '已解决的工单需要先重新打开。', different_customers: '这两位联系人属于不同的客户。', already_merged: '同事抢先了一步，现在显示的是最新状态。', cannot_separate: '现在无法拆分：该联系人之后又被合并过，或资料已被清除。', not_yours: '只有合并的人或主管可以拆分。', not_found: '内容已不存在，现在显示的是最新状态。', invalid_message: '请选择另一位联系人。' },
}
