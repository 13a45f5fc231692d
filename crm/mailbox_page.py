"""The demo's mailbox as a page."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path


def mailbox_page(path: Path) -> str:
    """The demo's mailbox: the newest one-time codes, which a real desk would send by e-mail or text message."""
    lines = path.read_text(encoding="utf-8").splitlines()[-20:] if path.exists() else []
    rows = []
    for line in reversed(lines):
        mail = {name: escape(str(value)) for name, value in json.loads(line).items()}
        rows.append("<tr>" + "".join(f"<td>{mail.get(name, '')}</td>" for name in ("at", "to", "code")) + "</tr>")
    body = "".join(rows) or '<tr><td colspan="3">Nothing yet · 还没有验证码</td></tr>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Demo mailbox · 演示信箱</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/static/kb.css"></head><body><main><h1>Demo mailbox · 演示信箱</h1>'
        "<p>One-time codes that a real desk would send by e-mail or text message. Reload to see new ones.</p>"
        "<p>真实环境会用邮件或短信发送的验证码，刷新可看到新的。</p>"
        f"<table><tr><th>Time · 时间</th><th>To · 收件人</th><th>Code · 验证码</th></tr>{body}</table></main></body></html>"
    )
