"""What can go wrong with a conversation. Nothing here knows HTTP; ``app.py`` maps these to status codes."""

from __future__ import annotations

from typing import Literal


class ConversationError(Exception):
    """Something about a conversation could not be done."""

    code = "conversation_error"


class NotFound(ConversationError):
    """There is no such conversation, message or file, or it is not yours."""

    code = "not_found"


class IllegalTransition(ConversationError):
    """A conversation cannot go from its status to the one asked for."""

    code = "illegal_transition"

    def __init__(self, source: str, target: str) -> None:
        super().__init__(f"a conversation in status {source} cannot become {target}")


class AlreadyAssigned(ConversationError):
    """Another agent was quicker; the message names them."""

    code = "already_assigned"


class OfferedToColleague(AlreadyAssigned):
    """A colleague is being asked just now; the message names them."""

    code = "offered_to_colleague"


class AtCapacity(ConversationError):
    """An agent holds as many conversations as they can take."""

    code = "at_capacity"

    def __init__(self, message: str, held: int, most: int) -> None:
        super().__init__(message)
        self.detail = f"{held}/{most}"


class NotOffered(ConversationError):
    """The offer has lapsed, was withdrawn, or was never the agent's."""

    code = "not_offered"


class AlreadyMerged(ConversationError):
    """The conversation was merged, or separated again, by somebody who was quicker."""

    code = "already_merged"


class NotAssigned(ConversationError):
    """Only the assigned agent may do this."""

    code = "not_assigned"


class InvalidMessage(ConversationError):
    """The message is empty, too long, or names a button or file that is not there."""

    code = "invalid_message"


class FileRefused(InvalidMessage):
    """A file that is not taken; ``code`` says why, for whoever says it in other words, and ``detail`` what the limit is."""

    def __init__(
        self,
        code: Literal["file_empty", "file_too_large", "file_type", "picture_damaged", "picture_too_large"],
        message: str,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.detail = detail


class BadContactPoint(InvalidMessage):
    """What a form sent as phone number or e-mail address is neither."""

    code = "bad_contact_point"


class AlreadyRated(ConversationError):
    """This conversation has been rated."""

    code = "already_rated"


class RatingClosed(ConversationError):
    """The time in which a rating counts is over."""

    code = "rating_closed"


class NotYours(ConversationError):
    """Only whoever wrote it may do this."""

    code = "not_yours"


class AnsweredMeanwhile(ConversationError):
    """A colleague answered after the agent last looked; the message names them."""

    code = "answered_meanwhile"


class TooLate(ConversationError):
    """What was said can no longer be taken back; the message says why and what to do instead."""

    code = "too_late"


class AlreadyDelivered(TooLate):
    """The channel has, or may have, delivered it and cannot take it back."""

    code = "already_delivered"


class FencedOut(ConversationError):
    """The lease was lost: another worker has taken this conversation's turn."""

    code = "fenced_out"


class DialogueUnavailable(ConversationError):
    """The bot could not take the turn; it is safe to ask again with the same turn id."""

    code = "dialogue_unavailable"


class DialogueRefused(DialogueUnavailable):
    """The bot will not take this turn however often it is asked, for example because the secret is wrong."""

    code = "dialogue_refused"


class ModelGone(DialogueUnavailable):
    """No bot has the version of the model that was asked for; nothing was done."""

    code = "model_gone"


class IdempotencyConflict(ConversationError):
    """The idempotency key was used for another request, or its first request is still running."""

    code = "idempotency_conflict"

    def __init__(self, message: str, *, in_progress: bool = False) -> None:
        super().__init__(message)
        self.in_progress = in_progress


class SlowConsumer(ConversationError):
    """The subscriber fell too far behind or lost its feed; read the database and subscribe again."""

    code = "slow_consumer"


class SendError(Exception):
    """A connector could not deliver a message."""

    retryable = False


class ChannelUnavailable(SendError):
    """The channel did not answer or failed; try again later."""

    retryable = True


class RateLimited(SendError):
    """The channel asks to wait ``retry_after_seconds``."""

    retryable = True

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"rate limited for {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class DeliveryUnknown(SendError):
    """Bytes were sent and no answer came; the message may have arrived."""

    retryable = True


class MessageRejected(SendError):
    """The channel will never accept this message."""


class ContactUnreachable(SendError):
    """The contact blocked us or left the channel."""


class WindowClosed(ContactUnreachable):
    """The contact wrote too long ago: the channel lets nothing through now but what it has approved before."""


class RulesChanged(ConversationError):
    """Somebody saved other handoff rules since the ones that these were made from."""

    code = "rules_changed"


class InvalidField(ConversationError):
    """A value does not look like what it should be; ``field`` says which."""

    code = "invalid_field"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class ContactChanged(ConversationError):
    """Somebody changed the contact after it was read; the message says who goes first, and nothing was written."""

    code = "contact_changed"


class DifferentCustomers(ConversationError):
    """Two contacts belong to different customers, so they are not the same person."""

    code = "different_customers"


class CannotSeparate(ConversationError):
    """A merge of contacts can no longer be taken back; the message says why and what to do instead."""

    code = "cannot_separate"


class SignedIn(ConversationError):
    """The visitor of this address has signed in and writes from the address of the site's user now."""

    code = "signed_in"


class SignatureUsed(ConversationError):
    """Another browser brought this signature of the site before."""

    code = "signature_used"


class HelpedTwice(ConversationError):
    """People help the visitor here and the site's user elsewhere; neither is cut off."""

    code = "helped_twice"
