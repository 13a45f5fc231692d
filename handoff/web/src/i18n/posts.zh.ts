// 见 posts.en.ts。
export const posts = {
  refused: {
    changed: '这期间有同事改过并保存了，请返回后重新打开再改。', not_found: '它已经被同事删除了。', no_mail_server: '还没有配置邮件服务器（SMTP_URL），请改用 webhook。', narrowed: '摘要包含全部会话的数据，请联系能看到全部会话的主管。',
  },
  badMail: "请检查邮箱地址：每行一个，例如 lead{'@'}example.com。",
  inside: '这个地址在内部网络。请填写公网地址；确实要发到内网的话，请部署人员开启 PRIVATE_WEBHOOKS。', noTls: '地址必须以 https:// 开头。', port: '地址的端口只能是 443 或 8443。', userinfo: '地址里不能带用户名或密码；对方可以通过签名确认来源。', noUrl: '这不是有效的网址。应类似 https://example.com/path。',
  http: '对方返回 HTTP {code}', silent: '对方没有响应', mailCode: '邮件服务器返回 {code}', mail: '连不上邮件服务器', noMailServer: '还没有配置邮件服务器（SMTP_URL）',
}
