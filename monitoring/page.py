"""``/metrics`` for whoever may read it, and the count of every answer the service gives."""

from __future__ import annotations

import hmac
import json
import re
import time
from collections.abc import Iterable
from types import SimpleNamespace
from urllib.parse import urlsplit

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sanic import Config, HTTPResponse, Request, Sanic
from sanic import json as json_response

from monitoring.collectors import Collectors
from monitoring.state import State

_LOCAL = {"127.0.0.1", "localhost", "::1"}
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_GROUPS = (
    ("/staff/api/", "staff"),
    ("/webchat/", "webchat"),
    ("/api/", "rest"),
    ("/webhooks/", "webhooks"),
    ("/internal/", "actions"),
    ("/files/", "files"),
    ("/kb/", "articles"),
    ("/staff", "console"),
    ("/metrics", "monitoring"),
    ("/health", "monitoring"),
    ("/readyz", "monitoring"),
)
#: Refusals for who asks; everything else with a 4xx is a mistake in what was asked.
_WHO = {
    "bad_token", "bad_signature", "csrf", "forbidden", "foreign_origin", "https_needed", "metrics_not_open",
    "origin_not_allowed", "signed_out", "unauthorized",
}  # fmt: skip
_BY_STATUS = {401: "unauthorized", 403: "forbidden"}
_WEBHOOK_REASONS = {"bad_signature", "bad_payload", "too_large", "unknown_channel", "no_handshake", "overloaded"}
_SIGN_IN = "/staff/api/sign-in"
_SIGN_INS = {401: "wrong", 429: "locked", 503: "busy"}
_WEBHOOK = re.compile(r"/webhooks/([^/]+)/([^/]+)")
_LONGEST_ERROR = 4096


def mount_metrics(
    web: Sanic[Config, SimpleNamespace],
    state: State,
    collectors: Collectors,
    token: str | None,
    public_url: str,
    accounts: Iterable[tuple[str, str]],
) -> None:
    """Add the route and the counting of answers; ``accounts`` are the channels that webhooks may name in a label."""
    answers = _Answers(collectors, frozenset(accounts))
    # A proxy on this machine makes the whole internet come from loopback, so a public desk always needs the token.
    open_here = urlsplit(public_url).hostname in _LOCAL

    @web.get("/metrics", name="metrics")
    async def metrics(request: Request) -> HTTPResponse:
        refused = _refused(request, token, open_here)
        if refused is not None:
            return refused
        await state.look()
        headers = {"cache-control": "no-store"}
        return HTTPResponse(generate_latest(collectors.registry), headers=headers, content_type=CONTENT_TYPE_LATEST)

    @web.on_request
    async def begin(request: Request) -> None:
        request.ctx.began = time.perf_counter()

    @web.on_response  # type: ignore[untyped-decorator]
    async def count(request: Request, response: HTTPResponse) -> None:
        began = getattr(request.ctx, "began", None)
        answers.count(request.path, response, None if began is None else time.perf_counter() - began)


def _refused(request: Request, token: str | None, open_here: bool) -> HTTPResponse | None:
    if token is not None:
        given = request.headers.get("authorization", "")
        if hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return None
        return _problem(
            401,
            "unauthorized",
            "Send the header Authorization: Bearer with the value of METRICS_TOKEN. "
            "请在请求头 Authorization: Bearer 里带上 METRICS_TOKEN 的值。",
        )
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname
    direct = not any(name in request.headers for name in _FORWARDED)
    if open_here and direct and request.ip in _LOCAL and host in _LOCAL:
        return None
    return _problem(
        403,
        "metrics_not_open",
        "Metrics are only shown on this machine. Set METRICS_TOKEN and send it as bearer token to read them from "
        "elsewhere. 指标默认只对本机开放；如需从别处读取，请设置 METRICS_TOKEN 并以 Bearer 令牌访问。",
    )


def _problem(status: int, code: str, message: str) -> HTTPResponse:
    return json_response({"error": {"code": code, "message": message}}, status=status, ensure_ascii=False)


class _Answers:
    """Counts answers; every interface says its errors in one form, so one look finds the reason of each refusal."""

    def __init__(self, collectors: Collectors, accounts: frozenset[tuple[str, str]]) -> None:
        self._of = collectors
        self._accounts = accounts

    def count(self, path: str, response: HTTPResponse, seconds: float | None) -> None:
        """One answer."""
        status, group = response.status, group_of(path)
        self._of.responses.labels(group, f"{status // 100}xx").inc()
        if seconds is not None:
            self._of.response_seconds.labels(group).observe(seconds)
        if path == _SIGN_IN and (status == 200 or status in _SIGN_INS):
            self._of.sign_ins.labels(_SIGN_INS.get(status, "ok")).inc()
        if status < 400:
            return
        code = _code_of(response) or _BY_STATUS.get(status, "")
        webhook = _WEBHOOK.fullmatch(path)
        if webhook is not None and code in _WEBHOOK_REASONS:
            known = (webhook[1], webhook[2]) in self._accounts
            channel, account = (webhook[1], webhook[2]) if known else ("unknown", "unknown")
            self._of.refused_webhooks.labels(channel, account, code).inc()
        if group == "webchat" and code in ("bad_token", "too_fast"):
            return  # counted where it was refused, which also sees sockets
        if code in _WHO:
            self._of.refusals.labels(group, code).inc()
        if status == 429:
            self._of.rate_limited.labels(group).inc()


def group_of(path: str) -> str:
    """Which of the service's doors a path belongs to."""
    return next((group for start, group in _GROUPS if path.startswith(start)), "pages")


def _code_of(response: HTTPResponse) -> str | None:
    body = response.body
    if not isinstance(body, bytes) or len(body) > _LONGEST_ERROR or not body.startswith(b"{"):
        return None
    try:
        error = json.loads(body).get("error")
    except ValueError:
        return None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else None
