"""The service's own TLS: which versions and ciphers it speaks, with which certificate, and how a renewed one is taken up.

Each handshake takes the certificate that is in force at that moment: connections that are open keep theirs.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import structlog
from cryptography import x509

Version = Literal["1.3", "1.2"]
LOOK_EVERY_SECONDS = 30.0
_VERSIONS = {"1.3": ssl.TLSVersion.TLSv1_3, "1.2": ssl.TLSVersion.TLSv1_2}
#: For TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 knows nothing else.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
log = structlog.get_logger()


class BadCertificate(Exception):
    """The certificate or its key cannot be used; the message says which file and why."""


class Certificate:
    """A certificate in use; without ``key`` the key is in the certificate's file."""

    def __init__(self, certificate: Path, key: Path | None, minimum: Version = "1.3") -> None:
        """Raises ``BadCertificate``."""
        self._certificate = certificate
        self._key = key or certificate
        self._minimum = _VERSIONS[minimum]
        self.context = self._loaded()
        self._in_force = self.context
        # A context in use must not be changed: between a new certificate and its key, a handshake would find no pair.
        self.context.sni_callback = self._choose
        self._seen = self._state()
        self.expires_at = self._end()

    def renew(self) -> bool:
        """Take up what is in the files now; a certificate that cannot be used is logged, and the old one stays."""
        self._seen = self._state()
        try:
            renewed = self._loaded()
            self.expires_at = self._end()
            self._in_force = renewed
        except (BadCertificate, OSError, ssl.SSLError) as error:
            log.error("certificate_not_renewed", reason=str(error))
            return False
        log.info("certificate_renewed", expires_at=self.expires_at.isoformat())
        return True

    async def watch(self, every_seconds: float = LOOK_EVERY_SECONDS) -> None:
        """Look for changed files for as long as the service runs."""
        while True:
            await asyncio.sleep(every_seconds)
            if self._state() != self._seen:
                await asyncio.to_thread(self.renew)

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self._in_force

    def _loaded(self) -> ssl.SSLContext:
        for name, path in (("TLS_CERT", self._certificate), ("TLS_KEY", self._key)):
            if not path.is_file():
                raise BadCertificate(f"{name}: there is no file {path}")
            if not os.access(path, os.R_OK):
                raise BadCertificate(f"{name}: {path} cannot be read by the user that the service runs as")
        if self._key.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            raise BadCertificate(
                f"TLS_KEY: everybody on this machine can read {self._key}, or its group can change it; chmod 600 it"
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = self._minimum
        context.set_ciphers(_CIPHERS)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        context.set_alpn_protocols(["http/1.1"])
        try:
            # The callback keeps OpenSSL from asking whoever started the service for a passphrase.
            context.load_cert_chain(self._certificate, self._key, password=lambda: "")
        except ssl.SSLError as error:
            raise BadCertificate(self._why(error)) from None
        return context

    def _why(self, error: ssl.SSLError) -> str:
        if "MISMATCH" in (error.reason or ""):
            return f"TLS_KEY: {self._key} is not the key of the certificate in {self._certificate}"
        if b"ENCRYPTED" in self._key.read_bytes():
            return f"TLS_KEY: {self._key} is locked with a passphrase; the service needs it without one"
        return (
            f"TLS_CERT: {self._certificate} and {self._key} hold no usable certificate and key in PEM; put the "
            "certificate first and those of its issuers behind it"
        )

    def _end(self) -> datetime:
        """When the certificate ends; one that has ended is served, as a page with a warning is better than none."""
        ends = x509.load_pem_x509_certificate(self._certificate.read_bytes()).not_valid_after_utc
        if ends <= datetime.now(UTC):
            log.error("certificate_expired", expires_at=ends.isoformat())
        return ends

    def _state(self) -> tuple[object, ...]:
        state = []
        for path in (self._certificate, self._key):
            try:
                seen = path.stat()
                state.append((seen.st_mtime_ns, seen.st_size, seen.st_ino))
            except OSError:
                state.append((0, 0, 0))
        return tuple(state)
