"""Asks contacts what they think of a resolved conversation, once, and takes their answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from conversations import notices
from conversations.change import Change
from conversations.conversation_rows import owner_of
from conversations.conversation_store import Locked
from conversations.episode_store import EpisodeStore
from conversations.episodes import Episode, asked_of
from conversations.errors import AlreadyRated, InvalidMessage, NotFound, RatingClosed
from conversations.model import MessageKind, Rating, Status
from conversations.rating_words import read_rating

MAX_COMMENT = 2_000
FORM_CHANNELS = frozenset({"webchat"})  #: their pages show a form, which can ask about two episodes at once


@dataclass(frozen=True, slots=True)
class Answer:
    """What a contact says about a conversation; ``other_score`` is for the episode before the last one."""

    score: int | None = None
    solved: bool | None = None
    nps: int | None = None
    comment: str = ""
    other_score: int | None = None
    never_again: bool = False
    pressed: bool = False  #: with a button, which says nothing but the score


async def ask(change: Change) -> None:
    """Ask about the last episode, in a form also about the one of the other kind before it; who declined is left alone."""
    conversation, rules, store = change.conversation, change.desk.ratings, EpisodeStore(change.connection)
    idle = conversation.resolved_by == "idle"
    if (idle and not rules.ask_when_idle) or await store.unasked(conversation.contact_id):
        return
    found = await store.of_conversation(conversation.id)
    if not found or not await store.contact_spoke(conversation.id):  # told something, never served
        return
    asked = [found[-1]]
    shows_form = conversation.reached_at.channel in FORM_CHANNELS
    if shows_form:
        before = [one for one in found if one.kind is not found[-1].kind]
        asked += before[-1:]
    await store.mark_asked([one.id for one in asked], change.now)
    language = conversation.language
    text = notices.notice("rate_form" if shows_form else "rate", language)
    if rules.ask_nps and not shows_form:
        text = notices.joined(language, text, notices.notice("rate_nps", language))
    buttons = tuple((title, f"{notices.RATE}{score}") for score, title in notices.rating_titles(language))
    forms = [{"kind": one.kind.value, "agent_name": one.agent.name if one.agent else None} for one in asked]
    asks: dict[str, Any] = {"episodes": forms, "nps": rules.ask_nps}
    change.tell(text, MessageKind.RATING_REQUEST, buttons=buttons, asks=asks)


async def read_answer(change: Change, text: str) -> Answer | None:
    """The answer that a text is, while one is waited for or can still be corrected."""
    reading = read_rating(text)
    if reading is None:
        return None
    main, _ = asked_of(await EpisodeStore(change.connection).of_conversation(change.conversation.id))
    rules = change.desk.ratings
    if main is None or main.asked_at is None or change.now - main.asked_at > rules.answer_within:
        return None
    given = main.rating
    answer = Answer(reading.score, reading.solved, reading.nps, reading.comment, never_again=reading.never_again)
    if given is None or answer == Answer(never_again=True):
        return answer
    # A kind word after the rating ("good") is no correction; a number is.
    corrects = reading.exact or reading.score is None or given.score is None
    return answer if corrects and change.now - given.rated_at <= rules.correct_within else None


async def rate(change: Change, answer: Answer) -> Rating | None:
    """Store what the contact thought and thank them.

    Raises ``NotFound`` where nobody asked, ``RatingClosed`` when the time is over, ``AlreadyRated`` when it is too late
    for a correction, and ``InvalidMessage``.
    """
    _check(answer)
    conversation, rules, store = change.conversation, change.desk.ratings, EpisodeStore(change.connection)
    if conversation.status is not Status.RESOLVED:
        raise NotFound("this conversation is still open; it can be rated when it is finished")
    main, other = asked_of(await store.of_conversation(conversation.id))
    if main is None or main.asked_at is None:
        raise NotFound("nobody asked for a rating of this conversation; write what you think instead")
    said = replace(answer, never_again=False, pressed=False) != Answer()
    if said and main.rating is None and change.now - main.asked_at > rules.answer_within:
        raise RatingClosed("the time to rate this conversation is over; write what you think instead")
    if said and main.rating is not None and change.now - main.rating.rated_at > rules.correct_within:
        raise AlreadyRated("this conversation has been rated; thank you")
    rating = main.rating
    changed = False
    if said:
        rating = _rating_of(change, main, answer)
        changed = await _keep(change, main, rating)
        if other is not None and answer.other_score is not None:
            changed |= await _keep(change, other, _rating_of(change, other, Answer(answer.other_score)))
    if answer.never_again:
        await store.ask_no_more(conversation.contact_id, change.now)
        change.record("ratings_declined", "contact")
    if changed or answer.never_again:
        _thank(change, main, rating, answer)
        change.set()  # announces the conversation, so that a console that shows it reads the rating
    return rating


def _check(answer: Answer) -> None:
    if any(score is not None and not 1 <= score <= 5 for score in (answer.score, answer.other_score)):
        raise InvalidMessage("a rating is a number from 1 to 5")
    if answer.nps is not None and not 0 <= answer.nps <= 10:
        raise InvalidMessage("how likely you recommend us is a number from 0 to 10")
    if replace(answer, comment="", pressed=False) == Answer():
        raise InvalidMessage("say how you liked it with a number from 1 to 5, or whether it was solved")


def _rating_of(change: Change, episode: Episode, answer: Answer) -> Rating:
    """The answer with what was said before and is not said again."""
    comment = answer.comment.replace("\x00", "").strip()[:MAX_COMMENT]
    given = episode.rating
    if given is None:
        return Rating(episode.conversation_id, answer.score, comment, change.now, episode.id, answer.solved, answer.nps)
    return replace(
        given,
        score=given.score if answer.score is None else answer.score,
        solved=given.solved if answer.solved is None else answer.solved,
        nps=given.nps if answer.nps is None else answer.nps,
        comment=comment or given.comment,
    )


async def _keep(change: Change, episode: Episode, rating: Rating) -> bool:
    before = episode.rating
    if rating == before:
        return False
    if before is not None:
        rating = replace(rating, corrected_at=change.now)
    await EpisodeStore(change.connection).put_rating(rating, owner_of(change.conversation))
    place = {"episode": episode.number, "kind": episode.kind.value}
    what = "rated" if before is None else "rating_corrected"
    earlier = {} if before is None else {"before": _figures(before)}
    change.record(what, "contact", place | _figures(rating) | earlier, {"comment": rating.comment})
    return True


def _figures(rating: Rating) -> dict[str, Any]:
    return {"score": rating.score, "solved": rating.solved, "nps": rating.nps}


def _thank(change: Change, main: Episode, rating: Rating | None, answer: Answer) -> None:
    language = change.conversation.language
    if answer.never_again:
        change.notice("ask_no_more")
    elif answer.solved is False:
        offer = ((notices.notice("person", language), notices.PERSON),)
        change.tell(notices.notice("not_solved", language), buttons=offer)
    elif main.rating is not None:
        change.notice("rating_changed")
    elif answer.pressed and rating is not None and rating.solved is None:
        choices = tuple((notices.notice(f"solved_{one}", language), f"{notices.SOLVED}{one}") for one in ("yes", "no"))
        change.tell(notices.notice("rated_solved", language), buttons=choices)
    else:
        change.notice("rated")


def answer_of(payload: str) -> Answer | None:
    """What a pressed button answers, if it belongs to a rating."""
    if payload.startswith(notices.RATE):
        return Answer(int(payload.removeprefix(notices.RATE)), pressed=True)
    if payload.startswith(notices.SOLVED):
        return Answer(solved=payload == f"{notices.SOLVED}yes", pressed=True)
    return None


async def obey(change: Change, answer: Answer) -> None:
    """Take an answer that came as a message: what cannot be stored is answered with a sentence."""
    try:
        await rate(change, answer)
    except AlreadyRated:
        change.notice("rating_kept")
    except RatingClosed:
        change.notice("rating_closed")
    except NotFound:
        return


def waits_for_answer(locked: Locked) -> bool:
    """Whether a text at this address may be an answer: the newest conversation is over and goes on nowhere else."""
    return locked.conversation.status is Status.RESOLVED and locked.conversation.merged_into is None
