"""Passwords, lockout and sessions, on both databases."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import text

from conversations.model import utc_now
from conversations.store import Database
from handoff.errors import EmailTaken, Refused, UnknownStaff, WeakPassword
from handoff.roles import Role
from handoff.sign_in import Passwords, SignIn, check_password, csrf_fits
from handoff.store import StaffMember, StaffStore

PASSWORD = "correct horse battery"


class Clock:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.at = utc_now()

    def __call__(self):  # type: ignore[no-untyped-def]
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sign_in(store: StaffStore, passwords: Passwords, clock: Clock) -> SignIn:
    return SignIn(store, passwords, now=clock)


@pytest.fixture
async def chen(store: StaffStore, passwords: Passwords) -> StaffMember:
    return await store.add(
        "Chen@Kite.example", "Chen Yu 陈雨", Role.AGENT, await passwords.hash(PASSWORD), ("zh", "en"), utc_now()
    )


async def refused(sign_in: SignIn, email: str, password: str, ip: str = "198.51.100.7") -> Refused:
    with pytest.raises(Refused) as caught:
        await sign_in.sign_in(email, password, ip)
    return caught.value


async def test_a_password_opens_a_session_that_knows_its_member(sign_in: SignIn, chen: StaffMember) -> None:
    ticket = await sign_in.sign_in(" chen@kite.example ", PASSWORD, "198.51.100.7")
    session = await sign_in.find_session(ticket.token)
    assert session is not None
    assert session.member == chen
    assert csrf_fits(session, ticket.session.csrf)
    assert not csrf_fits(session, "ü" + ticket.session.csrf[1:])
    assert not csrf_fits(session, None)


async def test_the_token_is_256_bits_and_not_stored(sign_in: SignIn, chen: StaffMember, database: Database) -> None:
    ticket = await sign_in.sign_in(chen.email, PASSWORD, "198.51.100.7")
    assert len(ticket.token) >= 43
    async with database.read() as connection:
        rows = (await connection.execute(text("SELECT * FROM staff_sessions"))).all()
    assert len(rows) == 1
    assert ticket.token not in str(rows)


async def test_unknown_wrong_and_closed_are_refused_in_the_same_words(
    sign_in: SignIn, store: StaffStore, passwords: Passwords, chen: StaffMember
) -> None:
    """F38: nor do its words."""
    await store.add("gone@kite.example", "Gone", Role.ADMIN, await passwords.hash(PASSWORD), (), utc_now())
    await store.set_active("gone@kite.example", False)
    answers = [
        await refused(sign_in, "nobody@kite.example", PASSWORD),
        await refused(sign_in, chen.email, "wrong"),
        await refused(sign_in, "gone@kite.example", PASSWORD),
    ]
    assert {(one.status, one.code, one.message) for one in answers} == {(401, "wrong_sign_in", answers[0].message)}


async def test_an_unknown_address_takes_as_long_as_a_wrong_password() -> None:
    """F38: the time of an answer does not say whether an account exists."""
    passwords = Passwords()  # the real parameters
    known = await passwords.hash(PASSWORD)
    await passwords.matches(None, "warm up the decoy")

    async def median(password_hash: str | None) -> float:
        times = []
        for _ in range(7):
            before = time.perf_counter()
            assert not await passwords.matches(password_hash, "wrong")
            times.append(time.perf_counter() - before)
        return sorted(times)[3]

    ratio = await median(None) / await median(known)
    assert 0.4 < ratio < 2.5


async def test_hashes_are_argon2id_of_at_least_19_mib_and_rehashed_when_parameters_change(
    store: StaffStore, clock: Clock
) -> None:
    weak, strong = Passwords(memory_kib=64, passes=1), Passwords()
    await store.add("a@kite.example", "A", Role.AGENT, await weak.hash(PASSWORD), (), utc_now())
    await SignIn(store, strong, now=clock).sign_in("a@kite.example", PASSWORD, "198.51.100.7")
    found = await store.find_by_email("a@kite.example")
    assert found is not None
    assert found[1].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not strong.outdated(found[1])


async def test_no_more_than_two_hashes_are_made_at_once_and_a_flood_is_turned_away() -> None:
    """F38: hashing cannot take the machine."""
    passwords = Passwords(memory_kib=64, passes=1)
    assert passwords._threads._max_workers == 2
    results = await asyncio.gather(*(passwords.matches(None, "x") for _ in range(100)), return_exceptions=True)
    turned_away = [one for one in results if isinstance(one, Refused)]
    assert 0 < len(turned_away) < 100
    assert {one.status for one in turned_away} == {503}
    assert all(one is False for one in results if not isinstance(one, Refused))


async def test_five_failures_lock_the_account_from_that_address_only(
    sign_in: SignIn, chen: StaffMember, clock: Clock
) -> None:
    for _ in range(5):
        assert (await refused(sign_in, chen.email, "wrong")).status == 401
    locked = await refused(sign_in, chen.email, PASSWORD)
    assert (locked.status, locked.code) == (429, "locked")
    assert locked.retry_after_seconds == pytest.approx(15 * 60, abs=2)
    await sign_in.sign_in(chen.email, PASSWORD, "203.0.113.9")
    clock.forward(minutes=15, seconds=1)
    await sign_in.sign_in(chen.email, PASSWORD, "198.51.100.7")


async def test_each_further_failure_locks_twice_as_long_and_success_forgets(
    sign_in: SignIn, chen: StaffMember, clock: Clock
) -> None:
    for _ in range(5):
        await refused(sign_in, chen.email, "wrong")
    clock.forward(minutes=16)
    assert (await refused(sign_in, chen.email, "wrong")).status == 401
    clock.forward(minutes=16)
    assert (await refused(sign_in, chen.email, PASSWORD)).status == 429
    clock.forward(minutes=15)
    await sign_in.sign_in(chen.email, PASSWORD, "198.51.100.7")
    for _ in range(4):
        assert (await refused(sign_in, chen.email, "wrong")).status == 401
    await sign_in.sign_in(chen.email, PASSWORD, "198.51.100.7")


async def test_guesses_made_at_once_are_all_counted(sign_in: SignIn, chen: StaffMember) -> None:
    answers = await asyncio.gather(*(refused(sign_in, chen.email, f"guess {n}") for n in range(20)))
    assert sorted(one.status for one in answers) == [401] * 5 + [429] * 15


async def test_an_unknown_address_is_locked_like_a_known_one(sign_in: SignIn, chen: StaffMember) -> None:
    """F38: nor does the lock."""
    unknown = [(await refused(sign_in, "nobody@kite.example", "wrong")).status for _ in range(6)]
    known = [(await refused(sign_in, chen.email, "wrong", "203.0.113.9")).status for _ in range(6)]
    assert unknown == known == [401] * 5 + [429]


async def test_one_address_cannot_try_many_accounts(store: StaffStore, passwords: Passwords, clock: Clock) -> None:
    sign_in = SignIn(store, passwords, address_failures=8, now=clock)
    statuses = [(await refused(sign_in, f"n{n}@kite.example", "x", f"2001:db8::{n}")).status for n in range(10)]
    assert statuses == [401] * 8 + [429] * 2


async def test_a_session_ends_when_idle_and_at_its_absolute_age(
    sign_in: SignIn, chen: StaffMember, clock: Clock
) -> None:
    idle = await sign_in.sign_in(chen.email, PASSWORD, "198.51.100.7")
    clock.forward(minutes=29)
    assert await sign_in.find_session(idle.token, active=False)
    clock.forward(minutes=1)
    assert await sign_in.find_session(idle.token) is None

    busy = await sign_in.sign_in(chen.email, PASSWORD, "198.51.100.7")
    for _ in range(35):
        clock.forward(minutes=20)
        assert await sign_in.find_session(busy.token)
    clock.forward(minutes=21)
    assert await sign_in.find_session(busy.token) is None


async def test_signing_in_again_replaces_the_browsers_session_and_signing_out_revokes_it(
    sign_in: SignIn, chen: StaffMember
) -> None:
    first = await sign_in.sign_in(chen.email, PASSWORD, "198.51.100.7")
    second = await sign_in.sign_in(chen.email, PASSWORD, "198.51.100.7", replaces=first.token)
    assert second.token != first.token
    assert await sign_in.find_session(first.token) is None
    await sign_in.sign_out(second.session)
    assert await sign_in.find_session(second.token) is None


async def test_a_new_password_and_a_closed_account_end_all_sessions(
    sign_in: SignIn, store: StaffStore, passwords: Passwords, chen: StaffMember
) -> None:
    before = await sign_in.sign_in(chen.email, PASSWORD, "198.51.100.7")
    await store.set_password_hash(chen.id, await passwords.hash("another long one"), end_sessions=True)
    assert await sign_in.find_session(before.token) is None
    after = await sign_in.sign_in(chen.email, "another long one", "198.51.100.7")
    await store.set_active(chen.email, False)
    assert await sign_in.find_session(after.token) is None


@pytest.mark.parametrize("token", [None, "", "x", "x" * 5000, "ü\0"])
async def test_any_other_cookie_is_nobody(sign_in: SignIn, token: str | None) -> None:
    assert await sign_in.find_session(token) is None


async def test_an_address_belongs_to_one_member_whatever_its_case(store: StaffStore, chen: StaffMember) -> None:
    with pytest.raises(EmailTaken):
        await store.add("CHEN@kite.example", "Other", Role.AGENT, "x", (), utc_now())
    with pytest.raises(UnknownStaff):
        await store.set_active("nobody@kite.example", False)


async def test_short_and_endless_passwords_are_not_kept() -> None:
    check_password("twelve chars")
    for bad in ("eleven char", "x" * 257):
        with pytest.raises(WeakPassword):
            check_password(bad)


async def test_seen_marks_only_move_forward(store: StaffStore, chen: StaffMember) -> None:
    await store.mark_seen(chen.id, "c" * 32, 5)
    await store.mark_seen(chen.id, "c" * 32, 3)
    assert await store.seen_seqs(chen.id, ["c" * 32, "d" * 32]) == {"c" * 32: 5}
    assert await store.seen_seqs(chen.id, []) == {}
