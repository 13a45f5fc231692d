// 快捷回复、宏、撤回、已读、命令栏和提醒的中文文字。
import type { writing as english } from './writing.en'

export const writing: typeof english = {
  cancel: '取消', save: '保存', edit: '编辑', remove: '删除', add: '新建', all: '全部', mine: '我的', shared: '共享', sharedWith: '所有人可用', onlyMe: '仅自己可用', saved: '已保存。', removed: '已删除。', used: '未使用 | 用过 {n} 次 | 用过 {n} 次', changed: '{who} 修改于 {when}',
  titleZh: '中文标题', titleEn: '英文标题', textZh: '中文内容', textEn: '英文内容', whose: '谁可以用', failed: '列表读取失败：{message}',
  canned: {
    title: '快捷回复', intro: '在输入框里打“/”即可插入，按客户的语言自动选用中文或英文内容。', search: '搜索快捷回复，支持拼音首字母', shortcut: '快捷码', shortcutHint: '打在“/”后面，例如 tk', empty: '还没有快捷回复', emptyText: '把常说的话存下来，每位客服都可以有自己的一份。', noMatch: '没有找到“{q}”',
    addTitle: '新建快捷回复', editTitle: '编辑快捷回复', removeSure: '确定删除 /{shortcut}？用到它的宏会停在那一步。', variables: '插入变量', variablesHint: "插入回复时自动填好。在 {'|'} 后面写上字，查不到时就用它代替：{example}", missing: '未填写', fallsBack: '有一种语言没写时，会用另一种。',
    export: '导出 CSV', import: '导入 CSV', importDone: '新增 {added} 条，更新 {changed} 条，{unchanged} 条没有变化。', importProblems: '没有导入任何内容。请改好下面几行再试：', line: '第 {n} 行', importShared: '导入为共享', importMine: '导入为我的',
    pick: '快捷回复', pickNone: '没有匹配“{q}”的快捷回复', pickHint: '↑↓ 选择 · Enter 插入 · Esc 关闭', insert: '插入快捷回复', unfilled: '还没填：{names}', unfilledHint: '填好后才能发送。', gone: '快捷回复插入失败：{message}',
    refused: { canned_shortcut: '快捷码为 1–32 个字母、数字、汉字、- 或 _，不能有空格。', canned_title: '中英文标题至少填一个。', canned_text: '中英文内容至少写一种。', canned_too_long: '标题最多 80 个字，内容最多 4000 个字。', canned_exists: '已经有快捷码 /{detail} 了。', canned_variable: '没有“{detail}”这个变量。', canned_file: '这一行不是有效的 CSV。', canned_header: '第一行必须写列名：shortcut、title_zh、title_en、text_zh、text_en。', canned_too_many: '一个文件最多 2000 条快捷回复。', canned_twice: '快捷码 {detail} 在文件里出现了两次。', canned_empty: '文件里没有快捷回复。' },
  },
  variable: {
    contact_name: '客户姓名', contact_first_name: '客户称呼', agent_name: '我的名字', team_name: '团队', order_number: '订单号', order_status: '订单状态', order_product: '商品', ticket_number: '工单号', ticket_status: '工单状态', date_today: '今天', date_tomorrow: '明天',
  },
  macros: {
    title: '宏', search: '搜索宏，支持拼音首字母', intro: '一次点击完成多个步骤；执行前会先给您看一遍。', empty: '还没有宏', emptyText: '把经常连着做的几步放在一起。', addTitle: '新建宏', editTitle: '编辑宏', removeSure: '确定删除“{title}”？', steps: '步骤', addStep: '添加步骤', chooseStep: '选择步骤…', up: '上移', down: '下移', removeStep: '删除第 {n} 步', stepLabel: '第 {n} 步',
    verb: { accept: '自己接入', reply: '回复客户', note: '写备注', transfer: '转接给', requeue: '退回排队', release: '交回机器人', resolve: '结束会话', label: '打标签', priority: '设优先级', snooze: '稍后处理' },
    field: { canned_id: '快捷回复', text: '内容', note: '给同事的备注', to_agent_id: '同事', title: '标签名称', level: '优先级', hours: '几小时以后' }, choice: { none: '无', low: '低', normal: '普通', high: '高', urgent: '紧急' }, own: '自己写…', choose: '请选择…', both: '选一条快捷回复，或者自己写内容。',
    run: '执行', runTitle: '执行“{title}”？', running: '执行中…', preview: '将按顺序完成：', cannot: '查不到{names}，请改为手动插入回复并补全。', done: '“{title}”已完成。', stopped: '停在第 {n} 步（{verb}）：{message}', ran: '之前已完成：{steps}', ranNone: '之前没有完成任何步骤。', gone: '快捷回复已删除', refused: { macro_count: '一个宏需要 1 到 20 个步骤。', macro_unknown: '第 {n} 步：没有这种步骤。', macro_step: '第 {n} 步还没填完整。', macro_after: '第 {n} 步不能放在这里：前一步之后会话已经不归您接待。', macro_reply: '第 {n} 步：请选择快捷回复，或者自己写内容。', macro_not_shared: '第 {n} 步：共享的宏只能用共享的快捷回复。', macro_nobody: '第 {n} 步：请选择同事。', macro_label: '第 {n} 步：没有这个标签。', macro_variable: '第 {n} 步用了不存在的变量。', macro_title: '中英文标题至少填一个。' }, open: '执行宏', pick: '宏',
  },
  recall: {
    act: '撤回', hint: '撤回后客户看不到', sure: '撤回这条消息？', done: '已撤回，客户看不到了。', cancelled: '已撤回，消息还没有发出，客户没有看到。', by: '{name} 于 {time} 撤回', onlyStaff: '仅员工可见', again: '重新编辑', refused: '没有撤回：{message}',
  },
  read: { read: '已读', readAt: '已读 {time}', sent: '已发送', received: '已送达' },
  collision: {
    reply: '{names} 正在写回复… | {names} 正在写回复…', note: '{names} 正在写备注… | {names} 正在写备注…', viewing: '{names} 也在查看 | {names} 也在查看', answered: '您开始输入之后，{name} 已经回复过了。', ask: '{name} 在 {ago} 前已经回复，仍要发送吗？', askTitle: '同事先回复了', send: '仍要发送', keep: '先看看',
  },
  mention: { pick: '提及同事', none: '没有叫“{q}”的同事' },
  files: { cancel: '取消上传 {name}', progress: '{name}，已上传 {p}', failed: '{name} 上传失败：{message}', retry: '重试', drop: '松开鼠标，添加为附件', tooMany: '一条消息最多 {n} 个文件。', notInNotes: '附件只能随回复发送，备注不支持附件。' },
  bar: {
    open: '命令栏', placeholder: '输入要做的事，或查找会话、客户、页面…', label: '命令栏', none: '没有找到“{q}”', searching: '搜索中…', count: '没有结果 | {n} 个结果 | {n} 个结果', hint: '↑↓ 选择 · Enter 执行 · Esc 关闭',
    group: { conversation: '当前会话', write: '输入', go: '前往', desk: '工作台', macros: '宏', canned: '快捷回复', conversations: '会话', contacts: '客户' },
  },
  action: {
    accept: '接入', takeOver: '接管', transfer: '转接…', requeue: '退回排队…', release: '交回机器人', resolve: '结束会话', reply: '写回复', note: '写备注', canned: '插入快捷回复', macro: '执行宏…', details: '显示或收起资料', next: '下一个会话', previous: '上一个会话', unread: '下一个未读会话', search: '搜索会话', close: '关闭会话', bar: '命令栏', shortcuts: '键盘快捷键', alerts: '通知与提示音', presence: '离开 / 回来', language: '切换语言', theme: '浅色或深色', mine: '我的', queued: '排队', bot: '机器人接待', all: '进行中', resolved: '已结束', openIt: '打开会话', send: '发送', newline: '换行', slash: '输入时打开快捷回复', at: '在备注里提及同事', tab: '跳到下一个待填处',
  },
  words: { accept: 'jieru jr', transfer: 'zhuanjie zj', requeue: 'tuihuipaidui thpd', release: 'jiaohuijiqiren jh', resolve: 'jieshu js', reply: 'huifu hf', note: 'beizhu bz', canned: 'kuaijiehuifu kjhf', macro: 'hong zhixinghong zxh', details: 'ziliao zl', alerts: 'tongzhi tz tishiyin tsy', presence: 'likai lk zaixian zx', theme: 'shense qianse', language: 'english 英文 yuyan yy', shortcuts: 'kuaijiejian kjj' },
  error: {
    at_capacity: '您同时接待的会话已满（{detail}）。请先结束或转出一个，或请主管处理。', not_yours: '只有写这条消息的人才能撤回。', too_late: '已超过可撤回的时间，请另发一条更正。', already_delivered: '渠道已经送达，无法撤回，请另发一条更正。', answered_meanwhile: '同事刚刚已经回复，看过之后可以重新发送或放弃。', unfilled_variables: '还有变量没有填。', canned_gone: '用到的快捷回复已删除，请修改这个宏。', not_assigned: '会话不由您接待。', not_at_the_desk: '这位同事不在线。', file_empty: '文件是空的，请另选一个。', file_too_large: '文件超过 {detail} MiB，请压缩或拆分后再发。', file_type: '不支持这种类型的文件，可以发送：{detail}。', picture_damaged: '图片已损坏或不是图片，请打开后重新保存再发。', picture_too_large: '图片超过 {detail} 百万像素，或者帧数太多，请缩小后再发。', internal: '我们这边出了错，已记录下来。',
  },
  shortcutGroup: { conversation: '当前会话', write: '输入时', go: '前往', desk: '任何地方' }, then: '再按',
  alerts: {
    title: '通知与提示音', intro: '选择您不在看这个页面时要收到的提醒。状态为“离开”时不会打扰您。', notification: '桌面通知', sound: '提示音', event: '什么时候', kind: { waiting: '有客户开始排队', assigned: '有会话转给我', reply: '客户回复了我', mention: '同事提到了我' },
    permission: { granted: '浏览器已允许通知。', default: '还没有向浏览器申请通知权限。', denied: '浏览器拦截了本页的通知，请在地址栏中改为允许。' }, allow: '允许通知', test: '试一下', testTitle: '通知就是这个样子', testText: '提示音就是这个声音。', soundOff: '提示音总开关已关闭。', soundOn: '播放提示音', close: '完成',
    offer: '您在看别处时，有客户排队或回复，要弹出通知提醒您吗？', yes: '好，提醒我', later: '暂时不用',
    say: { waiting: '有客户在等待', assigned: '有会话转给您', reply: '{name} 回复了', mention: '{name} 提到了您' },
  },
}

export const writingPages = { canned: '快捷回复', macros: '宏' }
