"""Everything the demo has to begin with, besides its history."""

from __future__ import annotations

from conversations.conversations import Conversations
from handoff.demo import DemoSignIn, close_demo_staff, ensure_demo_order, ensure_demo_staff
from handoff.organising.filter_store import FilterStore
from handoff.sign_in import SignIn
from handoff.store import StaffStore
from handoff.teams.demo_teams import ensure_demo_teams
from handoff.teams.team_book import TeamBook


async def keep_demo_desk(
    store: StaffStore, sign_in: SignIn, password: str | None, teams: TeamBook, conversations: Conversations
) -> tuple[DemoSignIn, ...]:
    """The demo's people, teams, labels and filters; without a password there is no demo and its people stay out."""
    if password is None:
        await close_demo_staff(store)
        return ()
    sign_ins = await ensure_demo_staff(store, sign_in.passwords, password)
    await ensure_demo_teams(teams, store)
    await ensure_demo_order(store, FilterStore(conversations.database), conversations)
    return sign_ins
