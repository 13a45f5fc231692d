// 渠道账号与未送达消息页面的文字；与 `channels.en.ts` 的键一致。
export const channelPage = { channels: '渠道' }

export const channels = {
  title: '渠道', intro: '客户通过哪些渠道找到您，各渠道此刻是否正常。', tabs: '页面分区', tabAccounts: '账号', tabUndelivered: '未送达',
  failed: '无法读取渠道：{message}', stale: '以下内容可能不是最新：{message}',
  status: { failing: '异常', refusing: '请求被拒', connecting: '连接中', connected: '已连接', receiving: '正常接收', ready: '就绪', waiting: '尚未收到消息' },
  received: '最近接收', sent: '最近发送', checked: '最近验证', never: '从未', ago: '{time}前', justNow: '刚刚',
  error: '最近错误', errorsInHour: '近一小时 {n} 次 | 近一小时 {n} 次', refusal: '被拒请求', connection: '长连接', held: { connecting: '正在建立', connected: '已建立', broken: '已断开，正在重试' },
  overcome: '此后已恢复正常。',
  advice: {
    addresses: '请在对方平台的可信 IP（IP 白名单）中加入本服务器的公网地址。', window: '已超过对方允许的回复时限，需要客户先发来新消息。', clock: '请核对服务器时间（NTP）；若只是旧请求，可忽略。',
    secret: 'channels.yml 中的密钥与对方平台不一致，或有外人在尝试访问。请重新复制密钥并重启。', signIn: '用户名或密码不对。邮箱通常需要使用授权码，而不是登录密码。', token: '访问令牌或密钥不对。请到对方平台重新生成，写入 .env 后重启。',
    twice: '另一个程序在使用同一个令牌。请停掉它，或换用不同的令牌。', network: '服务器连不上对方平台。请检查网络、代理和域名。', vendor: '对方平台暂时有故障，消息会自动重试。', contact: '只是联系不上这一位客户，例如对方已拉黑；账号本身没有问题。',
    unknown: '没有及时收到回应，消息可能已经送达。', unreadable: '收到的内容与对方文档不符。如反复出现，请反馈给我们。', crashed: '本系统出错，详情见日志。', wait: '发送过快，请稍候。', inside: '这个地址指向内部网络，系统不会访问。请在 channels.yml 中改为公网地址；确实要访问内网时，设置 allow_private_addresses。', gone: 'channels.yml 中已没有这个账号。请恢复账号，或放弃这些消息。', rejected: '对方平台拒绝了请求，请对照接入指南查看原文。',
  },
  address: '回调地址', addressAutomatic: '每次启动时自动登记，无需手动填写。', copy: '复制', copied: '已复制。', copyFailed: '复制失败，请手动选中后复制。', copyWhat: '复制{what}',
  privateAddress: '对方平台访问不到这个地址：需要 https 和公网域名。请设置 PUBLIC_URL。',
  atVendor: '在对方平台填写什么', page: '打开对方平台', where: '位置', enter: '同时填写', events: '勾选事件', guide: '接入指南：{file}', settingOf: '{field} = channels.yml 中的 {setting}',
  hint: { webchat: '嵌在您自己的网页上，消息写好后立即显示在网页里。', rest: '程序用 REST_API_KEYS 中的密钥调用 {url}。' },
  check: '检查', checkHint: '向对方平台核对凭证，不会给任何人发消息。', checkOk: '验证通过：{who}', checkOkPlain: '凭证有效。',
  test: '发送测试消息', testTitle: '发送测试消息：{name}', testIntro: '立即发出，不计入任何会话。', to: '收件人', toHint: '例如 {example}', recent: '最近联系的客户', noRecent: '还没有人给这个账号发过消息。', text: '内容', testText: '这是客服系统发出的测试消息，无需回复。', send: '发送', close: '关闭',
  testOk: '已发出，请确认是否收到。', testFailed: '没有发出去。',
  outcome: { unreachable: '联系不上该收件人。', forbidden_address: '没有发送。', rejected: '对方平台拒绝了。', unavailable: '对方平台没有响应。', unknown: '没有收到回应，消息可能已送达。', rate_limited: '对方平台要求等待 {n} 秒。', unreadable: '对方平台的回应无法识别。', crashed: '本系统出错。' },
  vendorSays: '原文：{detail}', tooMany: '这个账号刚刚试得太频繁，请等待 {n} 秒。',
  adminsOnly: '检查账号和发送测试消息需要管理员权限。',
  add: '添加渠道', addIntro: '把条目复制到 channels.yml，把变量写入 .env，然后重启服务。', addAnother: '再加一个账号', entry: 'channels.yml 条目', variables: '.env 变量',
  about: {
    telegram: '机器人，支持私聊和群聊', wechat: '微信公众号', wecom: '企业微信自建应用，面向公司成员', dingtalk: '企业内部机器人', slack: '工作区里的应用', whatsapp: 'Cloud API 号码', messenger: 'Facebook 公共主页', email: '邮箱（IMAP 收、SMTP 发）', mqtt: '自有消息代理上的设备', webhook: '您自己的程序，双向签名',
  },
}

export const letters = {
  intro: '多次尝试后放弃的消息，以及不确定是否送达的消息。', none: '全部已送达', noneText: '送不出去的消息会显示在这里。', noMatch: '没有符合条件的未送达消息',
  account: '账号', allAccounts: '全部账号', state: '状态', allStates: '全部状态', states: { dead: '未送达', unknown: '可能已送达' },
  contact: '客户', message: '消息', error: '错误', tries: '尝试 {n} 次 | 尝试 {n} 次', age: '发出时间', files: '{n} 个文件 | {n} 个文件', select: '选择发给 {name} 的消息', selectAll: '选择当前显示的全部', selected: '已选 {n} 条', actions: '操作',
  open: '打开会话', replay: '重新发送', discard: '放弃', replaySelected: '重发 {n} 条', discardSelected: '放弃 {n} 条', replayAll: '重新发送 | 重发全部 {n} 条', discardAll: '放弃 | 放弃全部 {n} 条',
  replayTitle: '确定重新发送？', replaySure: '这条消息会再发一次。 | {n} 条消息会再发一次，同一客户的按原来的顺序。', twice: '其中 {n} 条可能已经送达，客户会收到两次。 | 其中 {n} 条可能已经送达，客户会收到两次。', twiceOne: '它可能已经送达，客户会收到两次。',
  discardTitle: '确定放弃？', discardSure: '这条消息不再发送，会话中仍标记为未送达。请说明原因。 | {n} 条消息不再发送，会话中仍标记为未送达。请说明原因。', reason: '原因（记入审计记录）', reasonNeeded: '请简要说明原因。',
  cancel: '取消', replayed: '没有需要重发的消息。 | 1 条消息已重新发送。 | {n} 条消息已重新发送。', discarded: '没有需要放弃的消息。 | 已放弃 1 条消息。 | 已放弃 {n} 条消息。', working: '已完成 {n} 条…', notDone: '操作未成功：{message}',
  more: '显示更多', refresh: '重新读取', failed: '无法读取列表：{message}',
}
