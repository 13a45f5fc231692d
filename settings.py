"""Every setting of the service, read once from the environment, ``.env`` and ``var/secrets.env``.

A bad value stops start-up with one sentence that names it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticUseDefault

from env_file import everything
from setting_rules import problem_with

ROOT = Path(__file__).resolve().parent


class BadSetting(SystemExit):
    """A setting cannot be used; the message names it and says what is expected."""


class Settings(BaseModel):
    """The settings; each field is set by the environment variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address the service listens on")
    port: int = Field(8000, ge=1, le=65535, description="port the service listens on")
    public_url: str = Field("", description="address customers and staff use; empty means http://HOST:PORT")
    tls_cert: Path | None = Field(
        None,
        description="certificate (PEM, with its issuers) for https without a proxy; empty: plain http (docs/tls.md)",
    )
    tls_key: Path | None = Field(None, description="its key, readable by the service only; empty: in TLS_CERT as well")
    tls_min: Literal["1.3", "1.2"] = Field("1.3", description="oldest TLS that is spoken: 1.3, or 1.2 for old devices")
    allowed_origins: Annotated[
        tuple[str, ...], Field(description="other sites that may embed the chat widget, comma separated")
    ] = ()
    data_dir: Path = Field(ROOT / "var", description="folder of everything the embedded form stores")
    index_dir: Path | None = Field(
        None,
        description="folder of the embedded index; empty: DATA_DIR; each of several service processes needs its own",
    )
    nlu_data: Path = Field(
        ROOT / "nlu_data",
        description="folder of the examples that trainers edit: the one that training reads, writable by the service",
    )
    mlflow_tracking_uri: str | None = Field(
        None, description="MLflow server that hears of every training (docs/models.md)"
    )
    mlflow_tracking_token: str | None = Field(None, repr=False, description="its token, where it asks for one")
    mlflow_experiment_name: str = Field("frontdesk", description="the experiment that the trainings are runs of")
    database_url: str = Field("", description="empty: SQLite in DATA_DIR; scaled: postgresql+asyncpg://…")
    redis_url: str | None = Field(None, description="fan-out between service processes; needed for more than one")
    qdrant_url: str | None = Field(None, description="Qdrant server; empty: Qdrant Edge in this process")
    bot_urls: Annotated[tuple[str, ...], Field(description="addresses of the bot processes, comma separated")] = (
        "http://127.0.0.1:5005",
    )
    bot_secret: str = Field(min_length=16, description="shared by service and bot")
    action_secret: str = Field(min_length=16, description="the bot proves itself with it when it calls actions")
    secret_key: str = Field(
        min_length=32,
        description="signs visitor tokens and file links; wraps the keys of contacts' data where FIELD_KEYS is empty",
    )
    field_keys: Annotated[
        tuple[str, ...],
        Field(
            repr=False,
            description="wraps the keys that seal contacts' data (docs/security.md), 64 hexadecimal digits; older ones "
            "behind commas; empty: made from SECRET_KEY",
        ),
    ] = ()
    channels_file: Path | None = Field(
        None, description="YAML list of messaging accounts (docs/channels); empty: channels.yml beside .env, if there"
    )
    site_identity_key: Annotated[
        tuple[str, ...],
        Field(
            repr=False,
            description="your site signs with it who is signed in (docs/embedding.md); old ones behind commas",
        ),
    ] = ()
    vouched_proof: Annotated[
        tuple[str, ...],
        Field(
            description="whose word opens an account: site_id, site_email, site_phone, channel_phone, channel_email; or none"
        ),
    ] = ("site_email", "site_phone", "channel_phone", "channel_email")
    rest_api_keys: Annotated[tuple[str, ...], Field(description="keys of the REST channel, comma separated")] = ()
    rest_per_second: float = Field(500, ge=0, description="requests a second of one API key; 0: any number")
    rest_wrong_keys: int = Field(30, ge=0, description="wrong API keys a minute from one address; 0: any number")
    totp_required: Annotated[
        tuple[Literal["agent", "trainer", "supervisor", "admin", "auditor"], ...],
        Field(description="roles that must sign in with a code of an app as well, like supervisor,admin"),
    ] = ()
    oidc_issuer: str | None = Field(
        None, description="sign-in with an OpenID provider: its issuer, written as it does itself; empty: none"
    )
    oidc_client_id: str | None = Field(None, description="what the provider calls this desk; needed with OIDC_ISSUER")
    oidc_client_secret: str | None = Field(None, repr=False, description="its secret; empty: a public client")
    oidc_scopes: str = Field("openid email profile", pattern=r"(^|.* )openid( .*|$)", description="what is asked for")
    oidc_roles: str = Field(
        "",
        description='which claim makes somebody what, like "groups: desk-admins=admin, desk-agents=agent"; first counts',
    )
    oidc_provision: bool = Field(False, description="whether OIDC_ROLES also makes members of people nobody has added")
    oidc_mfa_acr: str = Field("", description="values of acr that stand for a second factor, comma separated")
    oidc_name_zh: str = Field("公司账号", max_length=40, description="what the button calls the provider in Chinese")
    oidc_name_en: str = Field("your company account", max_length=40, description="the same in English")
    password_sign_in: bool = Field(True, description="whether staff sign in with passwords; off needs OIDC_ISSUER")
    demo: bool = Field(False, description="demo shop page, demo sign-ins and the mailbox of one-time codes")
    demo_password: str = Field("frontdesk-demo", min_length=8, description="password of the demo sign-ins")
    business_hours: str = Field("always", description='"always" or like "Mon-Sun 09:00-21:00 Asia/Shanghai"')
    proactive_per_day: int = Field(
        5, ge=1, le=100, description="messages nobody asked for (an order is shipped, …) to one contact within a day"
    )
    proactive_hours: str = Field(
        "", description="when they may go out, written like BUSINESS_HOURS; empty: in BUSINESS_HOURS"
    )
    proactive_file: Path | None = Field(
        None, description="YAML file with more kinds of them, or other words (docs/proactive.md)"
    )
    answer_threshold: float | None = Field(None, ge=0, le=1, description="gate score that acts; empty: the model's own")
    clarify_threshold: float | None = Field(
        None, ge=0, le=1, description="gate score below which only knowledge answers; empty: the model's own"
    )
    retrieval_gate: float | None = Field(
        None, ge=0, le=1, description="retrieval score needed to quote; empty: the fitted one"
    )
    grace_seconds: float = Field(
        45, ge=1, le=3600, description="an agent gone longer gives conversations back to the queue"
    )
    recall_seconds: float = Field(120, ge=0, le=86_400, description="how long an agent may take back a reply; 0: never")
    ask_nps: bool = Field(
        False, description="whether a rating also asks how likely the contact recommends you, 0 to 10"
    )
    ask_rating_when_idle: bool = Field(
        True, description="whether contacts who went quiet while the bot served them are asked for a rating"
    )
    rating_hours: float = Field(72, gt=0, le=720, description="how long after it was asked for a rating still counts")
    turn_lease_seconds: float = Field(
        45, ge=2, le=600, description="how long a turn stays with a process that has stopped answering"
    )
    erasure_ledger: Path | None = Field(
        None,
        description="list of erased contacts, applied to every restored backup; keep it on another disk than DATA_DIR; "
        "empty: DATA_DIR/erasures.jsonl",
    )
    drain_seconds: float = Field(
        1, ge=0, le=60, description="after SIGTERM readiness is off for so long before new connections are refused"
    )
    concurrent_turns: int = Field(8, ge=1, le=256, description="conversations one service process works on at once")
    smtp_url: str | None = Field(None, description="smtp://user:password@host:587 for one-time codes")
    smtp_from: str = Field("help@kite.example", description="sender of one-time codes")
    private_webhooks: bool = Field(
        False, description="whether alerts and digests may be posted to addresses inside the network the desk stands in"
    )
    channel_audiences: str = Field(
        "",
        description='readers besides customers, by channel: "rest=business, wecom/internal=staff+member"; '
        "articles name their audience",
    )
    time_zone: str = Field("Asia/Shanghai", description="zone of the days in articles (valid_from, valid_until)")
    encoder: str = Field(
        "e5",
        pattern="^(e5|hf:.+)$",
        description='"e5" (offline, comes with the packages) or "hf:" and the path or hub name of a model',
    )
    reranker: str = Field(
        "", pattern="^(hf:.+)?$", description='empty: none; or "hf:" and the path or hub name of a cross-encoder'
    )
    llm_url: str | None = Field(
        None, description="OpenAI-compatible endpoint that may phrase answers, like https://host/v1; empty: none"
    )
    llm_key: str | None = Field(None, repr=False, description="its key, sent as bearer token; empty: none is sent")
    llm_model: str | None = Field(None, max_length=200, description="the model's name there; needed with LLM_URL")
    llm_timeout_seconds: float = Field(
        5, ge=0.5, le=6.5, description="time the endpoint gets; afterwards the quoted answer is given in the same turn"
    )
    stt_url: str | None = Field(
        None,
        description="OpenAI-compatible endpoint that writes down voice messages, like https://host/v1; empty: none; "
        "customers' voices go there",
    )
    stt_key: str | None = Field(None, repr=False, description="its key, sent as bearer token; empty: none is sent")
    stt_model: str | None = Field(None, max_length=200, description="the model's name there; needed with STT_URL")
    stt_timeout_seconds: float = Field(
        12, ge=0.5, le=60, description="time it gets at most; less where the channel does not wait that long"
    )
    labels_by_agents: bool = Field(True, description="whether agents may make new labels; supervisors always may")
    translation: bool = Field(
        True, description="offer agents translations of messages by the model at LLM_URL; customers' words go there"
    )
    retention_days: str = Field(
        "",
        description='how long personal data is kept, by class, like "messages=730, files=365, traces=180, contacts=1095"; '
        "what is not named stays",
    )
    metrics_token: str | None = Field(
        None,
        min_length=16,
        repr=False,
        description="bearer token for /metrics; empty: read from this machine only, while PUBLIC_URL is local",
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        pattern="^https?://[^/?#@]+",
        description="OpenTelemetry collector for traces, like http://127.0.0.1:4318; empty: no traces",
    )
    otel_traces_sampler_arg: float = Field(1.0, ge=0, le=1, description="share of the traces that are kept")
    export_url: str | None = Field(
        None,
        repr=False,
        description="where events of turns and states go: redis://host/0/stream, kafka://host:9092/topic or https://…; empty: nowhere",
    )
    export_secret: str | None = Field(
        None, repr=False, description="signs events posted to an https EXPORT_URL, like whsec_…"
    )
    export_text: bool = Field(False, description="whether exported turns carry what contacts and the bot said")
    export_masked: bool = Field(
        True, description="whether phones, cards, addresses and names in it are masked; false: as it was written"
    )
    mask_prompts: bool = Field(
        True, description="whether the model at LLM_URL gets placeholders for phones, cards, addresses and names"
    )
    name_models: str = Field(
        "",
        description='spaCy models that find more names, when installed: "zh=zh_core_web_sm, en=en_core_web_sm"; empty: none',
    )
    articles_dir: Path | None = Field(
        None, description="folder of articles that the service follows: what is saved there is known a moment later"
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR")

    @field_validator(
        "allowed_origins",
        "bot_urls",
        "rest_api_keys",
        "site_identity_key",
        "field_keys",
        "vouched_proof",
        "totp_required",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _empty_means_default(cls, value: object) -> object:
        if value == "":
            raise PydanticUseDefault
        return value

    @model_validator(mode="after")
    def _fill_and_check(self) -> Self:
        filled: dict[str, object] = {}
        if not self.database_url:
            filled["database_url"] = f"sqlite+aiosqlite:///{self.data_dir / 'frontdesk.db'}"
        if not self.public_url:
            filled["public_url"] = f"{'https' if self.tls_cert else 'http'}://{self.host}:{self.port}"
        for name, value in filled.items():
            object.__setattr__(self, name, value)
        if not self.database_url.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            raise ValueError("DATABASE_URL must begin with sqlite+aiosqlite:// or postgresql+asyncpg://")
        if not self.public_url.startswith(("http://", "https://")):
            raise ValueError("PUBLIC_URL must begin with http:// or https://")
        if not self.nlu_data.is_dir():
            raise ValueError("NLU_DATA must be the folder of the examples; there is no such folder")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("TIME_ZONE must be a zone such as Asia/Shanghai or Europe/London") from None
        if (wrong := problem_with(self)) is not None:
            raise ValueError(wrong)
        low, high = self.clarify_threshold, self.answer_threshold
        if low is not None and high is not None and low > high:
            raise ValueError("CLARIFY_THRESHOLD must not be above ANSWER_THRESHOLD")
        return self

    @property
    def retention(self) -> dict[str, timedelta]:
        """How long each class of personal data is kept; what is not named stays."""
        parts = (part.partition("=") for part in self.retention_days.split(",") if part.strip())
        return {name.strip(): timedelta(days=int(days)) for name, _, days in parts}

    @property
    def models_of_names(self) -> dict[str, str]:
        """The spaCy model for the names of each language."""
        parts = (part.partition("=") for part in self.name_models.split(",") if part.strip())
        return {language.strip(): model.strip() for language, _, model in parts}

    @property
    def speech(self) -> tuple[str | None, str | None, str | None, float]:
        """Address, model, key and time of what writes down voice messages."""
        return self.stt_url, self.stt_model, self.stt_key, self.stt_timeout_seconds

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be written anywhere: keys, tokens, and the passwords inside of addresses."""
        named = (
            self.bot_secret, self.action_secret, self.secret_key, self.llm_key, self.stt_key, self.metrics_token,
            self.export_secret, self.oidc_client_secret, self.mlflow_tracking_token,
        )  # fmt: skip
        urls = (
            self.database_url,
            self.redis_url,
            self.qdrant_url,
            self.smtp_url,
            self.export_url,
            self.mlflow_tracking_uri,
        )
        passwords = (unquote(urlsplit(url).password or "") for url in urls if url)
        return tuple(filter(None, (*named, *self.rest_api_keys, *self.site_identity_key, *self.field_keys, *passwords)))

    @property
    def wrapping_keys(self) -> tuple[bytes, ...]:
        """The keys that wrap contacts' keys, the one in force first; the one from SECRET_KEY always opens."""
        return (*map(bytes.fromhex, self.field_keys), self.key_for("audit"))

    @property
    def index_home(self) -> Path:
        """Where this process keeps its embedded index: only one process can have it open."""
        return self.index_dir or self.data_dir

    def key_for(self, purpose: str) -> bytes:
        """A 256-bit key for one purpose, so that no key made from the secret serves two."""
        return hmac.digest(self.secret_key.encode(), purpose.encode(), hashlib.sha256)

    def audiences_of(self, channel: str, account: str) -> tuple[str, ...]:
        """To whom a channel account speaks besides customers; what is set for the account wins over its channel."""
        named: dict[str, tuple[str, ...]] = {}
        for part in filter(None, map(str.strip, self.channel_audiences.split(","))):
            address, _, audiences = part.partition("=")
            named[address.strip()] = tuple(name.strip() for name in audiences.split("+"))
        return named.get(f"{channel}/{account}", named.get(channel, ()))


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in force; raises ``BadSetting`` (a ``SystemExit``) that names each bad or missing one."""
    environment = everything() if environment is None else environment
    values = {name: environment[name.upper()] for name in Settings.model_fields if name.upper() in environment}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise BadSetting("Settings stop the start:\n" + "\n".join(_explain(dict(e)) for e in error.errors())) from None


def _explain(error: dict[str, object]) -> str:
    location = error["loc"]
    name = str(location[0]).upper() if isinstance(location, tuple) and location else ""
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        message = "is missing; `make run` writes one into var/secrets.env, or set it yourself"
    return f"  {name} {message}" if name else f"  {message}"
