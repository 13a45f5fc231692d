// 见 digests.en.ts。
export const digests = {
  title: '定期摘要', intro: '定期把所选的整体指标发到邮箱或其他系统。时间按 {zone} 时区。', introPlain: '定期把所选的整体指标发到邮箱或其他系统。',
  none: '还没有定期摘要。', add: '新建摘要', edit: '修改', back: '返回', cancel: '取消', remove: '删除', removeSure: '删除“{name}”？尚未发出的内容也不再发送。',
  readOnly: '摘要包含全部会话的数据，只有能看到全部会话的主管和管理员可以修改。',
  noMail: '还没有配置邮件服务器（SMTP_URL），目前只能推送到 webhook。',
  name: '名称', nameHint: '例如：周一例会', rhythm: '频率', rhythms: { daily: '每天', weekly: '每周', monthly: '每月' },
  of: { daily: '统计前一天', weekly: '统计之前七天', monthly: '统计上一个自然月' },
  weekday: '星期', monthday: '日期', clock: '时间', language: '语言', languages: { zh: '中文', en: 'English' },
  way: '方式', ways: { email: '邮件', webhook: 'Webhook' }, addresses: { email: '收件人', webhook: '地址' }, addressHint: { email: '每行一个邮箱地址', webhook: 'https://' },
  secret: '按 Standard Webhooks 签名，密钥：', secretShort: 'webhook 密钥', figures: '指标', active: '按时自动发送', off: '已停用',
  save: '保存', saved: '摘要已保存。', preview: '预览', previewOf: '现在发送的内容', send: '立即发送', handed: '摘要已发送。', notHanded: '对方没有接收，稍后会重试，原因见下方。',
  next: '下次：{at}', last: '最近发送', state: { waiting: '稍后重试（已尝试 {n} 次）', sent: '已送达', dead: '尝试 {n} 次后放弃' },
}
