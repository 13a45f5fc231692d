"""Servers of a test's own that it may kill: Redis, and a PostgreSQL cluster."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.faults.http import LOOPBACK, free_port


def own_redis(port: int, folder: Path) -> subprocess.Popen[bytes]:
    """Redis on a port, keeping nothing."""
    command = ["redis-server", "--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no"]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if found:
        return found[-1].parent
    path = shutil.which("pg_ctl")
    return None if path is None else Path(path).resolve().parent


@dataclass
class Cluster:
    """A PostgreSQL server that belongs to one test."""

    folder: Path
    port: int
    programs: Path

    @property
    def url(self) -> str:
        """Its database for the service."""
        return f"postgresql+asyncpg://desk@{LOOPBACK}:{self.port}/postgres"

    def run(self, program: str, *arguments: str) -> None:
        """One of its programs; root hands it to a user that PostgreSQL accepts."""
        command = [str(self.programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def start(self) -> None:
        """Start and wait."""
        options = f"-p {self.port} -c listen_addresses={LOOPBACK} -k {self.folder} -c synchronous_commit=on"
        self.run(
            "pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-o", options, "-w", "start"
        )

    def stop(self, how: str) -> None:
        """Stop it: ``immediate`` is a crash."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", how, "-w", "stop")

    def crash(self) -> None:
        """Crash and come back."""
        self.stop("immediate")
        self.start()

    async def cut_connections(self) -> None:
        """End every other connection, whatever it is doing."""
        connection = await asyncpg.connect(self.url.replace("+asyncpg", ""))
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        await connection.close()


@asynccontextmanager
async def own_postgres() -> AsyncIterator[Cluster | None]:
    """A new cluster, gone at the end; None where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        yield None
        return
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="faults-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    cluster = Cluster(folder, free_port(), programs)
    try:
        await asyncio.to_thread(
            cluster.run, "initdb", "-D", str(folder / "data"), "-U", "desk", "-A", "trust", "-E", "UTF8"
        )
        await asyncio.to_thread(cluster.start)
        yield cluster
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            await asyncio.to_thread(cluster.stop, "immediate")
        shutil.rmtree(folder, ignore_errors=True)
