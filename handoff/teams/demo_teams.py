"""The demo shop's teams: made once, on a desk that has none."""

from __future__ import annotations

from handoff.demo import PEOPLE
from handoff.roles import DESK
from handoff.store import StaffStore
from handoff.teams.team_bodies import PersonBody, RuleBody, RulesBody, TeamBody
from handoff.teams.team_book import TeamBook

_BY = "Frontdesk"
_AFTER_SALES = ("order_status", "change_address", "cancel_order", "return_refund", "request_invoice", "ticket_status")
#: e-mail of a demo sign-in and what they can do
_SKILLS = {
    "agent@kite.example": ("refunds", "invoices"),
    "sam@kite.example": ("technical",),
    "supervisor@kite.example": ("refunds", "complaints"),
}

_CAPACITY = 15  #: whoever tries the demo plays many customers and one agent


async def ensure_demo_teams(book: TeamBook, staff: StaffStore) -> None:
    """Three teams with a rule for customers of the highest tier, unless somebody has set up teams already."""
    await book.refresh()
    if book.stored.teams:
        return
    ids = {}
    for _, email, role, _ in PEOPLE:
        found = await staff.find_by_email(email)
        if found is not None and role in DESK:
            ids[email] = found[0].id
            person = PersonBody(languages=found[0].languages, skills=_SKILLS.get(email, ()), capacity=_CAPACITY)  # type: ignore[arg-type]
            await book.set_person(found[0].id, person)
    agents = tuple(ids[email] for email in ("agent@kite.example", "sam@kite.example") if email in ids)
    best = tuple(ids[email] for email in ("agent@kite.example", "supervisor@kite.example") if email in ids)
    await book.save(None, TeamBody(name_zh="售前咨询", name_en="Pre-sales", intents=("ask_knowledge",)), _BY)
    after = TeamBody(name_zh="售后服务", name_en="After-sales", intents=_AFTER_SALES, members=agents)
    await book.save(None, after, _BY)
    vip = await book.save(
        None,
        TeamBody(
            name_zh="VIP 专席",
            name_en="VIP desk",
            mode="offer",
            offer_seconds=30,
            first_response_seconds=60,
            capacity=3,
            members=best,
        ),
        _BY,
    )
    await book.set_rules(RulesBody(rules=(RuleBody(team_id=vip.id, tiers=("vip",)),)))
