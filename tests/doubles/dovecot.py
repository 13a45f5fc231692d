"""A real IMAP server: Debian's Dovecot, as a process of its own, on free ports; each test has mailboxes of its own in it."""

from __future__ import annotations

import base64
import contextlib
import grp
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.connectors.desk import free_port

PASSWORD = "a secret, with spaces"
_NUMBERS = itertools.count()
_CONFIG = """
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
listen = 127.0.0.1
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{folder}/mail/%u
mail_always_cache_fields =
disable_plaintext_auth = no
auth_mechanisms = plain login
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = static
  args = password={{PLAIN.b64}}{password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
{more}
"""


_OAUTH = """
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
"""
_INTROSPECTION = """
introspection_url = {issuer}/introspect?token=
introspection_mode = get
username_attribute = username
active_attribute = active
active_value = true
"""


@dataclass(frozen=True)
class Dovecot:
    """A running server, and what stands before the names of its users in one test."""

    folder: Path
    port: int
    tls_port: int
    uid: int
    gid: int
    prefix: str = ""

    @property
    def certificate(self) -> Path:
        """Of the authority that signed the server's certificate: itself."""
        return self.folder / "cert.pem"

    def with_mailbox(self, user: str) -> Dovecot:
        """The same server with an empty mailbox for a user whom no other test has; everybody has the same password."""
        mine = replace(self, prefix=f"{next(_NUMBERS)}.")
        for part in ("tmp", "new", "cur"):
            (mine.maildir(user) / part).mkdir(parents=True)
        mine._hand_over(mine.maildir(user), *mine.maildir(user).iterdir())
        return mine

    def login(self, user: str) -> str:
        """With which name a user signs in."""
        return f"{self.prefix}{user}"

    def maildir(self, user: str, box: str = "") -> Path:
        """Where a user's mails lie."""
        return self.folder / "mail" / self.login(user) / box

    def deliver(self, user: str, content: bytes, box: str = "") -> None:
        """Put a mail into a mailbox the way a mail server does: written aside, then moved in."""
        maildir = self.maildir(user, box)
        name = f"{time.time_ns()}.{next(_NUMBERS)}.test"
        for part in ("tmp", "new", "cur"):
            (maildir / part).mkdir(parents=True, exist_ok=True)
        aside = maildir / "tmp" / name
        aside.write_bytes(content.replace(b"\r\n", b"\n"))
        self._hand_over(self.maildir(user), maildir, *(maildir / one for one in ("tmp", "new", "cur")), aside)
        aside.rename(maildir / "new" / name)

    def mails(self, user: str, box: str = "") -> list[tuple[str, bytes]]:
        """Flags (as Maildir writes them) and content of a mailbox's mails."""
        maildir = self.maildir(user, box)
        while True:
            files = [
                path for part in ("new", "cur") if (maildir / part).is_dir() for path in (maildir / part).iterdir()
            ]
            with contextlib.suppress(FileNotFoundError):  # a flag renames a mail, also between looking and reading
                return [(path.name.partition(":2,")[2], path.read_bytes()) for path in sorted(files)]

    def forget_numbers(self, user: str) -> None:
        """What a restored backup does: the UIDs begin anew, with another UIDVALIDITY."""
        for path in self.maildir(user).glob("dovecot*"):
            if path.is_file() and path.name != "dovecot-keywords":
                path.unlink()

    def _hand_over(self, *paths: Path) -> None:
        """Give files to the user under whom Dovecot reads them."""
        if os.geteuid() == 0:
            for path in paths:
                os.chown(path, self.uid, self.gid)


def command() -> str:
    """Where Dovecot is; without it the test is skipped, in CI it fails."""
    found = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = "dovecot is not installed (Debian: apt-get install dovecot-imapd): e-mail by IMAP is not tested"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextmanager
def running_dovecot(more: str = "", issuer: str = "") -> Iterator[Dovecot]:
    """A server without mailboxes; ``more`` is added to its configuration.

    Of an ``issuer`` it takes access tokens, each of which it asks about there.
    """
    program = command()
    folder = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp"))  # sockets need a short path
    process: subprocess.Popen[bytes] | None = None
    try:
        if issuer:
            (folder / "oauth2.conf").write_text(_INTROSPECTION.format(issuer=issuer))
            more += _OAUTH.format(folder=folder)
        server, config = _prepare(folder, more)
        process = subprocess.Popen(
            [program, "-F", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _listening(server, process)
        yield server
    finally:
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(folder: Path, more: str) -> tuple[Dovecot, Path]:
    """Certificate and configuration; Dovecot's users where root runs it, else only ours."""
    me = pwd.getpwuid(os.geteuid())
    root = me.pw_uid == 0
    mail = pwd.getpwnam("nobody") if root else me
    internal = "dovecot" if root else me.pw_name
    group = "dovecot" if root else grp.getgrgid(me.pw_gid).gr_name
    server = Dovecot(folder, free_port(), free_port(), mail.pw_uid, mail.pw_gid)
    folder.chmod(0o755)
    (folder / "mail").mkdir()
    server._hand_over(folder / "mail")
    _make_certificate(folder)
    config = folder / "dovecot.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder,
            internal=internal,
            internal_group=group,
            login="dovenull" if root else me.pw_name,
            uid=mail.pw_uid,
            gid=mail.pw_gid,
            port=server.port,
            tls_port=server.tls_port,
            more=more,
            password=base64.b64encode(PASSWORD.encode()).decode(),
        )
    )
    return server, config


def _listening(server: Dovecot, process: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port)):
            return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    log = server.folder / "log"
    raise AssertionError(f"dovecot does not run: {log.read_text()[-2000:] if log.exists() else 'no log'}")


def _make_certificate(folder: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
