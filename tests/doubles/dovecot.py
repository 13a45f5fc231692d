"""A real IMAP server: Debian's Dovecot, as a process of its own, on free ports, with mails in a folder of the test."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
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
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
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


@dataclass
class Dovecot:
    """A running server and its mailboxes."""

    folder: Path
    port: int
    tls_port: int
    uid: int
    gid: int

    @property
    def certificate(self) -> Path:
        """Of the authority that signed the server's certificate: itself."""
        return self.folder / "cert.pem"

    def deliver(self, user: str, content: bytes, box: str = "") -> None:
        """Put a mail into a mailbox the way a mail server does: written aside, then moved in."""
        maildir = self.folder / "mail" / user / box
        name = f"{time.time_ns()}.{next(_NUMBERS)}.test"
        for part in ("tmp", "new", "cur"):
            (maildir / part).mkdir(parents=True, exist_ok=True)
        aside = maildir / "tmp" / name
        aside.write_bytes(content.replace(b"\r\n", b"\n"))
        if os.geteuid() == 0:
            for path in (
                self.folder / "mail" / user,
                maildir,
                *(maildir / one for one in ("tmp", "new", "cur")),
                aside,
            ):
                os.chown(path, self.uid, self.gid)
        aside.rename(maildir / "new" / name)

    def mails(self, user: str, box: str = "") -> list[tuple[str, bytes]]:
        """Flags (as Maildir writes them) and content of a mailbox's mails."""
        maildir = self.folder / "mail" / user / box
        files = [path for part in ("new", "cur") if (maildir / part).is_dir() for path in (maildir / part).iterdir()]
        return [(path.name.partition(":2,")[2], path.read_bytes()) for path in sorted(files)]

    def forget_numbers(self, user: str) -> None:
        """What a restored backup does: the UIDs begin anew, with another UIDVALIDITY."""
        for path in (self.folder / "mail" / user).glob("dovecot*"):
            if path.is_file() and path.name != "dovecot-keywords":
                path.unlink()


def command() -> str:
    """Where Dovecot is; without it the test is skipped, in CI it fails."""
    found = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = "dovecot is not installed (Debian: apt-get install dovecot-imapd): e-mail by IMAP is not tested"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@asynccontextmanager
async def running_dovecot(*users: str, more: str = "") -> AsyncIterator[Dovecot]:
    """A server with a mailbox for each user; ``more`` is added to its configuration."""
    program = command()
    folder = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp"))  # sockets need a short path
    process: asyncio.subprocess.Process | None = None
    try:
        server, config = _prepare(folder, users, more)
        process = await asyncio.create_subprocess_exec(
            program, "-F", "-c", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        await _listening(server, process)
        yield server
    finally:
        if process is not None and process.returncode is None:
            process.terminate()
            await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(folder: Path, users: tuple[str, ...], more: str) -> tuple[Dovecot, Path]:
    """Mailboxes, passwords, certificate and configuration; Dovecot's users where root runs it, else only ours."""
    me = pwd.getpwuid(os.geteuid())
    root = me.pw_uid == 0
    mail = pwd.getpwnam("nobody") if root else me
    internal = "dovecot" if root else me.pw_name
    group = "dovecot" if root else grp.getgrgid(me.pw_gid).gr_name
    server = Dovecot(folder, free_port(), free_port(), mail.pw_uid, mail.pw_gid)
    folder.chmod(0o755)
    (folder / "mail").mkdir()
    _make_certificate(folder)
    (folder / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in users))
    for user in users:
        for part in ("tmp", "new", "cur"):
            (folder / "mail" / user / part).mkdir(parents=True)
    if root:
        for path in [folder / "mail", *(folder / "mail").rglob("*")]:
            os.chown(path, mail.pw_uid, mail.pw_gid)
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
        )
    )
    return server, config


async def _listening(server: Dovecot, process: asyncio.subprocess.Process) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.close()
            return
        if process.returncode is not None:
            break
        await asyncio.sleep(0.02)
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
