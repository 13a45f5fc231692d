"""Every setting of the service, read once from the environment, ``.env`` and ``var/secrets.env``.

A bad value stops start-up with one sentence that names it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticUseDefault

ROOT = Path(__file__).resolve().parent


class BadSetting(SystemExit):
    """A setting cannot be used; the message names it and says what is expected."""


class Settings(BaseModel):
    """The settings; each field is set by the environment variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address the service listens on")
    port: int = Field(8000, ge=1, le=65535, description="port the service listens on")
    public_url: str = Field("", description="address customers and staff use; empty means http://HOST:PORT")
    allowed_origins: Annotated[
        tuple[str, ...], Field(description="other sites that may embed the chat widget, comma separated")
    ] = ()
    data_dir: Path = Field(ROOT / "var", description="folder of everything the embedded form stores")
    database_url: str = Field("", description="empty: SQLite in DATA_DIR; scaled: postgresql+asyncpg://…")
    redis_url: str | None = Field(None, description="fan-out between service processes; needed for more than one")
    qdrant_url: str | None = Field(None, description="Qdrant server; empty: Qdrant Edge in this process")
    bot_urls: Annotated[tuple[str, ...], Field(description="addresses of the bot processes, comma separated")] = (
        "http://127.0.0.1:5005",
    )
    bot_secret: str = Field(min_length=16, description="shared by service and bot")
    action_secret: str = Field(min_length=16, description="the bot proves itself with it when it calls actions")
    secret_key: str = Field(
        min_length=32, description="signs visitor tokens and file links; encrypts personal data in the audit trail"
    )
    channels_file: Path | None = Field(
        None, description="YAML list of messaging accounts (docs/channels); empty: channels.yml beside .env, if there"
    )
    rest_api_keys: Annotated[tuple[str, ...], Field(description="keys of the REST channel, comma separated")] = ()
    demo: bool = Field(False, description="demo shop page, demo sign-ins and the mailbox of one-time codes")
    demo_password: str = Field("frontdesk-demo", min_length=8, description="password of the demo sign-ins")
    business_hours: str = Field("always", description='"always" or like "Mon-Sun 09:00-21:00 Asia/Shanghai"')
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
    concurrent_turns: int = Field(8, ge=1, le=256, description="conversations one service process works on at once")
    smtp_url: str | None = Field(None, description="smtp://user:password@host:587 for one-time codes")
    smtp_from: str = Field("help@kite.example", description="sender of one-time codes")
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
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR")

    @field_validator("allowed_origins", "bot_urls", "rest_api_keys", mode="before")
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
            filled["public_url"] = f"http://{self.host}:{self.port}"
        for name, value in filled.items():
            object.__setattr__(self, name, value)
        if not self.database_url.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            raise ValueError("DATABASE_URL must begin with sqlite+aiosqlite:// or postgresql+asyncpg://")
        if not self.public_url.startswith(("http://", "https://")):
            raise ValueError("PUBLIC_URL must begin with http:// or https://")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("TIME_ZONE must be a zone such as Asia/Shanghai or Europe/London") from None
        for part in filter(None, map(str.strip, self.channel_audiences.split(","))):
            if not re.fullmatch(r"[\w-]+(/[\w.-]+)?\s*=\s*[a-z][\w-]*(\s*\+\s*[a-z][\w-]*)*", part):
                raise ValueError(f'CHANNEL_AUDIENCES has {part!r}; write it like "rest=business, wecom/internal=staff"')
        self._check_endpoint("LLM")
        self._check_endpoint("STT")
        low, high = self.clarify_threshold, self.answer_threshold
        if low is not None and high is not None and low > high:
            raise ValueError("CLARIFY_THRESHOLD must not be above ANSWER_THRESHOLD")
        return self

    def _check_endpoint(self, name: str) -> None:
        url, key, model = (getattr(self, f"{name.lower()}_{part}") for part in ("url", "key", "model"))
        if url is None:
            for part, value in (("KEY", key), ("MODEL", model)):
                if value is not None:
                    raise ValueError(f"{name}_{part} is set, but {name}_URL is missing; set both or neither")
            return
        try:
            address = urlsplit(url)
            usable = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
        except ValueError:
            usable = False
        if not usable or address.query or address.fragment:
            raise ValueError(f"{name}_URL must be the base of an OpenAI-compatible API, like https://host/v1")
        if address.username or address.password:
            raise ValueError(f"{name}_URL must not hold a user or password; put the key into {name}_KEY")
        if model is None or not model.strip():
            raise ValueError(f"{name}_MODEL is missing; name the model that the endpoint at {name}_URL should use")
        if key is not None and not re.fullmatch(r"[\x21-\x7e]+", key):
            raise ValueError(f"{name}_KEY must be printable ASCII without spaces; copy it again")

    @property
    def speech(self) -> tuple[str | None, str | None, str | None, float]:
        """Address, model, key and time of what writes down voice messages."""
        return self.stt_url, self.stt_model, self.stt_key, self.stt_timeout_seconds

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


def everything() -> dict[str, str]:
    """The environment, with ``.env`` and the made-up secrets behind it."""
    data_dir = Path(os.environ.get("DATA_DIR", ROOT / "var"))
    return {**read_env_file(data_dir / "secrets.env"), **read_env_file(ROOT / ".env"), **os.environ}


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in force; raises ``BadSetting`` (a ``SystemExit``) that names each bad or missing one."""
    environment = everything() if environment is None else environment
    values = {name: environment[name.upper()] for name in Settings.model_fields if name.upper() in environment}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise BadSetting("Settings stop the start:\n" + "\n".join(_explain(dict(e)) for e in error.errors())) from None


def read_channels(path: Path | None, environment: Mapping[str, str] | None = None) -> tuple[Mapping[str, object], ...]:
    """The entries of the channels file, ``${NAME}`` replaced by that environment variable; no file: none.

    Raises ``BadSetting`` for a file that cannot be read as a list and for variables that are not set.
    """
    known = everything() if environment is None else environment
    chosen = path or ROOT / "channels.yml"
    if path is None and not chosen.exists():
        return ()

    def filled(value: object) -> object:
        if isinstance(value, str):
            return re.sub(r"\$\{(\w+)\}", variable, value)
        if isinstance(value, dict):
            return {name: filled(inner) for name, inner in value.items()}
        return [filled(inner) for inner in value] if isinstance(value, list) else value

    def variable(match: re.Match[str]) -> str:
        if not known.get(match[1]):
            raise BadSetting(f"{chosen} uses ${{{match[1]}}}, but {match[1]} is not set; put it into .env.")
        return known[match[1]]

    try:
        entries = yaml.safe_load(chosen.read_text(encoding="utf-8")) or []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadSetting(f"CHANNELS_FILE {chosen} cannot be read: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadSetting(f'{chosen} must be a list of accounts, each beginning with "- channel: NAME".')
    return tuple({str(name): filled(value) for name, value in entry.items()} for entry in entries)


def _explain(error: dict[str, object]) -> str:
    location = error["loc"]
    name = str(location[0]).upper() if isinstance(location, tuple) and location else ""
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        message = "is missing; `make run` writes one into var/secrets.env, or set it yourself"
    return f"  {name} {message}" if name else f"  {message}"


def read_env_file(path: Path) -> dict[str, str]:
    """The NAME=value lines of a file, or nothing if there is no such file; quotes around values are taken off."""
    if not path.exists():
        return {}
    pairs = (
        line.split("=", 1)
        for line in path.read_text().splitlines()
        if "=" in line and not line.lstrip().startswith("#")
    )
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def ensure_secrets(data_dir: Path) -> None:
    """Write random secrets for a single-machine desk into ``secrets.env`` once, readable by the owner only."""
    path = data_dir / "secrets.env"
    if path.exists():
        return
    data_dir.mkdir(parents=True, exist_ok=True)
    names = ("BOT_SECRET", "ACTION_SECRET", "SECRET_KEY", "REST_API_KEYS")
    lines = [f"{name}={secrets.token_urlsafe(32)}" for name in names]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("# Made on first start. Keep this file: links, tokens and the audit trail depend on it.\n")
        file.write("\n".join(lines) + "\n")
