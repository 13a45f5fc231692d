"""Change name, phone or e-mail of an account. A new phone or e-mail always takes a one-time code, as the shop promises."""

from __future__ import annotations

import re
from typing import Any

from actions.base import Question, Turn
from actions.explain import explain
from actions.forms import Confirmation, Task, TaskForm
from actions.identity import BY_CODE, TOO_MANY_CODES, check_proof, kept_mark, send_code
from actions.open_ticket import BAD_CONTACT
from actions.person_names import bare_name, means_oneself
from actions.texts import Both, Button, button, fill, person_button
from crm.errors import BadValue, NotFound
from crm.model import normal_contact_point, normal_email, normal_phone
from knowledge_base.wording import fold

FIELDS = {
    "phone": Both("手机号", "Phone number"),
    "email": Both("邮箱", "E-mail address"),
    "name": Both("姓名", "Name"),
}
FIELD_WORDS = {
    "email": r"邮箱|邮件|电邮|信箱|e-?mail",
    "phone": r"手机|电话|号码|phone|mobile|cell|number",
    "name": r"姓名|名字|称呼|name",
}
ASK_FIELD = Both("想修改哪一项？", "What would you like to change?")
NOT_A_FIELD = Both(
    "抱歉，没看明白要改哪一项，请选一个：", "Sorry, I could not tell which of these you would like to change:"
)
ASK_VALUE = Both("新的{field}是什么？", "What is the new {field}?")
CONFIRM = Both(
    "请确认：把账户的{field}改为 {value}，对吗？", "Please confirm: change the {field} of your account to {value}?"
)
DONE = Both("已更新，账户的{field}现在是 {value}。", "Done, the {field} of your account is now {value}.")


def field_buttons(language: str) -> list[Button]:
    """The fields to choose from."""
    return [button(title(language), fill("contact_field", field)) for field, title in FIELDS.items()]


class ValidateUpdateContact(TaskForm):
    """Finds the account by a code, then what changes."""

    task = "update_contact"
    slots = ("contact_point", "identity_proof", "contact_field", "contact_value", "confirmed")

    def required(self, turn: Turn) -> list[str]:
        """A customer known otherwise than by a code is asked for one when phone or e-mail change."""
        rest = ["contact_value", "confirmed"]
        if not turn.customer_id:
            return ["contact_point", "identity_proof", "contact_field", *rest]
        if turn.slot("contact_field") in {"phone", "email"}:
            return ["contact_field", "identity_proof", *rest]
        return ["contact_field", *rest]

    async def check_contact_point(self, value: Any, turn: Turn) -> str | None:
        """Where the account is found; a code goes there at once."""
        if turn.customer_id:
            return None
        point = normal_contact_point(turn.given("contact_point", value))
        if point is None:
            turn.say(BAD_CONTACT(turn.language), asked_contact_point=True)
            return None
        return point if await self._send_code(point, turn) else None

    async def check_identity_proof(self, value: Any, turn: Turn) -> str | None:
        """A code only: four digits are too little to take over an account with."""
        text = turn.given("identity_proof", value)
        if text.startswith("verified:"):
            return kept_mark(text, turn)
        elsewhere = None if turn.customer_id else normal_contact_point(text)
        if elsewhere:  # mistyped the first time, or another address of theirs
            turn.change(contact_point=elsewhere)
            await self._send_code(elsewhere, turn)
            return None
        reference = turn.customer_id or turn.slot("contact_point")
        return await check_proof(self.crm, reference, text, turn, codes_only=True) if reference else None

    async def check_contact_field(self, value: Any, turn: Turn) -> str | None:
        """Phone, e-mail or name, in any words."""
        text = fold(turn.given("contact_field", value)).lower()
        field = next((name for name, words in FIELD_WORDS.items() if re.search(words, text)), None)
        if field is None:
            turn.say(NOT_A_FIELD(turn.language), field_buttons(turn.language), asked_contact_field=True)
        if field in {"phone", "email"} and turn.customer_id and turn.slot("identity_proof") != BY_CODE:
            turn.change(identity_proof=None)
            return field if await self._send_code(turn.customer_id, turn) else None
        return field

    async def check_contact_value(self, value: Any, turn: Turn) -> str | None:
        """A value that fits the field."""
        text, field = turn.given("contact_value", value), turn.slot("contact_field")
        kept = {"phone": normal_phone, "email": normal_email, "name": _name}.get(field or "", _name)(text)
        if kept is None:
            turn.say(explain(BadValue(field), turn.language), asked_contact_value=True)
        return kept

    async def _send_code(self, reference: str, turn: Turn) -> bool:
        if await send_code(self.crm, reference, turn):
            return True
        turn.say(TOO_MANY_CODES(turn.language), [person_button(turn.language)])
        turn.form_done = True
        return False


class AskContactField(Question):
    """Offers the three fields."""

    action_name = "action_ask_contact_field"
    slot = "contact_field"

    async def ask(self, turn: Turn) -> None:
        """As buttons."""
        turn.say(ASK_FIELD(turn.language), field_buttons(turn.language))


class AskContactValue(Question):
    """Asks for the new value."""

    action_name = "action_ask_contact_value"
    slot = "contact_value"

    async def ask(self, turn: Turn) -> None:
        """Names the field."""
        turn.say(ASK_VALUE(turn.language, field=_field(turn)))


class ConfirmUpdateContact(Confirmation):
    """Repeats field and value."""

    task = "update_contact"

    async def summary(self, turn: Turn) -> str:
        """The new value as it will be stored."""
        return CONFIRM(turn.language, field=_field(turn), value=turn.slot("contact_value"))


class UpdateContactAction(Task):
    """Writes it."""

    task = "update_contact"
    clears = ("contact_point", "contact_field", "contact_value")
    needs = ("contact_field", "contact_value", "customer_id")
    writes = True

    async def submit(self, turn: Turn) -> None:
        """Checks the proof again: phone and e-mail only after a code."""
        field, customer_id = turn.slot("contact_field"), turn.customer_id
        if customer_id is None or (field != "name" and turn.slot("identity_proof") != BY_CODE):
            raise NotFound(field)
        value = str(turn.slot("contact_value"))
        customer = await self.crm.update_contact(customer_id, field, value, turn.key(self.action_name))
        turn.say(DONE(turn.language, field=_field(turn), value=getattr(customer, field)))


def _field(turn: Turn) -> str:
    title = FIELDS[turn.slot("contact_field")](turn.language)
    return title if turn.language == "zh" else title.lower()


def _name(text: str) -> str | None:
    flat = bare_name(text)
    if means_oneself(flat):
        return None
    return flat if 1 <= len(flat) <= 80 and any(character.isalpha() for character in flat) else None
