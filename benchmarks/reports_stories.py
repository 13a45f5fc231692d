"""Makes up conversations of a shop as rows: what was said, who served it, how it ended and what was thought of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from conversations.sealed_tables import keys_of
from conversations.sealing import ContactKey, Keyring, Place, Token, seal
from conversations.sealing_store import Marks
from conversations.store import Database


@dataclass(frozen=True, slots=True)
class Team:
    """Whose queue it is."""

    id: str
    name: str

    @property
    def settings(self) -> dict[str, Any]:
        """As teams are kept."""
        return {"name_zh": self.name, "name_en": self.name, "active": True}


@dataclass(frozen=True, slots=True)
class Person:
    """Who answers there."""

    id: str
    name: str
    team: str
    pace: float  #: how long it takes, against the others


TEAMS = tuple(Team(f"{number:032x}", f"Team {number}") for number in range(1, 7))
AGENTS = tuple(
    Person(f"{1000 + number:032x}", f"Agent {number}", TEAMS[number % 6].id, 0.7 + number % 7 / 10)
    for number in range(40)
)
MODELS = ("20260801-kite", "20260915-kite", "20261020-kite")
INTENTS = (
    "order_status", "ask_knowledge", "return_refund", "change_address", "cancel_order", "request_invoice",
    "ticket_status", "delivery_time", "warranty", "payment_problem", "coupon", "membership", "complaint", "product_question",
)  # fmt: skip
_INTENT_WEIGHTS = tuple(1 / (place + 1) ** 0.8 for place in range(len(INTENTS)))
_ARTICLES = tuple(f"article-{number}" for number in range(60))
_ARTICLE_WEIGHTS = tuple(1 / (place + 1) for place in range(60))
_CHANNELS, _CHANNEL_WEIGHTS = ("webchat", "wechat", "whatsapp", "telegram", "email", "rest"), (46, 27, 12, 6, 6, 3)
_ROUTES, _ROUTE_WEIGHTS = ("task", "knowledge", "smalltalk", "clarify"), (36, 42, 12, 10)
_REASONS = ("asked_for_person", "two_misses", "low_confidence", "angry", "action_failed", "vip")
_REASON_WEIGHTS = (52, 22, 12, 6, 4, 4)
_ASKS = {
    "zh": ("我的订单 KT20260817 到哪里了？", "这个想退货，怎么办理", "保修多长时间？", "发票怎么开", "地址写错了，能改吗", "好的，谢谢"),
    "en": ("Where is my order KT20260817?", "I would like to send this back", "How long is the warranty?", "Can I have an invoice?", "Wrong address, can you change it?", "Thanks"),
}  # fmt: skip
_SAYS = {
    "zh": ("您的订单已经发货，预计明天送达。", "签收后七天内可以申请退货，运费由我们承担。", "保修期是两年，从签收那天算起。", "已经为您改好了。"),
    "en": ("Your order has left our warehouse and should arrive tomorrow.", "You can return it within seven days; we pay the postage.", "The warranty is two years from delivery.", "I have changed it for you."),
}  # fmt: skip
_COMMENTS = {"zh": ("回复很快", "说得不清楚", ""), "en": ("Quick answer", "Hard to follow", "")}


@dataclass(slots=True)
class Batch:
    """Rows by table, and audit entries with their moments."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    entries: list[tuple[datetime, str, dict[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Contact:
    id: str
    key: ContactKey
    channel: str
    address: str
    language: str
    free_at: datetime  #: when their last conversation was over


class Stories:
    """Conversations one after the other, the same ones for the same seed."""

    def __init__(self, seed: int, database: Database) -> None:
        self.dice = Random(seed)  # the same every time is what is wanted
        self._database = database
        self._recent: deque[_Contact] = deque(maxlen=3000)

    def batch(self, moments: Sequence[datetime], until: datetime) -> Batch:
        """Conversations that were opened then."""
        keyring = keys_of(self._database.engine.dialect)
        batch = Batch({name: [] for name in _TABLES})
        for opened_at in moments:
            story = _Story(self.dice, batch, self._contact(batch, opened_at, keyring), opened_at, until)
            over = story.play()
            if over is not None:
                one = story.contact
                self._recent.append(_Contact(one.id, one.key, one.channel, one.address, one.language, over))
        return batch

    def _id(self) -> str:
        return f"{self.dice.getrandbits(128):032x}"

    def _contact(self, batch: Batch, at: datetime, keyring: Keyring) -> _Contact:
        if self._recent and self.dice.random() < 0.3:
            place = self.dice.randrange(len(self._recent))
            found = self._recent[place]
            if found.free_at < at:
                del self._recent[place]
                return found
        own_id, dice = self._id(), self.dice
        wrapped = keyring.with_new_key(own_id, "")
        key = keyring.newest(own_id, wrapped)
        language = "zh" if dice.random() < 0.65 else "en"
        name = (
            f"{dice.choice('王李张刘陈杨黄')}{chr(0x4E00 + dice.randrange(3000))}"
            if language == "zh"
            else f"Max {dice.randrange(9999)}"
        )
        channel, address = dice.choices(_CHANNELS, _CHANNEL_WEIGHTS)[0], self._id()
        batch.rows["contact_keys"].append({"contact_id": own_id, "wrapped": wrapped, "wrapped_by": keyring.current})
        mark = Marks(keyring.marking, keyring.known_marks).of_name(name)
        sealed = seal(key, Place("contacts", "name", own_id), name)
        batch.rows["contacts"].append(
            {"id": own_id, "name": sealed, "name_mark": mark, "language": language, "created_at": at}
        )
        batch.rows["addresses"].append(
            {"channel": channel, "account": "default", "contact": address, "contact_id": own_id, "wrote_at": at}
        )
        return _Contact(own_id, key, channel, address, language, at)


_TABLES = (
    "contact_keys", "contacts", "addresses", "conversations", "messages", "turns", "episodes", "ratings", "queue_stays",
    "limit_cases",
)  # fmt: skip


class _Story:
    """One conversation as it is made up."""

    def __init__(self, dice: Random, batch: Batch, contact: _Contact, opened_at: datetime, until: datetime) -> None:
        self._dice, self._batch, self.contact, self._opened_at = dice, batch, contact, opened_at
        self._now, self._seq, self._until = opened_at, 0, until
        self._id = f"{dice.getrandbits(128):032x}"
        self._said: list[dict[str, Any]] = []
        age = (until - opened_at).days
        self._model = MODELS[0 if age > 60 else 1 if age > 25 else 2]
        self._intent = dice.choices(INTENTS, _INTENT_WEIGHTS)[0]
        self._episodes: list[dict[str, Any]] = []
        self._agent: Person | None = None

    def play(self) -> datetime | None:
        """Make it up; returns when it was over."""
        dice = self._dice
        self._enter("opened", "contact", {"channel": self.contact.channel})
        self._begin("bot", self._opened_at)
        for _ in range(dice.choices((1, 2, 3, 4, 5, 6, 8), (9, 19, 24, 20, 14, 9, 5))[0]):
            self._turn()
        reason = dice.choices(_REASONS, _REASON_WEIGHTS)[0] if dice.random() < 0.27 else None
        team = dice.choice(TEAMS)
        queued_at = assigned_at = None
        status, by = "bot", "idle"
        if reason is not None:
            status, by, queued_at, assigned_at = self._people(team, reason)
        open_still = (self._until - self._now) < timedelta(hours=6) and dice.random() < 0.4
        resolved_at = None
        if not open_still:
            self._pass(60, 1800)
            resolved_at = self._now
            left = status == "queued"
            self._status(status, "resolved", by)
            self._end(resolved_at, "handoff" if left else "resolved", ask=not left)
            status = "resolved"
        self._store(status, by if resolved_at else None, reason, team, queued_at, assigned_at, resolved_at)
        return resolved_at

    def _turn(self) -> None:
        dice, language = self._dice, self.contact.language
        self._pass(5, 90)
        asked = self._say("contact", dice.choice(_ASKS[language]))
        route = dice.choices(_ROUTES, _ROUTE_WEIGHTS)[0]
        missed = route in ("knowledge", "clarify") and dice.random() < 0.17
        route = "clarify" if missed else route
        intent = "ask_knowledge" if route == "knowledge" else self._intent
        confidence = round(min(0.999, dice.betavariate(9, 1.6)), 4)
        started, took = self._now, 0.02 + dice.lognormvariate(-2.6, 0.6)
        self._now += timedelta(seconds=took)
        trace: dict[str, Any] = {
            "language": language, "intent": intent, "confidence": confidence, "route": route, "policy": "rules",
            "ranking": [[intent, confidence], ["coupon", 0.02], ["warranty", 0.01]], "entities": [], "slots_changed": {},
            "thresholds": {"answer": 0.72, "clarify": 0.4}, "model_id": self._model, "timings_ms": {"total": round(took * 1000)},
        }  # fmt: skip
        if missed:
            trace["missed"] = True
        if route == "task" and dice.random() < 0.03:
            trace["failed"] = True
        citations = None
        if route == "knowledge":
            article = dice.choices(_ARTICLES, _ARTICLE_WEIGHTS)[0]
            quote = dice.choice(_SAYS[language])
            citations = [
                {"passage_id": f"{article}#1", "article_id": article, "title": article, "quote": quote, "url": ""}
            ]
        reply = self._say("bot", dice.choice(_SAYS[language]), turn_id=asked["id"], citations=citations)
        own = asked["id"]
        self._batch.rows["turns"].append(
            {"turn_id": own, "conversation_id": self._id, "in_seq": asked["seq"], "out_seqs": [reply["seq"]],
             "trace": self._sealed("turns", "trace", own, _compact(trace)), "started_at": started, "finished_at": self._now}
        )  # fmt: skip
        facts = {name: trace[name] for name in ("language", "intent", "confidence", "route", "policy", "model_id")}
        self._enter("turn", "bot", facts | {"turn_id": own, "in_seq": asked["seq"], "out_seqs": [reply["seq"]]})
        if route == "task" and dice.random() < 0.4:
            wrong = dice.random() > confidence
            self._batch.rows["limit_cases"].append(
                {"message_id": own, "conversation_id": self._id, "at": started, "language": language, "model_id": self._model,
                 "top": intent, "score": confidence, "done": 0, "band": 2, "act_wrong": wrong, "evidence": "outcome"}
            )  # fmt: skip

    def _people(self, team: Team, reason: str) -> tuple[str, str, datetime, datetime | None]:
        dice, language = self._dice, self.contact.language
        self._pass(3, 30)
        queued_at = self._now
        self._status("bot", "queued", reason)
        expected, waited = dice.choice((60, 120, 180, 300, None)), min(7200.0, dice.lognormvariate(4.6, 0.9))
        taken = dice.random() < 0.88
        self._now += timedelta(seconds=waited)
        self._batch.rows["queue_stays"].append(
            {"id": f"{dice.getrandbits(128):032x}", "conversation_id": self._id, "team_id": team.id, "queued_at": queued_at,
             "place": dice.randrange(1, 9), "agents": dice.randrange(1, 8), "expected_seconds": expected,
             "ended_at": self._now, "outcome": "accepted" if taken else "left_queue",
             "due_at": queued_at + timedelta(seconds=180)}
        )  # fmt: skip
        if not taken:
            return "queued", "idle", queued_at, None
        self._agent = agent = dice.choice([one for one in AGENTS if one.team == team.id])
        assigned_at = self._now
        self._end(assigned_at, "handoff", ask=False)
        self._status("queued", "assigned", "accepted")
        self._begin("human", assigned_at)
        for _ in range(dice.randrange(3, 8)):
            self._pass(15, 90 * agent.pace)
            said = self._say("agent", dice.choice(_SAYS[language]), author_id=agent.id, author_name=agent.name)
            self._enter("replied", f"agent:{agent.id}", {"seq": said["seq"]})
            if dice.random() < 0.8:
                self._pass(10, 120)
                self._say("contact", dice.choice(_ASKS[language]))
        return "assigned", "agent", queued_at, assigned_at

    # -- parts --------------------------------------------------------------------------------------------------

    def _pass(self, least: float, most: float) -> None:
        self._now += timedelta(seconds=self._dice.uniform(least, most))

    def _sealed(self, table: str, column: str, row: str, value: str) -> Token:
        return seal(self.contact.key, Place(table, column, row), value)

    def _say(self, author: str, text: str, **more: Any) -> dict[str, Any]:
        self._seq += 1
        own = f"{self._dice.getrandbits(128):032x}"
        row = {"id": own, "conversation_id": self._id, "seq": self._seq, "author": author, "kind": "text", "created_at": self._now,
               "text": self._sealed("messages", "text", own, text), "delivery_failed": False}  # fmt: skip
        row |= {"turn_id": None, "citations": None, "author_id": None, "author_name": None} | more
        self._batch.rows["messages"].append(row)
        self._preview = text
        return row

    def _enter(self, kind: str, actor: str, data: dict[str, Any]) -> None:
        body = {
            "kind": kind,
            "actor": actor,
            "conversation_id": self._id,
            "contact_id": self.contact.id,
            "data": data,
            "sealed": None,
        }
        self._batch.entries.append((self._now, self._id, body))

    def _status(self, source: str, target: str, why: str) -> None:
        self._enter("status", "system", {"from": source, "to": target, "why": why})

    def _begin(self, kind: str, at: datetime) -> None:
        own = f"{self._dice.getrandbits(128):032x}"
        agents = [{"id": self._agent.id, "name": self._agent.name}] if self._agent else None
        self._episodes.append(
            {"id": own, "conversation_id": self._id, "number": len(self._episodes) + 1, "kind": kind, "agents": agents,
             "agent_id": self._agent.id if self._agent else None, "team_id": self._agent.team if self._agent else None,
             "intent": None, "started_at": at, "ended_at": None, "ended_by": None, "asked_at": None,
             "model": self._model if kind == "bot" else None}
        )  # fmt: skip

    def _end(self, at: datetime, by: str, *, ask: bool) -> None:
        one, dice = self._episodes[-1], self._dice
        one |= {"ended_at": at, "ended_by": by, "intent": self._intent, "asked_at": at if ask else None}
        if ask and dice.random() < 0.32:
            human = one["kind"] == "human"
            score = dice.choices((1, 2, 3, 4, 5), (5, 5, 10, 30, 50) if human else (12, 9, 17, 29, 33))[0]
            solved = (score >= 3) if dice.random() < 0.7 else None
            nps = min(10, max(0, score * 2 + dice.randrange(-1, 2))) if dice.random() < 0.4 else None
            comment, rated_at = (
                dice.choice(_COMMENTS[self.contact.language]),
                at + timedelta(seconds=dice.randrange(20, 900)),
            )
            self._batch.rows["ratings"].append(
                {"episode_id": one["id"], "conversation_id": self._id, "score": score, "solved": solved, "nps": nps,
                 "comment": self._sealed("ratings", "comment", one["id"], comment) if comment else "", "rated_at": rated_at}
            )  # fmt: skip
            before, self._now = self._now, rated_at
            self._enter("rated", "contact", {"episode_id": one["id"], "score": score, "solved": solved})
            self._now = before

    def _store(
        self, status: str, by: str | None, reason: str | None, team: Team, queued_at: datetime | None,
        assigned_at: datetime | None, resolved_at: datetime | None,
    ) -> None:  # fmt: skip
        agent = self._agent
        self._batch.rows["episodes"] += self._episodes
        self._batch.rows["conversations"].append(
            {"id": self._id, "channel": self.contact.channel, "account": "default", "contact": self.contact.address,
             "contact_id": self.contact.id, "status": status, "language": self.contact.language, "opened_at": self._opened_at,
             "updated_at": self._now, "last_seq": self._seq, "agent_id": agent.id if agent else None,
             "agent_name": agent.name if agent else None, "handoff_reason": reason, "queued_at": queued_at,
             "assigned_at": assigned_at, "resolved_at": resolved_at, "resolved_by": by, "model": self._model,
             "preview": self._sealed("conversations", "preview", self._id, self._preview),
             "team_id": team.id if reason else None}
        )  # fmt: skip


def _compact(value: Any) -> str:
    from conversations.sealed_tables import SealedJson

    return SealedJson("turns", "trace", "turn_id").to_text(value)
