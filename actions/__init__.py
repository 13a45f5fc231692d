"""What the bot can do: custom actions in Rasa's wire format, one flat module per task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from rasa_sdk import Action
from rasa_sdk.executor import ActionExecutor

from actions.answer_question import AnswerQuestion, Knowledge, Writer
from actions.cancel_order import CancelOrderAction, ConfirmCancelOrder, ValidateCancelOrder
from actions.change_address import AskNewAddress, ChangeAddressAction, ConfirmChangeAddress, ValidateChangeAddress
from actions.clarify import Clarify
from actions.forms import AskOrderNumber
from actions.identity import AskIdentityProof
from actions.open_ticket import AskContactPoint, AskProblem, OpenTicketAction, ValidateOpenTicket
from actions.order_status import OrderStatusAction, ValidateOrderStatus
from actions.request_human import RequestHuman
from actions.request_invoice import (
    AskInvoiceKind,
    AskInvoiceTitle,
    ConfirmRequestInvoice,
    RequestInvoiceAction,
    ValidateRequestInvoice,
)
from actions.return_refund import (
    AskOrderItem,
    AskReturnReason,
    ConfirmReturnRefund,
    ReturnRefundAction,
    ValidateReturnRefund,
)
from actions.ticket_status import AskTicketNumber, TicketStatusAction, ValidateTicketStatus
from actions.update_contact import (
    AskContactField,
    AskContactValue,
    ConfirmUpdateContact,
    UpdateContactAction,
    ValidateUpdateContact,
)
from crm.model import utc_now
from crm.port import Crm
from crm.read_only import ReadOnlyCrm
from crm.sample_store import SampleShop


@dataclass(frozen=True, slots=True)
class ActionSettings:
    """What may be tuned; ``retrieval_gate`` counts only for turns that bring no threshold of their own."""

    retrieval_gate: float | None = None
    now: Callable[[], datetime] = utc_now


def build_executor(
    crm: Crm, knowledge: Knowledge, settings: ActionSettings | None = None, writer: Writer | None = None
) -> ActionExecutor:
    """An executor that serves every action of the bot over this CRM, this knowledge base and perhaps a language model."""
    chosen = settings or ActionSettings()
    actions: list[Action] = [
        AnswerQuestion(knowledge, crm, chosen.retrieval_gate, writer),
        Clarify(),
        RequestHuman(),
        AskOrderNumber(crm),
        AskIdentityProof(crm),
        AskContactPoint(),
        ValidateOrderStatus(crm),
        OrderStatusAction(crm),
        ValidateChangeAddress(crm),
        AskNewAddress(),
        ConfirmChangeAddress(crm),
        ChangeAddressAction(crm),
        ValidateCancelOrder(crm),
        ConfirmCancelOrder(crm),
        CancelOrderAction(crm),
        ValidateReturnRefund(crm),
        AskOrderItem(crm),
        AskReturnReason(),
        ConfirmReturnRefund(crm),
        ReturnRefundAction(crm),
        ValidateRequestInvoice(crm, chosen.now),
        AskInvoiceKind(),
        AskInvoiceTitle(crm),
        ConfirmRequestInvoice(crm),
        RequestInvoiceAction(crm),
        ValidateOpenTicket(crm),
        AskProblem(),
        OpenTicketAction(crm),
        ValidateTicketStatus(crm),
        AskTicketNumber(crm),
        TicketStatusAction(crm),
        ValidateUpdateContact(crm),
        AskContactField(),
        AskContactValue(),
        ConfirmUpdateContact(crm),
        UpdateContactAction(crm),
    ]
    executor = ActionExecutor()
    for action in actions:
        executor.register_action(action)
    return executor


def build_executors(
    crm: Crm, knowledge: Knowledge, settings: ActionSettings | None = None, writer: Writer | None = None
) -> tuple[ActionExecutor, ActionExecutor, ActionExecutor]:
    """One executor for turns; one for dry runs, which reads the same, cannot write, and waits for no language model; and
    one for dry runs in the sample shop."""
    return (
        build_executor(crm, knowledge, settings, writer),
        build_executor(ReadOnlyCrm(crm), knowledge, settings),
        build_executor(SampleShop(), knowledge, settings),
    )
