"""The examples of the pages about MQTT and webhooks work as they are printed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.connectors.desk import free_port
from tests.connectors.mqtt_desk import desk_with_broker
from tests.connectors.webhook_desk import PATH, desk_with_program
from tests.doubles.mosquitto import ACL, PASSWORDS, running
from tests.doubles.webhook_program import FROM_DESK, TO_DESK, Program

PAGES = Path(__file__).resolve().parents[2] / "docs" / "channels"


def examples(page: str, language: str) -> list[str]:
    """The code blocks of a page, without the indentation they have in lists."""
    text = (PAGES / page).read_text()
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return ["".join(line[len(indent) :] or "\n" for line in body.splitlines(True)) for indent, body in found]


@asynccontextmanager
async def started(*command: str, **environment: str) -> AsyncIterator[asyncio.StreamReader]:
    """A command of an example, and what it prints."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env=os.environ | environment
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            if os.environ.get("CI"):
                raise FileNotFoundError(f"{program} is not installed")
            pytest.skip(f"{program} is not installed")


async def test_the_python_receiver_checks_and_prints_answers(tmp_path: Path) -> None:
    [code] = examples("webhook.md", "python")
    port = free_port()
    program = Program()
    program.url = f"http://127.0.0.1:{port}/frontdesk"
    async with (
        started(sys.executable, "-c", code, PORT=str(port), DESK_OUTGOING=FROM_DESK) as printed,
        desk_with_program(tmp_path, program) as server,
        asyncio.timeout(30),
    ):
        await program.says(server.http, "ann", "cancel my order")  # the outbox waits until the receiver is up
        line = (await printed.readline()).decode()
    assert line.startswith("ann bot Which order shall I cancel? [{'id': ")


async def test_the_shell_example_sends_a_signed_message(tmp_path: Path) -> None:
    needs("curl", "openssl", "sh")
    script = next(code for code in examples("webhook.md", "sh") if "curl" in code)
    async with Program().running() as program, desk_with_program(tmp_path, program) as server:
        script = re.sub(r"^URL=.*$", f"URL={server.url}{PATH}", script, flags=re.MULTILINE)
        async with started("sh", "-euc", script, DESK_INCOMING=TO_DESK) as printed:
            assert await printed.read() == b"ok"
        assert (await program.until(1))[0]["text"] == "You can return it within **30 days**."


async def test_the_secrets_of_the_example_are_accepted(tmp_path: Path) -> None:
    needs("openssl", "sh")
    script = next(code for code in examples("webhook.md", "sh") if "rand -base64 32" in code)
    async with started("sh", "-euc", script) as printed:
        lines = (await printed.read()).decode().split()
    incoming, outgoing = (line.partition("=")[2] for line in lines)
    async with (
        Program(outgoing).running() as program,
        desk_with_program(tmp_path, program, incoming_secrets=[incoming, TO_DESK], outgoing_secrets=outgoing) as desk,
    ):
        await program.says(desk.http, "ann", "hello")
        await program.until(1)


def test_the_access_rules_of_the_page_are_those_of_the_tests() -> None:
    assert ACL.strip() in [code.strip() for code in examples("mqtt.md", "")]


async def test_the_mosquitto_examples_ask_and_hear_the_answer(tmp_path: Path) -> None:
    needs("mosquitto_pub", "mosquitto_sub", "sh")
    listen, publish = examples("mqtt.md", "sh")
    port = free_port()
    async with running(tmp_path / "broker", port) as broker, desk_with_broker(tmp_path, port):
        here = f"BROKER='-V 5 -h 127.0.0.1 -p {port}'"
        scripts = [re.sub(r"^BROKER=.*$", here, code, flags=re.MULTILINE) for code in (listen, publish)]
        async with started(
            "sh", "-euc", f"{scripts[0].replace('mosquitto_sub', 'exec mosquitto_sub')}", ANN=PASSWORDS["ann"]
        ) as heard:
            await broker.until(lambda: "Sending SUBACK to ann-1" in broker.log)
            async with started("sh", "-euc", scripts[1], ANN=PASSWORDS["ann"]) as printed:
                await printed.read()
            async with asyncio.timeout(30):
                line = (await heard.readline()).decode()
    assert '"text":"You can return it within **30 days**."' in line
