"""Opens the service's port, and closes it in order when the process is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Awaitable, Callable

import structlog

from certificate import BadCertificate, Certificate
from desk import Desk
from settings import BadSetting, Settings
from slow_clients import PatientProtocol

_STOP_SECONDS = 22.0
log = structlog.get_logger()


async def serve(settings: Settings, build: Callable[[], Awaitable[Desk]]) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is running."""
    certificate = certificate_of(settings)
    desk = await build()
    stopping = desk.stopping
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    server = await desk.web.create_server(
        settings.host,
        settings.port,
        ssl=certificate.context if certificate else None,
        protocol=PatientProtocol,
        return_asyncio_server=True,
    )
    assert server is not None, "create_server returns the server when asked to"
    await server.startup()  # type: ignore[no-untyped-call]
    await server.before_start()  # type: ignore[no-untyped-call]
    await desk.start()
    await server.start_serving()  # type: ignore[no-untyped-call]
    await server.after_start()  # type: ignore[no-untyped-call]
    watching = None
    if certificate is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, certificate.renew)
        watching = asyncio.create_task(certificate.watch(), name="watch certificate")
    # What is loaded stays; looking through it for garbage would hold up turns for tenths of a second.
    gc.collect()
    gc.freeze()
    log.info("serving", url=settings.public_url)
    await stopping.wait()
    log.info("stopping")
    if watching is not None:
        watching.cancel()
    await asyncio.sleep(settings.drain_seconds)  # readiness is off; what is still sent here is still taken
    await server.before_stop()  # type: ignore[no-untyped-call]
    server.close()  # type: ignore[no-untyped-call]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_STOP_SECONDS):
            await desk.stop()
    await server.after_stop()  # type: ignore[no-untyped-call]
    log.info("stopped")


def certificate_of(settings: Settings) -> Certificate | None:
    """What the service speaks TLS with, if it does so itself; files that cannot be used stop the start."""
    if settings.tls_cert is None:
        return None
    try:
        return Certificate(settings.tls_cert, settings.tls_key, settings.tls_min)
    except (BadCertificate, ValueError) as error:
        raise BadSetting(f"Settings stop the start:\n  {error}") from None
