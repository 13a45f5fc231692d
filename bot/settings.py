"""Every setting of the bot, read once from the environment; a bad value stops the start with one sentence that names it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

BOT = Path(__file__).resolve().parent
ROOT = BOT.parent
LOOPBACK = {"127.0.0.1", "::1", "localhost"}

# Set before anything of Rasa or TensorFlow is imported: nothing is reported to anyone, and the log stays readable.
QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "RASA_MAX_CACHE_SIZE": "0",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "LOG_LEVEL": "WARNING",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    # A turn's matrices are small: more threads only fight for the cores with the service.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


class BadSetting(SystemExit):
    """A setting cannot be used; the message names it and says what is expected."""


@dataclass(frozen=True)
class Settings:
    """What the bot needs to know to serve turns."""

    secret: str
    action_url: str
    database_url: str
    model_dir: Path
    host: str = "127.0.0.1"
    port: int = 5005
    action_timeout_seconds: float = 10.0
    metrics_token: str | None = None
    most_models: int = 3


def model_dir(environment: Mapping[str, str] | None = None) -> Path:
    """The folder of the trained model (``MODEL_DIR``)."""
    environment = os.environ if environment is None else environment
    return Path(environment.get("MODEL_DIR") or Path(environment.get("DATA_DIR") or ROOT / "var") / "models")


def model_keys(models: Path, environment: Mapping[str, str] | None = None) -> Path:
    """The folder of the keys that sign models (``MODEL_KEYS``; beside the models' folder unless set)."""
    environment = os.environ if environment is None else environment
    return Path(environment.get("MODEL_KEYS") or models.resolve().parent / "model_keys")


def nlu_data(environment: Mapping[str, str] | None = None) -> Path:
    """The folder of what the bot is taught (``NLU_DATA``), the same one that the service edits."""
    environment = os.environ if environment is None else environment
    return Path(environment.get("NLU_DATA") or ROOT / "nlu_data")


def config(profile: str | None = None) -> Path:
    """The pipeline of a profile: ``fast`` or ``accurate`` (``BOT_PROFILE``); raises ``BadSetting`` for another."""
    chosen = profile or os.environ.get("BOT_PROFILE") or "fast"
    if chosen not in {"fast", "accurate"}:
        raise BadSetting(f"BOT_PROFILE={chosen} must be fast or accurate.")
    return BOT / ("config.yml" if chosen == "fast" else "config_accurate.yml")


def entity_catalogue() -> Path:
    """The folder of the entity catalogue that training takes into the model (``ENTITY_CATALOGUE``)."""
    return Path(os.environ.get("ENTITY_CATALOGUE") or ROOT / "nlu_data" / "entities")


def time_zone(environment: Mapping[str, str] | None = None) -> str:
    """The zone in which customers mean their times where a turn does not say (``BOT_TIME_ZONE``); raises ``BadSetting``."""
    environment = os.environ if environment is None else environment
    zone = environment.get("BOT_TIME_ZONE") or "Asia/Shanghai"
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        raise BadSetting(f"BOT_TIME_ZONE={zone} must be a time zone, like Asia/Shanghai or Europe/London.") from None
    return zone


def database_url(environment: Mapping[str, str] | None = None) -> str:
    """The bot's own store (``BOT_DATABASE_URL``); raises ``BadSetting`` for a database that it cannot use."""
    environment = os.environ if environment is None else environment
    data_dir = Path(environment.get("DATA_DIR") or ROOT / "var")
    url = environment.get("BOT_DATABASE_URL") or f"sqlite:///{data_dir / 'bot.db'}"
    if not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg2://")):
        raise BadSetting("BOT_DATABASE_URL must begin with sqlite:/// or postgresql+psycopg2://.")
    return url


def field_keys(environment: Mapping[str, str] | None = None) -> tuple[bytes, ...]:
    """What seals the bot's memory (``BOT_FIELD_KEYS``), the one in force first; raises ``BadSetting``."""
    environment = os.environ if environment is None else environment
    given = [one.strip() for one in environment.get("BOT_FIELD_KEYS", "").split(",") if one.strip()]
    if any(re.fullmatch("[0-9a-fA-F]{64}", one) is None for one in given):
        raise BadSetting("BOT_FIELD_KEYS needs keys of 64 hexadecimal digits; `openssl rand -hex 32` makes one.")
    return tuple(map(bytes.fromhex, given))


def quieten() -> None:
    """Put ``QUIET`` into the environment, where it is not set already."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in force; raises ``BadSetting`` (a ``SystemExit``) with one sentence for the first bad one."""
    environment = os.environ if environment is None else environment
    secret = environment.get("BOT_SECRET", "")
    if len(secret) < 16:
        raise BadSetting("BOT_SECRET must be set to the service's bot secret of at least 16 characters.")
    host = environment.get("BOT_HOST") or "127.0.0.1"
    if host not in LOOPBACK and environment.get("BOT_ALLOW_NETWORK") != "1":
        raise BadSetting(
            f"BOT_HOST={host} would open the bot to the network; set BOT_ALLOW_NETWORK=1 if only the service can reach it there."
        )
    port = environment.get("BOT_PORT") or "5005"
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise BadSetting(f"BOT_PORT={port} must be a number from 1 to 65535.")
    action_url = environment.get("ACTION_URL", "")
    if urlsplit(action_url).scheme not in {"http", "https"} or not urlsplit(action_url).hostname:
        raise BadSetting(
            "ACTION_URL must be the service's action address, like http://127.0.0.1:8000/internal/actions?token=…."
        )
    time_zone(environment)
    field_keys(environment)
    metrics_token = environment.get("METRICS_TOKEN") or None
    if metrics_token is not None and len(metrics_token) < 16:
        raise BadSetting(
            "METRICS_TOKEN must have at least 16 characters; leave it empty to read metrics on this machine only."
        )
    most = environment.get("BOT_MOST_MODELS") or "3"
    if not most.isdigit() or not 2 <= int(most) <= 20:
        raise BadSetting(
            f"BOT_MOST_MODELS={most} must be a number from 2 to 20: how many versions of the model stay loaded."
        )
    return Settings(
        secret, action_url, database_url(environment), model_dir(environment), host, int(port),
        metrics_token=metrics_token, most_models=int(most),
    )  # fmt: skip
