"""Queues, agents and sizes are looked up when they are asked for, and not more often than every ten seconds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from conversations.figures_store import FiguresStore
from conversations.hub import RedisHub
from conversations.model import Address, OutboundMessage
from conversations.store import Database
from monitoring.state import FIGURES_SECONDS, State
from tests.conversations.builders import LIN, hands_off, inbound
from tests.monitoring.test_metrics import run_turn, until
from tests.monitoring.watched import FACTS_LAG, Watched, watched_desk


async def test_the_figures_show_what_waits_and_for_how_long(watched: Watched) -> None:
    desk = watched.desk
    desk.bot.answer = hands_off
    await run_turn(watched, "a person please")
    await desk.conversations.agent_seen(LIN.id, LIN.name)
    await desk.conversations.receive(inbound("hello", contact="visitor-2"))
    desk.clock.advance(20)
    await watched.state.look()
    seen = watched.figures
    assert seen['frontdesk_conversations{status="queued"}'] == 1
    assert seen['frontdesk_conversations{status="bot"}'] == 1
    assert seen['frontdesk_conversations{status="assigned"}'] == 0
    assert seen["frontdesk_inbox_waiting"] == 1
    assert seen["frontdesk_inbox_oldest_seconds"] == pytest.approx(20, abs=1)
    assert seen["frontdesk_queue_oldest_seconds"] == pytest.approx(20, abs=1)
    assert seen['frontdesk_outbox_messages{state="pending"}'] >= 1
    assert seen["frontdesk_agents_online"] == 1
    assert seen["frontdesk_database_bytes"] > 10_000
    assert seen["frontdesk_figures_readable"] == 1
    assert (seen["frontdesk_facts_behind_entries"], seen["frontdesk_facts_behind_seconds"]) == FACTS_LAG


async def test_an_empty_desk_has_zeros(watched: Watched) -> None:
    await watched.state.look()
    seen = watched.figures
    assert seen["frontdesk_inbox_waiting"] == seen["frontdesk_inbox_oldest_seconds"] == 0
    assert seen['frontdesk_outbox_messages{state="dead"}'] == seen["frontdesk_agents_online"] == 0


async def test_what_was_given_up_is_counted_by_state(watched: Watched) -> None:
    await run_turn(watched)

    async def deliver(_address: Address, _message: OutboundMessage) -> str:
        raise ValueError("a bug")

    outbox = watched.outbox(deliver)
    await outbox.start()
    dead = 'frontdesk_deliveries_total{account="default",channel="telegram",outcome="dead"}'
    async with asyncio.timeout(20):
        while not watched.figures.get(dead):
            watched.desk.clock.advance(400)
            await asyncio.sleep(0.01)
    await outbox.stop()
    async with watched.desk.database.read() as connection:
        assert await FiguresStore(connection).given_up() == {"dead": 1, "unknown": 0}


async def test_agents_without_a_heartbeat_do_not_count_as_at_the_desk(watched: Watched) -> None:
    await watched.desk.conversations.agent_seen(LIN.id, LIN.name)
    watched.desk.clock.advance(60)
    await watched.state.look()
    assert watched.figures["frontdesk_agents_online"] == 0


async def test_the_database_is_asked_once_in_ten_seconds_however_often_somebody_reads(
    database: Database, tmp_path: Path
) -> None:
    watched = await watched_desk(database, tmp_path)
    at = [100.0]
    from monitoring.collectors import Collectors

    state = State(watched.state._parts, Collectors(), clock=lambda: at[0])
    await state.look()
    await watched.desk.conversations.receive(inbound())
    at[0] += FIGURES_SECONDS - 1
    await state.look()
    assert state._figures.inbox_waiting == 0
    at[0] += 1
    await state.look()
    assert state._figures.inbox_waiting == 1


async def test_a_database_that_is_away_leaves_the_last_figures_and_says_so(database: Database, tmp_path: Path) -> None:
    watched = await watched_desk(database, tmp_path)
    await watched.desk.conversations.receive(inbound())
    at = [0.0]
    from monitoring.collectors import Collectors

    collectors = Collectors()
    state = State(watched.state._parts, collectors, clock=lambda: at[0])
    await state.look()

    async def broken(_now: object) -> None:
        raise OSError("gone")

    at[0] += FIGURES_SECONDS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FiguresStore, "read", broken)
        await state.look()
    shown = {metric.name: metric.samples[0].value for metric in state.collect() if metric.samples}
    assert shown["frontdesk_figures_readable"] == 0
    assert shown["frontdesk_inbox_waiting"] == 1


async def test_a_bot_that_is_down_shows_as_zero(watched: Watched) -> None:
    watched.bots["http://bot-2"] = "unreachable: ConnectError"
    await watched.state.look()
    assert watched.figures['frontdesk_bot_up{bot="1"}'] == 1
    assert watched.figures['frontdesk_bot_up{bot="2"}'] == 0


async def test_audit_entries_without_a_signature_grow_old_until_a_checkpoint_covers_them(watched: Watched) -> None:
    checkpoints = watched.state._parts.checkpoints
    checkpoints._now = watched.desk.clock
    await checkpoints.write_if_due(watched.desk.database)
    await watched.desk.conversations.receive(inbound())
    await checkpoints.write_if_due(watched.desk.database)
    watched.desk.clock.advance(30)
    assert watched.figures["frontdesk_audit_unsigned_entries"] >= 1
    assert watched.figures["frontdesk_audit_checkpoint_age_seconds"] == pytest.approx(30, abs=1)
    watched.desk.clock.advance(60)
    assert await checkpoints.write_if_due(watched.desk.database)
    assert watched.figures["frontdesk_audit_unsigned_entries"] == 0
    assert watched.figures["frontdesk_audit_checkpoint_age_seconds"] == 0


async def test_the_event_loops_delay_is_measured_while_the_state_is_started(watched: Watched) -> None:
    await watched.state.start()
    await until(lambda: watched.figures["frontdesk_event_loop_lag_seconds_count"] >= 1)
    await watched.state.stop()


async def test_the_process_shows_its_memory_files_and_disk(watched: Watched) -> None:
    seen = watched.figures
    assert seen["frontdesk_resident_memory_bytes"] > 1_000_000
    assert seen["frontdesk_open_files"] >= seen["frontdesk_open_sockets"] >= 0
    assert seen["frontdesk_disk_bytes"] > seen["frontdesk_disk_free_bytes"] > 0
    assert seen["frontdesk_hub_connected"] == 1


def test_a_hub_without_its_redis_is_not_connected() -> None:
    assert not RedisHub("redis://127.0.0.1:1").connected
