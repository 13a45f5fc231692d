"""What settings have to look like and how they have to fit together, beyond what the type of each one says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from settings import Settings

_ROLE = r"\s*[^=,]+=\s*(agent|trainer|supervisor|admin|auditor)\s*"
_ROLES = re.compile(rf"\s*[\w.:/-]+\s*:(?=\s|\w){_ROLE}(,{_ROLE})*")


def problem_with(given: Settings) -> str | None:
    """The first thing that is wrong, naming the setting; None when the desk can start with them."""
    return next((wrong for rule in _RULES for wrong in rule(given)), None)


def role_claim(written: str) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """The claim of OIDC_ROLES, and what its values make somebody."""
    claim, _, pairs = written.partition(": " if ": " in written else ":")
    split = (pair.rpartition("=") for pair in pairs.split(",") if pair.strip())
    return claim.strip() or None, tuple((value.strip(), role.strip()) for value, _, role in split)


def _transport(given: Settings) -> Iterator[str]:
    if given.tls_key is not None and given.tls_cert is None:
        yield "TLS_KEY is set, but TLS_CERT is missing; set both, or neither behind a proxy that does TLS"
    if given.tls_cert is not None and not given.public_url.startswith("https://"):
        yield "PUBLIC_URL must begin with https:// when TLS_CERT is set"
    unchecked = r"[?&](ssl=(allow|prefer|require|verify-ca)|sslmode=)"
    if re.search(unchecked, given.database_url, re.IGNORECASE):
        yield _unchecked("DATABASE_URL", "?ssl=verify-full")
    unchecked = r"[?&](ssl_cert_reqs=(none|optional)|ssl_check_hostname=(false|no|0))"
    if re.search(unchecked, given.redis_url or "", re.IGNORECASE):
        yield _unchecked("REDIS_URL", "rediss:// with ssl_ca_certs for a CA of your own")


def _unchecked(name: str, right: str) -> str:
    return f"{name} asks for TLS that does not check whom it speaks to; write {right} (docs/tls.md)"


def _lists(given: Settings) -> Iterator[str]:
    for part in _parts(given.channel_audiences):
        if not re.fullmatch(r"[\w-]+(/[\w.-]+)?\s*=\s*[a-z][\w-]*(\s*\+\s*[a-z][\w-]*)*", part):
            yield f'CHANNEL_AUDIENCES has {part!r}; write it like "rest=business, wecom/internal=staff"'
    for part in _parts(given.retention_days):
        if not re.fullmatch(r"(messages|files|traces|contacts)\s*=\s*[1-9]\d{0,4}", part):
            yield f"RETENTION_DAYS has {part!r}; write days for messages, files, traces or contacts, like messages=730"
    for part in _parts(given.name_models):
        if not re.fullmatch(r"(zh|en)\s*=\s*\w+", part):
            yield f'NAME_MODELS has {part!r}; write it like "zh=zh_core_web_sm, en=en_core_web_sm"'
        elif find_spec(part.partition("=")[2].strip()) is None:
            yield f"NAME_MODELS has {part!r}, and this spaCy model is not installed"
    words = {"site_id", "site_email", "site_phone", "channel_phone", "channel_email"}
    if unknown := set(given.vouched_proof) - words - ({"none"} if len(given.vouched_proof) == 1 else set()):
        yield f"VOUCHED_PROOF has {sorted(unknown)[0]!r}; it is none, or some of {', '.join(sorted(words))}"


def _keys(given: Settings) -> Iterator[str]:
    if any(len(key) < 32 for key in given.site_identity_key):
        yield "SITE_IDENTITY_KEY needs keys of at least 32 characters; `openssl rand -hex 32` makes one"
    if not all(re.fullmatch(r"[0-9A-Fa-f]{64}", key) for key in given.field_keys):
        yield "FIELD_KEYS needs keys of 64 hexadecimal digits; `openssl rand -hex 32` makes one"


def _provider(given: Settings) -> Iterator[str]:
    if given.oidc_issuer is None:
        if given.oidc_client_id or given.oidc_client_secret or given.oidc_roles or given.oidc_provision:
            yield "OIDC_ISSUER is missing, but other OIDC settings are there; set it or none of them"
        elif not given.password_sign_in:
            yield "PASSWORD_SIGN_IN is off without OIDC_ISSUER: nobody could sign in"
        return
    if not _is_issuer(given.oidc_issuer):
        yield "OIDC_ISSUER must be an https address without ? and #, as the provider writes it"
    if not given.oidc_client_id:
        yield "OIDC_CLIENT_ID is missing; the provider shows it where the desk was registered"
    if given.oidc_roles and not _ROLES.fullmatch(given.oidc_roles):
        yield 'OIDC_ROLES is written like "groups: desk-admins=admin, desk-agents=agent"'
    if given.oidc_provision and not given.oidc_roles:
        yield "OIDC_PROVISION needs OIDC_ROLES: it has to say what new people become"


def _is_issuer(issuer: str) -> bool:
    try:
        address = urlsplit(issuer)
        host, port = address.hostname, address.port
    except ValueError:
        return False
    here = address.scheme == "http" and host in {"127.0.0.1", "localhost", "::1"}  # for trying one out
    plain = not (address.query or address.fragment or address.username)
    return bool(host) and port != 0 and plain and (address.scheme == "https" or here)


def _endpoints(given: Settings) -> Iterator[str]:
    for name in ("LLM", "STT"):
        wrong = _wrong_endpoint(name, *(getattr(given, f"{name.lower()}_{part}") for part in ("url", "key", "model")))
        if wrong is not None:
            yield wrong


def _wrong_endpoint(name: str, url: str | None, key: str | None, model: str | None) -> str | None:
    if url is None:
        unused = "KEY" if key is not None else "MODEL" if model is not None else None
        return unused and f"{name}_{unused} is set, but {name}_URL is missing; set both or neither"
    try:
        address = urlsplit(url)
        usable = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError:
        return f"{name}_URL must be the base of an OpenAI-compatible API, like https://host/v1"
    if not usable or address.query or address.fragment:
        return f"{name}_URL must be the base of an OpenAI-compatible API, like https://host/v1"
    if address.username or address.password:
        return f"{name}_URL must not hold a user or password; put the key into {name}_KEY"
    if model is None or not model.strip():
        return f"{name}_MODEL is missing; name the model that the endpoint at {name}_URL should use"
    if key is not None and not re.fullmatch(r"[\x21-\x7e]+", key):
        return f"{name}_KEY must be printable ASCII without spaces; copy it again"
    return None


def _tracking(given: Settings) -> Iterator[str]:
    try:
        address = urlsplit(given.mlflow_tracking_uri or "http://unset")
        usable = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError:
        usable = False
    if not usable or address.query or address.fragment:
        yield "MLFLOW_TRACKING_URI must be the address of an MLflow server, like https://mlflow.example.com"
    if given.mlflow_tracking_token is not None and given.mlflow_tracking_uri is None:
        yield "MLFLOW_TRACKING_TOKEN is set, but MLFLOW_TRACKING_URI is missing; set both or neither"


def _addresses(given: Settings) -> Iterator[str]:
    for name, urls, schemes in (
        ("BOT_URLS", given.bot_urls, ("http", "https")),
        ("QDRANT_URL", (given.qdrant_url,), ("http", "https")),
        ("REDIS_URL", (given.redis_url,), ("redis", "rediss", "unix")),
        ("SMTP_URL", (given.smtp_url,), ("smtp", "smtps")),
        ("ALLOWED_ORIGINS", given.allowed_origins, ("http", "https")),
    ):
        if not urls:
            if name == "BOT_URLS":
                yield "BOT_URLS needs at least one address, like http://127.0.0.1:5005"
            continue
        if not all(url is None or _begins(url, schemes) for url in urls):
            yield f"{name} must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}, and name a host"
    if any(urlsplit(origin).path.strip("/") for origin in given.allowed_origins if _begins(origin, ("http", "https"))):
        yield "ALLOWED_ORIGINS names sites without a path, like https://shop.example"


def _begins(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        address = urlsplit(url)
        return address.scheme in schemes and (bool(address.hostname) or address.scheme == "unix") and address.port != 0
    except ValueError:
        return False


def _parts(written: str) -> Iterator[str]:
    return filter(None, map(str.strip, written.split(",")))


_RULES: tuple[Callable[[Settings], Iterator[str]], ...] = (
    _transport, _lists, _keys, _provider, _endpoints, _tracking, _addresses,
)  # fmt: skip
