"""Proving who one is: by the last four digits of the phone, or by a one-time code.

What is said here is the same for a number that exists and one that does not.
"""

from __future__ import annotations

import re
import unicodedata

from actions.base import REQUESTED_SLOT, Question, Turn
from actions.texts import SEND_CODE, Both, button, fill, person_button
from crm.errors import CodeExpired, Locked
from crm.model import Proof
from crm.port import Crm
from knowledge_base.wording import fold

BY_CODE = "verified:code"
BY_LAST4 = "verified:last4"

THANKS = Both("谢谢，身份已核实。", "Thank you, that matches.")
WRONG_LAST4 = Both(
    "信息不匹配。请核对一下号码，再发一次下单手机号的后四位；也可以用验证码核实，或转人工客服。",
    "Those details do not match. Please check the number and send the last 4 digits of the phone on the account again, "
    "or use a one-time code, or talk to a person.",
)
LOCKED = Both(
    "尝试次数太多了，为了安全，一小时内不能再用手机尾号核实。您可以改用验证码，或转人工客服。",
    "There were too many attempts, so for safety the last 4 digits are blocked for an hour. "
    "Please use a one-time code or talk to a person.",
)
WRONG_CODE = Both(
    "验证码不对，请再看一下，重新输入 6 位数字。",
    "That code is not right. Please check it and type the 6 digits again.",
)
EXPIRED_CODE = Both("这个验证码已经失效，可以重新发送一个。", "That code is no longer valid. I can send you a new one.")
TOO_MANY_CODES = Both(
    "验证码发送得太频繁了，请一小时后再试，或转人工客服。",
    "Too many codes were sent. Please try again in an hour, or talk to a person.",
)
NOT_A_PROOF = Both(
    "我需要下单手机号的后四位数字，或者 6 位验证码来核实身份。不方便的话也可以转人工客服。",
    "To check that it is you, I need the last 4 digits of the phone on the account, or a one-time code. A person can help too.",
)
ASK_LAST4 = Both(
    "为了保护您的信息，请发一下下单手机号的后四位；也可以改用验证码。",
    "To protect your data, please send the last 4 digits of the phone number on the account. A one-time code works too.",
)
ASK_CODE = Both(
    "如果信息无误，6 位验证码已发送到账户预留的邮箱或手机，10 分钟内有效。请把验证码发给我。",
    "If the details are right, a 6-digit code is on its way to the e-mail or phone of the account. "
    "It is valid for 10 minutes; please type it here.",
)

_CHINESE_DIGITS = str.maketrans("零〇一二两三四五六七八九", "001223456789")
_CODE_WORDS = re.compile(
    r"验证码|校验码|短信|简讯|发码|重发|重新发|邮箱|邮件|电邮|\b(code|sms|e-?mail|text me|resend)\b", re.IGNORECASE
)


def digits_of(text: str) -> list[str]:
    """The digit groups people typed, with spaces and dashes inside a group taken out."""
    flat = unicodedata.normalize("NFKC", text).translate(_CHINESE_DIGITS)
    flat = re.sub(r"(?i)(?<![a-z])(kt|tk|inv)[\s\-]*\d+", " ", flat)  # an order number is no proof
    return re.findall(r"\d+", re.sub(r"(?<=\d)[ \-](?=\d)", "", flat))


def kept_mark(text: str, turn: Turn) -> str | None:
    """A ``verified:…`` mark left by an earlier proof; the same words typed by somebody are no proof."""
    typed = "verified" in unicodedata.normalize("NFKC", turn.text).lower()
    asked = turn.tracker.slots.get(REQUESTED_SLOT) == "identity_proof"
    return text if turn.customer_id and text.startswith("verified:") and not typed and not asked else None


def proof_reference(turn: Turn) -> str | None:
    """What the contact must prove to be behind, by the form that is active."""
    form = turn.tracker.active_loop_name
    if form == "ticket_status_form":
        return turn.text_of("ticket_number")
    if form == "update_contact_form":
        return turn.customer_id or turn.text_of("contact_point")
    return turn.text_of("order_number")


async def check_proof(crm: Crm, reference: str, text: str, turn: Turn, *, codes_only: bool = False) -> str | None:
    """The value for ``identity_proof``: a ``verified:…`` mark after a success, otherwise None with an explanation said.

    A success sets ``customer_id`` and ``identified``. Asking for a code sends one.
    """
    groups = digits_of(text)
    code = next((group for group in groups if len(group) == 6), None)
    ending = next((group[-4:] for group in groups if len(group) == 4 or len(group) >= 8), None)
    if code:
        try:
            proof = await crm.check_code(reference, code, turn.key("check_code"))
        except CodeExpired:
            return _refuse(turn, EXPIRED_CODE)
        return _accept(turn, proof, BY_CODE) if proof else _refuse(turn, WRONG_CODE)
    if ending and not codes_only:
        try:
            proof = await crm.verify_last4(reference, ending, turn.key("verify_last4"))
        except Locked:
            return _refuse(turn, LOCKED)
        return _accept(turn, proof, BY_LAST4) if proof else _refuse(turn, WRONG_LAST4)
    if _CODE_WORDS.search(fold(text)):
        return None if await send_code(crm, reference, turn) else _refuse(turn, TOO_MANY_CODES)
    return _refuse(turn, ASK_CODE if codes_only else NOT_A_PROOF)


async def send_code(crm: Crm, reference: str, turn: Turn) -> bool:
    """Send a one-time code; the question that follows says where to look."""
    return await crm.start_code(reference, turn.key("start_code"))


def _accept(turn: Turn, proof: Proof, mark: str) -> str:
    if proof.customer_id is None:
        # A ticket of somebody without an account: proved for this ticket and nothing else.
        turn.say(THANKS(turn.language))
        return f"verified:{proof.reference}"
    turn.change(customer_id=proof.customer_id, identified=True)
    turn.say(THANKS(turn.language), customer_id=proof.customer_id, proved_by=mark.removeprefix("verified:"))
    return mark


def _refuse(turn: Turn, why: Both) -> str | None:
    again = [] if why is TOO_MANY_CODES else [button(SEND_CODE(turn.language), fill("identity_proof", "code"))]
    turn.say(why(turn.language), [*again, person_button(turn.language)], asked_identity_proof=True)
    return None


class AskIdentityProof(Question):
    """Asks for the last four digits, or for the code that was sent."""

    action_name = "action_ask_identity_proof"
    slot = "identity_proof"

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    async def ask(self, turn: Turn) -> None:
        """Which of the two depends on whether a code is under way."""
        reference = proof_reference(turn)
        send = button(SEND_CODE(turn.language), fill("identity_proof", "code"))
        if reference and await self._crm.code_pending(reference):
            turn.say(ASK_CODE(turn.language), [person_button(turn.language)])
        elif turn.tracker.active_loop_name == "update_contact_form":
            turn.say(EXPIRED_CODE(turn.language), [send, person_button(turn.language)])
        else:
            turn.say(ASK_LAST4(turn.language), [send, person_button(turn.language)])
