"""The one place where what staff must not see in clear is masked: every answer and every live event passes it.

It reads the JSON itself, so a route that nobody thought of is masked like any other. Where something was masked, the
form around it says so under ``hidden``: for each field the places of the masks and their kinds, counted in code points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from conversations.conversations import Conversations
from conversations.errors import NotFound
from conversations.model import Conversation
from conversations.teams import Roster
from handoff.clearance import Custody, depends_on_serving, hidden_from, may_reveal
from handoff.masked_fields import (
    FIELDS,
    MASKED_FOR_OTHERS,
    MOMENT,
    OF_THE_DESK,
    OWN_WORDS,
    PUBLISHED,
    WHOLE,
    kind_of,
    mask_of_field,
    plain,
)
from handoff.store import StaffMember
from personal_data.finding import find
from personal_data.kinds import HIGH_RISK, Kind
from personal_data.masks import Find, Hidden, Masked, masked, put_back

_PAST = 20
#: Fields of which a record has at least one; what has none is a mapping of anything, to which no field may be added.
_RECORD = frozenset({"id", "number", "seq", "channel"})
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Scope:
    """What is masked in a part of an answer: in words, in what is known of the contact, and the names that are known."""

    words: frozenset[Kind]
    known: frozenset[Kind]
    names: tuple[str, ...] = ()


class Veil:
    """Masks for one desk; ``finder`` is given where a model for names is loaded."""

    def __init__(self, conversations: Conversations, roster: Callable[[], Roster], finder: Find = find) -> None:
        self._conversations = conversations
        self._roster = roster
        self._finder = finder

    async def over(
        self, data: Any, member: StaffMember, method: str, route: str, path: Mapping[str, str]
    ) -> Any:  # fmt: skip
        """An answer as the member may see it; the same object where there is nothing to mask."""
        parts = route.split("/")
        if {parts[0], "/".join(parts[:2])} & OF_THE_DESK or (method, route) in OWN_WORDS | WHOLE:
            return data
        served = await self._served(data, member, path)
        skipped = PUBLISHED | MASKED_FOR_OTHERS if "assist" in route.split("/") else PUBLISHED
        return _Reading(served, self._finder, skipped).form(data, served.around)

    async def over_event(self, event: dict[str, Any], member: StaffMember) -> dict[str, Any]:
        """A live event as the member may see it."""
        veiled: dict[str, Any] = await self.over(event, member, "GET", "live", {})
        return veiled

    async def custody_of(self, event: Mapping[str, Any]) -> Custody | None:
        """In whose hands the conversation of a live event is; None for an event of no conversation."""
        form = event.get("conversation")
        if isinstance(form, dict) and not form.get("merged_into"):
            return Custody.read(form)
        conversation_id = form["id"] if isinstance(form, dict) else event.get("conversation_id")
        found = await self._find(str(conversation_id)) if conversation_id else None
        if found is not None and found.merged_into is not None:
            found = await self._find(found.merged_into)
        return _custody(found)

    def is_with(self, member: StaffMember, custody: Custody | None) -> bool:
        """Whether it is this member's to answer."""
        return custody is not None and custody.is_with(member, self._roster())

    async def unmasked(
        self, values: Mapping[str, Any], form: dict[str, Any], member: StaffMember, contact_id: str
    ) -> dict[str, Any]:
        """What a member saved, with what they could not see put back in place of the masks that they left alone."""
        seen = await self.over(form, member, "GET", "contacts/<contact_id>", {"contact_id": contact_id})
        hidden = seen.get("hidden", {}) if seen is not form else {}
        kept: dict[str, Any] = dict(values)
        for name, places in hidden.items():
            written, before = values.get(name), form.get(name)
            if isinstance(written, str) and isinstance(before, str):
                kinds = frozenset(Kind(place[2]) for place in places)
                mask = masked(before, "", kinds, finder=self._finder)
                same = mask if mask.text == seen[name] else _wholly(next(iter(kinds)), seen[name], before)
                kept[name] = put_back(written, before, same)
        return kept

    async def may_reveal(self, member: StaffMember, contact_id: str, conversation: Conversation | None = None) -> bool:
        """Whether a member may have what is masked of a contact shown; the console shows its buttons by this."""
        always, serving = (may_reveal(member.role, serving=one) for one in (False, True))
        if always or not serving:
            return always
        if conversation is not None and await self.serves(member, conversation):
            return True
        return await self.serves_contact(member, contact_id)

    def words(self, member: StaffMember) -> Callable[[str], str]:
        """Masks words that leave in a file, as for a member who serves nobody of them."""
        hidden = hidden_from(member.role, serving=False)
        return lambda text: masked(text, "", hidden, finder=self._finder).text

    def cells(self, member: StaffMember) -> Callable[[str, str, str | None], str]:
        """Masks a cell of a file by its column's name and its words; the third is the name of the contact it is of."""
        hidden = hidden_from(member.role, serving=False)

        def seen(column: str, value: str, name: str | None) -> str:
            kind = FIELDS.get(column)
            hides, mask = mask_of_field(kind, value) if kind is not None else (None, value)
            if hides in hidden and mask != value:
                return mask
            names = (name,) if name and Kind.NAME in hidden else ()
            return masked(value, "", hidden, names=names, finder=self._finder).text

        return seen

    async def serves(self, member: StaffMember, conversation: Conversation) -> bool:
        """Whether a conversation, or the one in which it goes on, is the member's to answer."""
        if conversation.merged_into is not None:
            target = await self._find(conversation.merged_into)
            conversation = target or conversation
        return Custody.of(conversation).is_with(member, self._roster())

    async def serves_contact(self, member: StaffMember, contact_id: str) -> bool:
        """Whether one of a contact's conversations is the member's to answer."""
        latest = await self._conversations.conversations_of_contact(contact_id, _PAST)
        roster = self._roster()
        return any(Custody.of(one).is_with(member, roster) for one in latest)

    async def _served(self, data: Any, member: StaffMember, path: Mapping[str, str]) -> _Served:
        role = member.role
        if not depends_on_serving(role):
            hidden = hidden_from(role, serving=False)
            served = _Served(Scope(hidden, hidden))
            if Kind.NAME in hidden:
                served.names = _names_in(_conversations_in(data)[0])
                name = await self._name_of(path, data)
                served.around = Scope(hidden, hidden, (*_people_in(data), *([name] if name else ())))
            return served
        shown, hidden = hidden_from(role, serving=True), hidden_from(role, serving=False)
        served = _Served(Scope(hidden, hidden, _people_in(data)))
        roster = self._roster()
        forms, asked = _conversations_in(data)
        if "conversation_id" in path:
            asked.add(path["conversation_id"])
        merged = {str(form["id"]): form["merged_into"] for form in forms.values() if form.get("merged_into")}
        found: dict[str, Conversation | None] = {}
        for one in (asked | set(merged.values())) - set(forms):
            found[one] = await self._find(one)
            if (went_on := found[one]) is not None and went_on.merged_into is not None:
                found[one] = await self._find(went_on.merged_into) or went_on
        contacts: set[str] = set()
        for conversation_id, form in forms.items():
            target = merged.get(conversation_id)
            goes_on = forms.get(target) if target else form
            custody = Custody.read(goes_on) if goes_on else _custody(found.get(str(target)))
            if custody is not None and custody.is_with(member, roster):
                served.ids.add(conversation_id)
                contacts.add(str(form["contact_id"]))
        for conversation_id, conversation in found.items():
            if conversation is not None and Custody.of(conversation).is_with(member, roster):
                served.ids.add(conversation_id)
                contacts.add(conversation.contact_id)
        if "contact_id" in path and await self.serves_contact(member, path["contact_id"]):
            contacts.add(path["contact_id"])
            served.around = Scope(shown, shown, served.around.names)
        served.contacts = contacts
        served.shown, served.hidden = shown, hidden
        served.names = _names_in(forms) | {one: held.contact_name for one, held in found.items() if held}
        if "conversation_id" in path:
            served.around = served.scope(path["conversation_id"], None)
        return served

    async def _name_of(self, path: Mapping[str, str], data: Any) -> str | None:
        """The name of the contact whom an answer is about, where it does not say it itself."""
        conversation_id = path.get("conversation_id")
        if conversation_id is None and isinstance(data, dict) and isinstance(data.get("conversation_id"), str):
            conversation_id = data["conversation_id"]
        found = await self._find(conversation_id) if conversation_id else None
        return found.contact_name if found is not None else None

    async def _find(self, conversation_id: str) -> Conversation | None:
        try:
            return await self._conversations.get_conversation(conversation_id)
        except NotFound:
            return None
        except Exception as error:  # a database that is away must not end live sockets; what is not known is masked
            log.warning("custody_unknown", conversation_id=conversation_id, error=error)
            return None


class _Served:
    """What of an answer is from conversations that the member serves."""

    def __init__(self, around: Scope) -> None:
        self.around = around
        self.ids: set[str] = set()
        self.contacts: set[str] = set()
        self.names: dict[str, str | None] = {}
        self._scopes: dict[str, Scope] = {}
        self.shown: frozenset[Kind] | None = None
        self.hidden = around.words

    def scope_of(self, conversation_id: str) -> Scope:
        """What is masked in a conversation that is only named; a transcript names the same one in every message."""
        known = self._scopes.get(conversation_id)
        if known is None:
            known = self._scopes[conversation_id] = self.scope(conversation_id, None)
        return known

    def scope(self, conversation_id: str, form: Mapping[str, Any] | None) -> Scope:
        """What is masked in a conversation."""
        name = form.get("contact_name") if form is not None else self.names.get(conversation_id)
        names = (*self.around.names, name) if name and name not in self.around.names else self.around.names
        if self.shown is None:
            return Scope(self.hidden, self.hidden, names)
        words = self.shown if conversation_id in self.ids else self.hidden
        contact_id = form.get("contact_id") if form is not None else None
        known = self.shown if conversation_id in self.ids or contact_id in self.contacts else self.hidden
        return Scope(words, known, names)


class _Reading:
    """One walk through an answer."""

    def __init__(self, served: _Served, finder: Find, skipped: frozenset[str]) -> None:
        self._skipped = skipped
        self._served = served
        self._finder = finder

    def form(self, value: Any, scope: Scope, name: str = "") -> Any:
        """A part of an answer, the same object where nothing in it is masked."""
        if isinstance(value, dict):
            return self._dict(value, scope)
        if isinstance(value, (list, tuple)):
            seen = [self._item(one, scope, name) for one in value]
            return seen if any(new is not old for new, old in zip(seen, value, strict=True)) else value
        return value

    def _item(self, value: Any, scope: Scope, name: str) -> Any:
        if isinstance(value, str):
            return value if plain(name) or MOMENT.fullmatch(value) else self._words(value, scope).text
        return self.form(value, scope, name)

    def _dict(self, form: dict[str, Any], scope: Scope) -> dict[str, Any]:
        scope = self._scope_of(form, scope)
        changed: dict[str, Any] = {}
        hidden: dict[str, list[list[int | str]]] = {}
        for name, value in form.items():
            if isinstance(value, str):
                if len(value) < 2 or plain(name) or MOMENT.fullmatch(value):
                    continue
                mask = self._field(name, value, form, scope)
                if mask.hidden:
                    changed[name] = mask.text
                    hidden[name] = [[one.start, one.end, one.kind.value] for one in mask.hidden]
                    if name == "snippet" and isinstance(form.get("marks"), list):
                        changed["marks"] = [[mask.place_of(a), mask.place_of(b, end=True)] for a, b in form["marks"]]
            elif value and name not in self._skipped and isinstance(value, (dict, list, tuple)):
                seen = self.form(value, scope, name)
                if seen is not value:
                    changed[name] = seen
        if hidden and "hidden" not in form and not _RECORD.isdisjoint(form):
            changed["hidden"] = hidden
        return form | changed if changed else form

    def _scope_of(self, form: Mapping[str, Any], scope: Scope) -> Scope:
        if _is_conversation(form):
            return self._served.scope(str(form["id"]), form)
        named = form.get("conversation_id")
        if isinstance(named, str) and named:
            return self._served.scope_of(named)
        return scope

    def _field(self, name: str, value: str, form: Mapping[str, Any], scope: Scope) -> Masked:
        kind = kind_of(name, form)
        if kind is None:
            return self._words(value, scope)
        hides, mask = mask_of_field(kind, value)
        if hides in scope.known and mask != value:
            return _wholly(hides, mask, value)
        if hides in scope.known:
            return self._words(value, scope)
        return masked(value, "", scope.words & HIGH_RISK, finder=self._finder)

    def _words(self, text: str, scope: Scope) -> Masked:
        names = scope.names if Kind.NAME in scope.words else ()
        return masked(text, "", scope.words, names=names, finder=self._finder)


def _wholly(kind: Kind, mask: str, value: str) -> Masked:
    return Masked(mask, (Hidden(0, len(mask), kind, (0, len(value))),))


def _people_in(data: Any) -> tuple[str, ...]:
    """The names of those whom a whole answer is about."""
    if not isinstance(data, dict):
        return ()
    about = [data, *(data[name] for name in ("source", "target") if isinstance(data.get(name), dict))]
    people = [one[name] for one in about for name in ("contact", "customer") if isinstance(one.get(name), dict)]
    return tuple({str(one["name"]) for one in people if one.get("name")})


def _names_in(forms: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
    return {one: form.get("contact_name") for one, form in forms.items()}


def _custody(conversation: Conversation | None) -> Custody | None:
    return Custody.of(conversation) if conversation is not None else None


def _is_conversation(form: Mapping[str, Any]) -> bool:
    return "contact_id" in form and "status" in form and "last_seq" in form


def _conversations_in(data: Any) -> tuple[dict[str, Mapping[str, Any]], set[str]]:
    """The conversations whose form an answer holds, and the ids of others that it speaks of."""
    forms: dict[str, Mapping[str, Any]] = {}
    named: set[str] = set()
    waiting = [data]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if _is_conversation(one):
                forms[str(one["id"])] = one
            elif isinstance(one.get("conversation_id"), str) and one["conversation_id"]:
                named.add(one["conversation_id"])
            waiting += [value for value in one.values() if isinstance(value, (dict, list, tuple))]
        elif isinstance(one, (list, tuple)):
            waiting += [value for value in one if isinstance(value, (dict, list, tuple))]
    return forms, named
