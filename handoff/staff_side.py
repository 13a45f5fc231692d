"""Everything the staff's side is made of: the app builds one, mounts ``staff_blueprints`` of it and closes it at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from conversations.attachments import Attachments
from conversations.audit_bundle import Bundler
from conversations.audit_check import Progress, Verdict
from conversations.conversations import Conversations
from conversations.json_form import attachment_json, message_json
from conversations.model import Attachment, Message
from conversations.proactive import Proactive
from conversations.rule_book import RuleBook
from conversations.sight import Scope
from conversations.store import Database
from crm.port import Crm
from handoff.access.api_key_store import ApiKeyStore
from handoff.access.api_keys import ApiKeys
from handoff.access.oidc_sign_in import ProviderSignIn
from handoff.access.second_factor import SecondFactors
from handoff.access.second_factor_store import SecondFactorStore
from handoff.access.sight_book import SightBook
from handoff.assist.assist_side import AssistSide
from handoff.channels.channel_desk import ChannelDesk
from handoff.demo import DemoSignIn
from handoff.guard import Guard, Handlers
from handoff.learning.studio import Studio
from handoff.organising.filter_store import FilterStore
from handoff.organising.view_store import ViewStore
from handoff.pages import DIST
from handoff.presence import PresenceBoard
from handoff.prompt_desk import PromptDesk
from handoff.roles import DESK
from handoff.sign_in import SignIn
from handoff.store import Session, StaffMember, StaffStore, Stage
from handoff.supervising.overview import Overview
from handoff.teams.team_book import TeamBook
from handoff.teams.team_store import TeamStore
from handoff.veil import Veil
from handoff.writing.canned import pinyin_keys
from handoff.writing.canned_store import CannedStore
from handoff.writing.macro_order import add_order_steps
from handoff.writing.macro_steps import own_steps
from handoff.writing.macro_store import MacroStore
from handoff.writing.translation_store import TranslationStore
from handoff.writing.translations import TranslationDesk
from handoff.writing.variables import Variables
from knowledge_base.synonym_book import SynonymBook
from personal_data.finding import find
from personal_data.masks import Find


class StaffSide:
    """The staff's side of one service process."""

    def __init__(
        self,
        database: Database,
        conversations: Conversations,
        crm: Crm,
        attachments: Attachments,
        public_url: str,
        *,
        prompts: PromptDesk,
        second_factor_key: bytes,
        second_factor_required: Collection[str] = (),
        store: StaffStore | None = None,
        sign_in: SignIn | None = None,
        demo_sign_ins: Sequence[DemoSignIn] = (),
        dist: Path = DIST,
        check_session_seconds: float = 5.0,
        knowledge_status: Callable[[], dict[str, Any]] = dict,
        synonyms: SynonymBook | None = None,
        teams: TeamBook | None = None,
        labels_by_agents: bool = True,
        time_zone: str = "UTC",
        rules: RuleBook | None = None,
        assist: AssistSide | None = None,
        proactive: Proactive | None = None,
        channels: ChannelDesk | None = None,
        verify_audit: Callable[[Progress], Awaitable[Verdict]] | None = None,
        audit_bundler: Bundler | None = None,
        api_keys: ApiKeys | None = None,
        provider: ProviderSignIn | None = None,
        personal_data: Find = find,
        studio: Studio | None = None,
        overview: Overview | None = None,
        describe: Callable[[Handlers], dict[str, Any]] | None = None,
    ) -> None:
        self.conversations = conversations
        self.crm = crm
        self.attachments = attachments
        self.prompts = prompts
        self.store = store or StaffStore(database)
        self.sign_in = sign_in or SignIn(self.store)
        self.second_factors = SecondFactors(
            SecondFactorStore(database),
            self.sign_in.lockout,
            second_factor_key,
            second_factor_required,
            self.sign_in.now,
        )
        self.sign_in.stage_of = self.second_factors.stage_of
        self.api_keys = api_keys or ApiKeys(ApiKeyStore(database), self.sign_in.now)
        self.views = ViewStore(database)
        self.filters = FilterStore(database)
        self.labels_by_agents = labels_by_agents
        self.teams = teams or TeamBook(TeamStore(database))
        self.sight = SightBook(conversations, self.teams)
        self.veil = Veil(conversations, self.teams.roster, personal_data)
        self.guard = Guard(self.sign_in, public_url, self.sight, self.veil)
        self.presence = PresenceBoard(conversations)
        self.demo_sign_ins = tuple(demo_sign_ins)
        self.dist = dist
        self.synonyms = synonyms
        self.canned = CannedStore(database)
        self.macros = MacroStore(database)
        self.macro_steps = own_steps()
        add_order_steps(self.macro_steps)
        self.time_zone = ZoneInfo(time_zone)
        self.variables = Variables(conversations, crm, self.time_zone)
        self.rules = rules or RuleBook(database, conversations.audit, conversations.now)
        self.assist = assist
        self.studio = studio or Studio()
        self.overview = overview or Overview()
        self.verify_audit = verify_audit
        self.audit_bundler = audit_bundler
        self.provider = provider
        self.describe = describe
        self.proactive = proactive
        self.channels = channels
        self.translations = TranslationDesk(
            conversations, TranslationStore(database), assist.translator if assist else None
        )
        self.check_session_seconds = check_session_seconds
        self.knowledge_status = knowledge_status

    async def start(self) -> None:
        """Begin what runs in the background."""
        if self.assist is not None:
            await self.assist.start()
        await self.studio.start()
        await self.overview.start()

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self.presence.close()
        await self.guard.finish()
        await self.translations.close()
        if self.provider is not None:
            await self.provider.provider.close()
        await self.overview.close()
        await self.studio.close()
        if self.assist is not None:
            await self.assist.close()

    def sight_key(self, member: StaffMember) -> str:
        """The same for members who see the same conversations, so that they can share what was looked up."""
        scope = self.sight.scope_of(member)
        return member.role.value if scope is Scope.EVERYTHING else f"{member.role.value}:{member.id}"

    def message_json(self, message: Message) -> dict[str, Any]:
        """A message as staff see it, with addresses for its files."""
        return self.with_urls(message_json(message))

    def with_urls(self, form: dict[str, Any]) -> dict[str, Any]:
        """The JSON form of a message with a signed address on each of its files."""
        if not form["attachments"]:
            return form
        return form | {"attachments": [self.attachment_json(Attachment(**one)) for one in form["attachments"]]}

    def attachment_json(self, attachment: Attachment) -> dict[str, Any]:
        """A file with a signed address."""
        return attachment_json(attachment) | {"url": self.attachments.signed_url(attachment)}

    async def agents_json(self) -> list[dict[str, Any]]:
        """Everybody who can hold a conversation, with presence, load and capacity; those at the desk first."""
        everyone = await self.presence.everyone()
        roster = self.teams.roster()
        rank = {"online": 0, "away": 1, "offline": 2}
        forms = []
        for member in await self.store.all_staff():
            if member.active and member.role in DESK:
                presence = everyone.get(member.id)
                state, assigned = self.presence.state_of(presence), presence.assigned if presence else 0
                capacity = roster.capacity_of(member.id)
                teams = [team.id for team in roster.teams if team.active and roster.serves(team, member.id)]
                forms.append(
                    member_json(member)
                    | {"agent_id": member.id, "state": state, "assigned": assigned, "capacity": capacity}
                    | {"at_capacity": assigned >= capacity, "skills": list(member.skills), "teams": teams}
                    | {"keys": pinyin_keys(member.name)}
                )
        return sorted(forms, key=lambda form: rank[form["state"]])


def session_json(session: Session) -> dict[str, Any]:
    """Who is signed in, and the token that their writes must carry; nothing of it before the code was right."""
    if session.stage is Stage.CODE:
        return {"stage": session.stage.value}
    stage, way = session.stage.value, session.way.value
    return {"staff": member_json(session.member), "csrf": session.csrf, "stage": stage, "way": way}


def member_json(member: StaffMember) -> dict[str, Any]:
    """A member of staff as the console shows them."""
    return {
        "id": member.id,
        "name": member.name,
        "email": member.email,
        "role": member.role.value,
        "languages": list(member.languages),
    }
