// 审计页面以及登录安全相关的文字；与 `access.en.ts` 的键一致。
import { auditWords } from './audit.zh'
import { auditProof } from './audit_proof.zh'

export const audit = {
  title: '审计记录', intro: '这里按时间倒序列出工作台上发生的一切。涉及客户个人信息的部分保持加密，不在此显示。',
  verify: '检查完整性', verifying: '正在逐条核对…', sound: '记录完好：{n} 条记录前后连贯，签名全部相符。', broken: '记录被改动过，最早从第 {n} 条开始。请保持数据库和签名文件原样，并通知安全负责人。', truncated: '末尾缺少记录，从第 {n} 条起。请保持数据库和签名文件原样，并通知安全负责人。', unknown: '未知',
  kind: '事件类型', kindHint: '例如 signed_in', show: '查看', when: '时间', who: '谁', about: '对象', details: '详情', sealed: '已加密', open: '查看会话', more: '更早的记录', nothing: '没有记录', failed: '无法读取审计记录：{message}',
  actors: { bot: '机器人', contact: '客户', system: '系统' },
  ...auditWords,
  ...auditProof,
}
export const access = {
  title: '登录与接口', intro: '管理谁能登录，以及哪些程序可以调用接口。', accounts: '账号', failed: '读取失败：{message}',
  name: '姓名', role: '角色', second: '两步验证', on: '{date} 起已开启', off: '未开启', missing: '必须开启，尚未设置', closed: '已停用', reset: '重置', resetSure: '要关闭{name}的两步验证吗？对方会在所有设备上退出，之后只凭密码即可登录。', resetDone: '已重置{name}的两步验证。', cancel: '取消', actions: '操作',
  add: '添加成员', email: '邮箱', seesTitle: '可见范围', change: '修改', changeOf: '修改{name}', signedIn: '登录状态', nowhere: '未登录', places: '1 处登录 | {n} 处登录', save: '保存', saved: '已保存。', added: '{name}现在可以登录了。', active: '允许登录', newPassword: '新密码', firstPassword: '初始密码', passwordHint: '至少 12 个字符。请当面或用可靠的方式告诉对方。', passwordOptional: '留空则只能用公司账号登录。', passwordSet: '已为{name}设置新密码，对方会在所有设备上退出。', setPassword: '设置密码', end: '全部退出', endSure: '要让{name}在所有浏览器里退出登录吗？', ended: '已退出 1 处登录。 | 已退出 {n} 处登录。', endsSessions: '角色或可见范围改变后，{name}需要重新登录。', teamsHint: '团队成员请在“团队”页面调整。', sightTitle: '谁能看到哪些会话', sightIntro: '看不到的会话对这个人来说就不存在：列表、数量和搜索里都没有。管理员、训练师和审计员能看到全部。', sightAgents: '客服', sightSupervisors: '主管', asRole: '按角色：{scope}',
  scope: { everything: '全部', team: '所在团队', own: '自己的' }, scopeHint: { everything: '工作台上的所有会话。', team: '属于所在团队或不属于任何团队的会话、机器人正在接待的会话，以及自己经手过的会话。', own: '自己接过、被邀请、被分配或被提到的会话，以及所在团队正在排队的会话。' },
  sessions: { title: '我的登录', intro: '离开 30 分钟后会自动退出，最长 12 小时。', here: '当前浏览器', way: { password: '密码登录', provider: '公司账号登录' }, used: '最近使用：{at}', since: '登录于 {at}', others: '退出其他登录', alone: '没有在其他地方登录。', done: '已退出其他 1 处登录。 | 已退出其他 {n} 处登录。', close: '关闭', unknown: '未知浏览器', waiting: '尚未完成' },
  refused: {
    wrong_sign_in: '邮箱或密码不对，请核对后重试。', wrong_code: '验证码不对。请输入应用里最新的验证码，或一个恢复码。', used_code: '这个验证码已经用过，请等应用显示下一个。', locked: '错误次数太多，请过一会儿再试，或联系管理员。', signed_out: '等待时间太长，请重新输入密码登录。', wrong_password: '密码不对。', second_factor_on: '两步验证已经开启。', second_factor_off: '两步验证未开启，请重新登录。', second_factor_required: '您的角色必须使用两步验证。', second_factor_unreadable: '两步验证已无法核对，请联系管理员重置。', not_begun: '设置已在别处完成或重新开始，请从头再来。', own_second_factor: '请让另一位管理员为您重置。', provider_state: '这次登录不是在当前浏览器里发起的，或者已经完成，请重新开始。', provider_late: '登录用时太长，请重新开始。', provider_down: '公司的登录服务没有响应，请稍后重试，或告诉管理员。', provider_denied: '公司的登录服务没有放行，请重新开始，或联系管理员。', provider_unproved: '登录没有通过核验，请重新开始；如果再次出现，请告诉管理员。', provider_locked: '您所在网络的登录失败次数太多，请过一会儿再试。', provider_email: '您的公司账号没有经过验证的邮箱，请联系管理员在那里验证。', provider_unknown: '您还没有被加入这个工作台，请联系管理员。', provider_other: '您的邮箱在这里已经绑定了另一个公司账号，请联系管理员解除。', provider_no_role: '您的公司账号不在可以使用工作台的用户组里，请联系管理员。', sign_in_again: '请先退出，重新登录后在十分钟内完成设置。', own_account: '请让另一位管理员操作：不能取消自己的权限。', email_taken: '这个邮箱已经有人使用。', weak_password: '密码需要 12 到 256 个字符。', needs_password: '请设置一个初始密码。', busy: '此刻登录的人太多，请几秒后再试。',
  },
  keys: {
    title: '接口密钥', intro: '程序每次请求都要出示密钥。密钥只在生成时显示一次。', none: '还没有密钥', add: '新建密钥', name: '名称', nameHint: '写明给哪个程序用，例如“商城”', scopes: '权限', expires: '有效天数', expiresHint: '留空则一直有效，直到作废', make: '生成密钥', made: '{name}的密钥', madeText: '请现在复制，以后无法再次查看。', begins: '开头', used: '最近使用', never: '从未使用', until: '有效期至 {date}', by: '{name}，{date}', madeBy: '创建',
    state: { works: '有效', revoked: '已作废', expired: '已过期' }, status: '状态', revoke: '作废', revokeSure: '要作废{name}的密钥吗？使用它的程序会立即被拒绝。', revoked: '已作废。', needName: '请填写名称。', needScope: '请至少选择一项权限。', badDays: '请填写 1 到 3650 之间的整数，或留空。',
    scope: { 'messages:read': '读取消息', 'messages:write': '发送消息', 'events:read': '查询事件结果', 'events:write': '上报事件' },
  },
  factor: {
    title: '两步验证', step: '还差一步', codeLabel: '应用里的验证码', codeHint: '验证器应用显示的 6 位数字，或一个恢复码', submit: '继续', back: '换个账号', left: '恢复码还剩 {n} 个。请尽快点右上角自己的名字，生成新的恢复码。',
    intro: '登录时除了密码，还要输入手机应用里的验证码。别人就算知道密码也进不来。', needed: '您的角色必须使用两步验证，设置好才能继续，只要一分钟。', password: '您的密码', start: '开始设置', scan: '用验证器应用扫描：', picture: '供验证器应用扫描的二维码', manual: '扫不了的话，把这串密钥输入应用：', first: '然后输入应用显示的验证码', turnOn: '开启',
    codesTitle: '请保存好恢复码', codesText: '手机不在身边时，每个恢复码可以登录一次。以后不会再显示。', copy: '复制', copied: '已复制', done: '已经保存好了', isOn: '{date} 起已开启。', codesLeft: '恢复码已用完。 | 还剩 1 个恢复码。 | 还剩 {n} 个恢复码。', renew: '生成新的恢复码', remove: '关闭', removed: '两步验证已关闭。', close: '关闭窗口', change: '要更改，请先输入验证码', cannotRemove: '您的角色必须使用两步验证，不能关闭。', signOut: '退出登录',
  },
}
