"""What the channels file says of a mailbox."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from connectors.base import AccountSettings
from connectors.mail_box import BoxSettings, Confirm, Tls
from connectors.mail_oauth import OAuthSettings
from connectors.mail_sending import SmtpSettings
from connectors.mail_threads import fits

_PORTS_IN = {"implicit": 993, "starttls": 143, "none": 143}
_PORTS_OUT = {"implicit": 465, "starttls": 587, "none": 25}
_HERE = ("127.0.0.1", "::1", "localhost")


def _address(given: str) -> str:
    if not fits(given) or "+" in given:
        raise ValueError("it must be a plain e-mail address such as support@shop.example")
    return given


def _not_blank(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("it is empty")
    return secret


Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:_-]{1,253}$")]
Port = Annotated[int, Field(ge=1, le=65_535)]
Folder = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]
Secret = Annotated[SecretStr, AfterValidator(_not_blank)]


class MailSettings(AccountSettings):
    """One mailbox and the server that takes its answers."""

    address: Annotated[str, AfterValidator(_address)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "Support"
    password: Secret | None = None  #: or authorisation code, or app password
    oauth: OAuthSettings | None = None  #: instead of a password
    #: Mails that arrived before this day are left alone; write the day on which the desk begins to answer.
    since: date
    imap_host: Host
    imap_port: Port | None = None
    imap_tls: Tls = "implicit"
    imap_user: str | None = None  #: the address, if left out
    folder: Folder = "INBOX"
    confirm: Confirm = "auto"
    keyword: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")] = "Frontdesk"
    done_folder: Folder = "Frontdesk"
    idle: bool = True
    poll_seconds: Annotated[float, Field(ge=0.05, le=3_600)] = 60.0
    smtp_host: Host
    smtp_port: Port | None = None
    smtp_tls: Literal["implicit", "starttls", "none"] = "implicit"
    smtp_user: str | None = None  #: as for IMAP, if left out
    smtp_password: Secret | None = None
    smtp_login: bool = True
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=25)] = 20.0  # the desk gives up after 30
    ca_file: Path | None = None  #: of a private certificate authority
    allow_plaintext: bool = False  #: over a network; on this machine no encryption is needed
    plus_addressing: bool = False  #: the provider delivers support+anything@ to the mailbox
    secret: Secret | None = None  #: signs what proves a thread; made from the password if left out
    authserv_id: str = ""  #: the name in Authentication-Results of the provider's own checks
    unproven: Literal["separate", "join"] = "separate"
    automatic_per_hour: Annotated[int, Field(ge=1, le=1_000)] = 20  #: answers of the bot to one sender
    #: Providers publish limits for a day, not for a minute, and change them.
    mails_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 60
    #: Gmail and Microsoft 365 take 25 MB with base64's third on top [doc]; smaller servers take less.
    files_per_mail: Annotated[int, Field(ge=1_000_000, le=100_000_000)] = 15_000_000
    largest_mail: Annotated[int, Field(ge=100_000, le=200_000_000)] = 40_000_000

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.password is None) == (self.oauth is None):
            raise ValueError("set either password or oauth")
        if self.oauth is not None and self.secret is None:
            raise ValueError(
                "secret is missing: with oauth there is no password from which it could be made; set any long random text"
            )
        for tls, host in ((self.imap_tls, self.imap_host), (self.smtp_tls, self.smtp_host)):
            if tls == "none" and host not in _HERE and not self.allow_plaintext:
                raise ValueError("without TLS the password is readable on the way; use implicit or starttls")
        if self.ca_file is not None and not self.ca_file.is_file():
            raise ValueError("ca_file does not exist")
        return self

    def imap(self, token: str = "") -> BoxSettings:
        """Where mails are read, signed in with the password or a token."""
        return BoxSettings(
            host=self.imap_host,
            port=self.imap_port or _PORTS_IN[self.imap_tls],
            tls=self.imap_tls,
            user=self.imap_user or self.address,
            password=token if self.password is None else self.password.get_secret_value(),
            oauth=self.password is None,
            folder=self.folder,
            since=self.since,
            confirm=self.confirm,
            keyword=self.keyword,
            done_folder=self.done_folder,
            largest_mail=self.largest_mail,
        )

    def smtp(self, token: str = "") -> SmtpSettings:
        """Where answers are handed in; a password of its own goes before a token."""
        password = self.smtp_password or self.password or SecretStr(token)
        return SmtpSettings(
            host=self.smtp_host,
            port=self.smtp_port or _PORTS_OUT[self.smtp_tls],
            tls=self.smtp_tls,
            user=(self.smtp_user or self.imap_user or self.address) if self.smtp_login else None,
            password=password.get_secret_value() if self.smtp_login else None,
            timeout_seconds=self.smtp_timeout_seconds,
            oauth=self.smtp_password is None and self.password is None,
        )
