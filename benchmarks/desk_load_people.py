"""The people of the desk's load benchmark: agents with consoles, contacts on the REST channel, and what became of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from dataclasses import dataclass, field

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

PASSWORD = "desk load benchmark"  # of accounts that live as long as the benchmark
ARRIVALS_PER_SECOND = 25.0


@dataclass
class Load:
    """What happened, as the agents' consoles and the contacts saw it."""

    sent: dict[str, tuple[float, float]] = field(default_factory=dict)  #: text -> sent, acknowledged
    arrived: dict[str, float] = field(default_factory=dict)  #: text -> when its agent's console had it
    queued: dict[str, float] = field(default_factory=dict)  #: conversation -> when its contact asked
    served: dict[str, float] = field(default_factory=dict)  #: conversation -> when an agent had it
    agent_of: dict[str, str] = field(default_factory=dict)
    contact_of: dict[str, str] = field(default_factory=dict)
    refused: int = 0  #: offers that were gone when the agent accepted
    reconnects: int = 0
    errors: list[str] = field(default_factory=list)


class Console:
    """One agent: signed in, with a live socket, taking what they are offered."""

    def __init__(self, base: str, number: int, load: Load) -> None:
        self.email = f"agent{number}@load.example"
        self.load = load
        self.http = httpx.AsyncClient(base_url=f"{base}/staff/api/", timeout=30)
        self.socket_url = base.replace("http", "ws", 1) + "/staff/api/live"
        self.base = base
        self.id = ""
        self.held: list[str] = []
        self.ready = asyncio.Event()
        self.taken = asyncio.Event()

    async def sign_in(self) -> None:
        """Sign in as a browser does."""
        found = await self.http.post("sign-in", json={"email": self.email, "password": PASSWORD})
        found.raise_for_status()
        self.id = found.json()["staff"]["id"]
        self.http.headers["X-CSRF-Token"] = found.json()["csrf"]

    async def listen(self) -> None:
        """Follow the live socket; a console that was too slow connects again, as the real one does."""
        while True:
            cookie = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
            try:
                async with connect(
                    self.socket_url,
                    additional_headers={"Cookie": cookie},
                    origin=self.base,  # type: ignore[arg-type]
                    max_queue=None,
                    compression=None,
                ) as live:
                    async for frame in live:
                        self.take(str(frame))
            except (ConnectionClosed, OSError):
                self.load.reconnects += 1
                await asyncio.sleep(0.2)

    def take(self, frame: str) -> None:
        """What concerns this agent among what every console hears; the rest is not even decoded."""
        if frame.startswith('{"type": "ready"'):
            self.ready.set()
        elif frame.startswith('{"type": "message"'):
            at = time.perf_counter()
            message = json.loads(frame)["message"]
            if message["author"] == "contact" and self.load.agent_of.get(message["conversation_id"]) == self.id:
                self.load.arrived.setdefault(message["text"], at)
        elif frame.startswith('{"type": "offer"') and self.id in frame:
            asyncio.get_running_loop().create_task(self.accept(json.loads(frame)["conversation_id"]))

    async def accept(self, conversation_id: str) -> None:
        """Take what is offered."""
        try:
            answer = await self.http.post(f"conversations/{conversation_id}/accept")
        except httpx.HTTPError as error:
            self.load.errors.append(f"accept: {error!r}")
            return
        if answer.status_code != 200:
            self.load.refused += 1
            return
        self.load.agent_of[conversation_id] = self.id
        self.load.served.setdefault(conversation_id, time.perf_counter())
        self.held.append(conversation_id)
        self.taken.set()

    async def work(self, finished: asyncio.Event) -> None:
        """Finish what is held, one after the other, until everybody has been served."""
        while not finished.is_set():
            if self.held:
                await asyncio.sleep(random.uniform(0.02, 0.2))  # how long somebody is served
                done = await self.http.post(f"conversations/{self.held.pop(0)}/resolve")
                if done.status_code != 200:
                    self.load.errors.append(f"resolve: {done.status_code} {done.text[:100]}")
            else:
                self.taken.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await self.taken.wait()


class Contacts:
    """The customers' side: the REST channel."""

    def __init__(self, base: str, key: str, load: Load) -> None:
        limits = httpx.Limits(max_connections=40)
        self.http = httpx.AsyncClient(
            base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=30, limits=limits
        )
        self.load = load

    async def ask(self, contact: str) -> None:
        """Ask for a person."""
        answer = await self.http.post("/api/v1/messages", json={"contact": contact, "text": "a person please"})
        if answer.status_code != 202:
            self.load.errors.append(f"ask: {answer.status_code} {answer.text[:100]}")
            return
        conversation_id = answer.json()["conversation_id"]
        self.load.queued[conversation_id] = time.perf_counter()
        self.load.contact_of[conversation_id] = contact

    async def arrive(self, names: list[str]) -> None:
        """One after the other, as fast as a very busy morning."""
        begin = time.perf_counter()
        tasks = []
        for number, name in enumerate(names):
            await asyncio.sleep(max(0.0, begin + number / ARRIVALS_PER_SECOND - time.perf_counter()))
            tasks.append(asyncio.create_task(self.ask(name)))
        await asyncio.gather(*tasks)

    async def write(self, conversation_id: str, text: str) -> None:
        """A message to the agent."""
        sent = time.perf_counter()
        body = {"contact": self.load.contact_of[conversation_id], "text": text}
        answer = await self.http.post("/api/v1/messages", json=body)
        if answer.status_code == 202:
            self.load.sent[text] = (sent, time.perf_counter())
        else:
            self.load.errors.append(f"write: {answer.status_code}")
