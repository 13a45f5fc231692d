"""What nobody can read is kept with its reason until an operator has looked at it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.__main__ import main
from connectors.base import Unreadable
from connectors.door import Door
from connectors.unreadables import KEPT_FOR, Unreadables
from conversations.model import utc_now
from tests.connectors.test_channels import Box, Shelf, arrival, pigeon

BAD = Unreadable('{"id": "1", "timestamp": "yesterday"}', "timestamp is not a time")


@pytest.fixture
def kept(tmp_path: Path) -> Unreadables:
    return Unreadables(tmp_path / "unreadable", utc_now)


async def test_it_is_still_there_after_a_restart_and_only_once(kept: Unreadables, tmp_path: Path) -> None:
    for _ in range(3):  # as vendors repeat what they sent
        await kept.keep("whatsapp", "shop", BAD)
    await kept.keep("whatsapp", "other", BAD)
    again = Unreadables(tmp_path / "unreadable", utc_now).all()
    assert {(one.account, one.reason, one.content) for one in again} == {
        ("shop", BAD.reason, BAD.content),
        ("other", BAD.reason, BAD.content),
    }
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "unreadable").iterdir()} == {0o600}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(content=st.text(st.characters(exclude_categories=()), max_size=60), reason=st.text(max_size=30))
async def test_anything_is_kept_as_it_came(tmp_path: Path, content: str, reason: str) -> None:
    kept = Unreadables(tmp_path / "any", utc_now)
    await kept.keep("whatsapp", "shop", Unreadable(content, reason))
    assert content in [one.content for one in kept.all()]


async def test_it_is_thrown_away_after_its_time(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    await Unreadables(tmp_path, lambda: now).keep("whatsapp", "shop", BAD)
    later = Unreadables(tmp_path, lambda: now + KEPT_FOR + timedelta(minutes=1))
    await later.keep("whatsapp", "shop", Unreadable("another", "reason"))
    assert [one.content for one in later.all()] == ["another"]


async def test_what_an_erased_contact_may_have_written_is_thrown_away(kept: Unreadables) -> None:
    """F42: nobody could read it, so everything of that account that names the contact goes."""
    for content in ('{"from": "8613800000001", "x": 1}', '{"from": "8613800000002"}', '{"name": "\\u6797"}'):
        await kept.keep("whatsapp", "shop", Unreadable(content, "broken"))
    await kept.keep("whatsapp", "other", Unreadable('{"from": "8613800000001"}', "broken"))
    assert await kept.erase("whatsapp", "shop", "8613800000001") == 1
    assert await kept.erase("whatsapp", "shop", "林") == 1
    left = {(one.account, one.content) for one in kept.all()}
    assert left == {("shop", '{"from": "8613800000002"}'), ("other", '{"from": "8613800000001"}')}


async def test_what_was_kept_under_the_former_name_is_still_there(tmp_path: Path) -> None:
    await Unreadables(tmp_path / "dead_letters", utc_now).keep("whatsapp", "shop", BAD)
    assert [one.content for one in Unreadables(tmp_path / "unreadable", utc_now).all()] == [BAD.content]


async def test_what_the_inbox_never_takes_is_kept_and_the_others_are_stored(kept: Unreadables) -> None:
    box = Box()
    await Door(box, Shelf(), unreadables=kept).receive(pigeon(), [arrival(""), arrival("second", external_id="2")])
    assert [message.text for message in box.received] == ["second"]
    [letter] = kept.all()
    assert (letter.channel, letter.reason) == ("pigeon", "the message is empty")
    assert '"contact": "ann"' in letter.content


async def test_what_cannot_be_kept_is_not_acknowledged(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file is where the folder should be")
    box = Box()
    door = Door(box, Shelf(), unreadables=Unreadables(tmp_path / "taken", utc_now))
    with pytest.raises(OSError, match="taken"):
        await door.receive(pigeon(), [arrival("first")], [BAD])
    assert box.received == []


async def test_the_operator_lists_shows_and_drops_it(
    kept: Unreadables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await kept.keep("whatsapp", "shop", BAD)
    run: Callable[..., int] = lambda *more: main(["unreadable", "--data-dir", str(tmp_path), *more])  # noqa: E731
    assert run() == 0
    listed = capsys.readouterr().out
    name = listed.split()[0]
    assert "whatsapp/shop  timestamp is not a time" in listed
    assert "共 1 封" in listed
    assert run("--show", name) == 0
    assert capsys.readouterr().out == f"{BAD.content}\n"
    assert run("--drop", "0" * 16) == 1
    assert "没有名为" in capsys.readouterr().err
    assert run("--drop", name) == 0
    assert kept.all() == []
