"""Who may do what: one table from route to roles. A route that is not in the table is closed to everybody."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a member of staff is here for."""

    AGENT = "agent"
    TRAINER = "trainer"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"


EVERYONE = frozenset(Role)
#: Everybody but auditors, who leave no trace in what they look at.
NOTICED = EVERYONE - {Role.AUDITOR}
#: Who speaks with contacts; whether a conversation is theirs is decided by ``Conversations``.
DESK = frozenset({Role.AGENT, Role.SUPERVISOR, Role.ADMIN})
#: Who may move a conversation that somebody else holds.
OVERSEERS = frozenset({Role.SUPERVISOR, Role.ADMIN})
#: Who looks after the machinery, and decides who may come in.
ADMINS = frozenset({Role.ADMIN})
#: Who reads the audit trail and checks that nobody changed it.
AUDITORS = frozenset({Role.AUDITOR, Role.ADMIN})
#: Whose reports show everybody's work and not only their own.
REPORTED_TO = OVERSEERS | {Role.AUDITOR}

#: Who looks after what the bot knows.
KEEPERS = frozenset({Role.TRAINER, Role.SUPERVISOR, Role.ADMIN})
#: Who decides what the bot knows and how it says it.
TRAINERS = frozenset({Role.TRAINER, Role.ADMIN})

#: Who may see what it is taught.
TAUGHT_TO = KEEPERS | {Role.AUDITOR}

#: Routes that need no session.
PUBLIC = frozenset(
    {
        ("POST", "sign-in"),
        ("POST", "sign-in/code"),
        ("GET", "sign-in/ways"),
        ("GET", "sign-in/provider"),
        ("GET", "sign-in/provider/callback"),
        ("GET", "demo"),
    }
)
#: What a member may do who has to set up a second factor before anything else.
ENROLLING = frozenset(
    {
        ("GET", "me"),
        ("POST", "sign-out"),
        ("GET", "second-factor"),
        ("POST", "second-factor/begin"),
        ("POST", "second-factor/confirm"),
    }
)

POLICY: dict[tuple[str, str], frozenset[Role]] = {
    ("POST", "sign-out"): EVERYONE,
    ("GET", "me"): EVERYONE,
    ("GET", "openapi.json"): EVERYONE,
    # everybody looks after their own second factor
    ("GET", "second-factor"): EVERYONE,
    ("POST", "second-factor/begin"): EVERYONE,
    ("POST", "second-factor/confirm"): EVERYONE,
    ("POST", "second-factor/recovery-codes"): EVERYONE,
    ("POST", "second-factor/remove"): EVERYONE,
    # everybody sees where they are signed in
    ("GET", "sessions"): EVERYONE,
    ("POST", "sessions/end-others"): EVERYONE,
    ("GET", "staff-accounts"): ADMINS,
    ("POST", "staff-accounts"): ADMINS,
    ("POST", "staff-accounts/<staff_id>"): ADMINS,
    ("POST", "staff-accounts/<staff_id>/password"): ADMINS,
    ("POST", "staff-accounts/<staff_id>/sessions/end"): ADMINS,
    ("POST", "sight"): ADMINS,
    ("POST", "staff-accounts/<staff_id>/second-factor/reset"): ADMINS,
    ("GET", "api-keys"): ADMINS,
    ("POST", "api-keys"): ADMINS,
    ("POST", "api-keys/<key_id>/revoke"): ADMINS,
    ("GET", "live"): EVERYONE,
    ("GET", "agents"): EVERYONE,
    ("GET", "presence"): EVERYONE,
    ("POST", "presence"): DESK,
    ("GET", "search"): EVERYONE,
    ("POST", "files"): DESK,
    ("GET", "knowledge/status"): KEEPERS,
    ("GET", "conversations"): EVERYONE,
    ("GET", "conversations/<conversation_id>"): EVERYONE,
    ("GET", "conversations/<conversation_id>/messages"): EVERYONE,
    ("GET", "conversations/<conversation_id>/traces"): EVERYONE,
    ("POST", "conversations/<conversation_id>/seen"): NOTICED,
    ("POST", "conversations/<conversation_id>/accept"): DESK,
    ("POST", "conversations/<conversation_id>/reply"): DESK,
    ("POST", "conversations/<conversation_id>/note"): DESK,
    ("POST", "conversations/<conversation_id>/transfer"): DESK,
    ("POST", "conversations/<conversation_id>/requeue"): DESK,
    ("POST", "conversations/<conversation_id>/release"): DESK,
    ("POST", "conversations/<conversation_id>/resolve"): DESK,
    ("POST", "conversations/<conversation_id>/typing"): DESK,
    ("GET", "conversations/<conversation_id>/assist"): DESK,
    ("GET", "conversations/<conversation_id>/assist/bot"): DESK,
    ("GET", "conversations/<conversation_id>/assist/phrased"): DESK,
    ("POST", "conversations/<conversation_id>/assist/<card_id>/inserted"): DESK,
    ("POST", "conversations/<conversation_id>/assist/<card_id>/rejected"): DESK,
    ("GET", "assist/report"): KEEPERS | {Role.AUDITOR},
    ("GET", "conversations/<conversation_id>/translations"): EVERYONE,
    ("POST", "conversations/<conversation_id>/translations"): DESK,
    ("POST", "conversations/<conversation_id>/translate-reply"): DESK,
    ("GET", "prompts"): TRAINERS,
    ("GET", "prompts/<name>"): TRAINERS,
    ("POST", "prompts/<name>/versions"): TRAINERS,
    ("POST", "prompts/<name>/activate"): TRAINERS,
    ("POST", "prompts/<name>/test"): TRAINERS,
    ("GET", "search/messages"): EVERYONE,
    ("GET", "views"): EVERYONE,
    ("POST", "filters"): DESK,
    ("POST", "filters/order"): DESK,
    ("POST", "filters/count"): DESK,
    ("POST", "filters/<filter_id>"): DESK,
    ("POST", "filters/<filter_id>/delete"): DESK,
    ("GET", "labels"): EVERYONE,
    ("POST", "labels"): DESK,
    ("POST", "labels/<label_id>"): OVERSEERS,
    ("POST", "conversations/bulk"): DESK,
    ("POST", "conversations/<conversation_id>/labels"): DESK,
    ("POST", "conversations/<conversation_id>/priority"): DESK,
    ("POST", "conversations/<conversation_id>/snooze"): DESK,
    ("POST", "conversations/<conversation_id>/wake"): DESK,
    ("GET", "conversations/<conversation_id>/duplicates"): EVERYONE,
    ("GET", "conversations/<conversation_id>/merged"): EVERYONE,
    ("POST", "conversations/<conversation_id>/merge"): DESK,
    ("POST", "conversations/<conversation_id>/unmerge"): DESK,
    # contacts: whoever reads conversations reads whom they are with
    ("GET", "contacts/<contact_id>"): EVERYONE,
    ("GET", "contacts/<contact_id>/conversations"): EVERYONE,
    ("POST", "contacts/<contact_id>"): DESK,
    ("POST", "contacts/<contact_id>/customer"): DESK,
    ("POST", "contacts/<contact_id>/link"): DESK,
    ("POST", "contacts/<contact_id>/unlink"): DESK,
    ("POST", "contacts/<contact_id>/telling"): DESK,
    ("POST", "contacts/<contact_id>/tickets"): DESK,
    ("POST", "contacts/<contact_id>/tickets/<number>"): DESK,
    ("GET", "contacts/<contact_id>/candidates"): DESK,
    ("GET", "contacts/<contact_id>/merge/<source_id>"): DESK,
    ("POST", "contacts/<contact_id>/merge"): DESK,
    ("POST", "contacts/<contact_id>/separate"): DESK,
    ("GET", "contacts/<contact_id>/export"): OVERSEERS,
    ("POST", "contacts/<contact_id>/erase"): OVERSEERS,
    ("GET", "contacts/<contact_id>/erasures"): OVERSEERS,
    # whose conversation it must be is decided by ``handoff/clearance.py``
    ("POST", "conversations/<conversation_id>/reveal"): DESK,
    ("POST", "contacts/<contact_id>/reveal"): DESK,
    ("GET", "customers"): DESK,
    ("GET", "handoff-rules"): EVERYONE,
    ("POST", "handoff-rules"): OVERSEERS,
    ("POST", "handoff-rules/preview"): OVERSEERS,
    ("GET", "synonyms"): TRAINERS | {Role.SUPERVISOR},
    ("POST", "synonyms"): TRAINERS,
    ("POST", "synonyms/test"): TRAINERS,
    ("POST", "synonyms/<synonym_id>"): TRAINERS,
    ("POST", "synonyms/<synonym_id>/delete"): TRAINERS,
    # what the bot is taught: whoever looks after it reads, trainers write
    ("GET", "examples"): TAUGHT_TO,
    ("GET", "examples/overview"): TAUGHT_TO,
    ("GET", "examples/history"): TAUGHT_TO,
    ("GET", "examples/export"): TAUGHT_TO,
    ("POST", "examples"): TRAINERS,
    ("POST", "examples/import"): TRAINERS,
    ("POST", "examples/ask"): TRAINERS,
    ("POST", "examples/ask/stop"): TRAINERS,
    ("POST", "examples/history/<edit_id>/undo"): TRAINERS,
    # models: measured by trainers, tried out by whoever looks after the bot; nothing of a trial is kept
    ("GET", "model-tests"): TAUGHT_TO,
    ("GET", "model-tests/results/<name>"): TAUGHT_TO,
    ("GET", "model-tests/cross-validation"): TAUGHT_TO,
    ("GET", "model-tests/knowledge"): TAUGHT_TO,
    ("GET", "model-tests/compare"): TAUGHT_TO,
    ("POST", "model-tests/run"): TRAINERS,
    ("POST", "model-tests/knowledge/run-questions"): TRAINERS,
    ("POST", "model-tests/stories"): TRAINERS,
    ("POST", "model-tests/stories/<name>/delete"): TRAINERS,
    ("POST", "model-tests/lines"): TRAINERS,
    ("POST", "model-tests/lines/delete"): TRAINERS,
    ("POST", "model-tests/questions"): TRAINERS,
    ("POST", "model-tests/questions/delete"): TRAINERS,
    ("POST", "trials"): KEEPERS,
    # articles: read by everybody, drafts by whoever looks after the bot, written by trainers
    ("GET", "knowledge/articles"): EVERYONE,
    ("GET", "knowledge/articles/<article_id>"): EVERYONE,
    ("GET", "knowledge/articles/<article_id>/<language>/diff"): TAUGHT_TO,
    ("GET", "knowledge/health"): TAUGHT_TO,
    ("GET", "learning/articles/<article_id>/<language>"): TAUGHT_TO,
    ("POST", "knowledge/articles"): TRAINERS,
    ("POST", "knowledge/articles/<article_id>/<language>"): TRAINERS,
    ("POST", "knowledge/articles/<article_id>/<language>/publish"): TRAINERS,
    ("POST", "knowledge/articles/<article_id>/<language>/unpublish"): TRAINERS,
    ("POST", "knowledge/articles/<article_id>/<language>/archive"): TRAINERS,
    ("POST", "knowledge/articles/<article_id>/<language>/restore"): TRAINERS,
    ("POST", "knowledge/articles/<article_id>/<language>/take-over"): TRAINERS,
    ("POST", "knowledge/articles/<article_id>/<language>/reviewed"): TRAINERS,
    ("POST", "knowledge/preview"): TRAINERS,
    ("POST", "knowledge/upload"): TRAINERS,
    ("POST", "knowledge/drafts"): TRAINERS,
    ("POST", "knowledge/test"): KEEPERS,
    ("POST", "knowledge/agreements"): TRAINERS,
    ("GET", "learning/gaps"): TAUGHT_TO,
    ("GET", "learning/gaps/<group_id>"): TAUGHT_TO,
    ("POST", "learning/gaps/<group_id>/approve"): TRAINERS,
    ("POST", "learning/gaps/<group_id>/merge"): TRAINERS,
    ("POST", "learning/gaps/<group_id>/reject"): TRAINERS,
    # what went wrong with the bot: looked at by whoever looks after it, decided by trainers
    ("GET", "learning/inbox"): KEEPERS | {Role.AUDITOR},
    ("GET", "learning/inbox/intents"): KEEPERS | {Role.AUDITOR},
    ("GET", "learning/inbox/gaps"): KEEPERS | {Role.AUDITOR},
    ("GET", "learning/inbox/gaps/export"): KEEPERS,
    ("GET", "learning/inbox/groups/<group_id>"): KEEPERS | {Role.AUDITOR},
    ("GET", "learning/inbox/groups/<group_id>/suggestions"): KEEPERS | {Role.AUDITOR},
    ("POST", "learning/inbox/groups/<group_id>/decide"): TRAINERS,
    ("POST", "learning/inbox/decide"): TRAINERS,
    ("POST", "learning/inbox/decisions/<decision_id>/undo"): TRAINERS,
    ("GET", "learning/replays"): KEEPERS | {Role.AUDITOR},
    ("POST", "learning/replays"): TRAINERS,
    ("POST", "learning/replays/budget"): TRAINERS,
    ("GET", "learning/replays/<replay_id>"): KEEPERS | {Role.AUDITOR},
    ("POST", "learning/replays/<replay_id>/cancel"): TRAINERS,
    ("POST", "learning/replays/<replay_id>/next"): TRAINERS,
    ("GET", "learning/replays/<replay_id>/changes"): TRAINERS | {Role.AUDITOR},
    ("GET", "learning/replays/<replay_id>/changes/<turn_id>"): TRAINERS | {Role.AUDITOR},
    ("POST", "learning/replays/<replay_id>/changes/<turn_id>/judge"): TRAINERS,
    ("POST", "learning/replays/<replay_id>/changes/<turn_id>/undo"): TRAINERS,
    # versions of the models and the long work for them: whoever looks after the bot reads, trainers begin and cancel
    ("GET", "models/versions"): TAUGHT_TO,
    ("GET", "models/jobs"): TAUGHT_TO,
    ("GET", "models/jobs/<job_id>"): TAUGHT_TO,
    ("POST", "models/jobs"): TRAINERS,
    ("POST", "models/jobs/<job_id>/cancel"): TRAINERS,
    # which version of the model is live: looked at by whoever looks after the bot, changed by trainers
    ("GET", "models/live"): KEEPERS | {Role.AUDITOR},
    ("POST", "models/live/promote"): TRAINERS,
    ("POST", "models/live/compare"): TRAINERS,
    ("POST", "models/live/stop"): TRAINERS,
    ("POST", "models/live/rollback"): TRAINERS,
    # from which score the bot acts: looked at by whoever looks after it, applied by trainers
    ("GET", "learning/limits"): TAUGHT_TO,
    ("GET", "learning/limits/outcome"): TAUGHT_TO,
    ("GET", "learning/limits/versions"): TAUGHT_TO,
    ("POST", "learning/limits"): TRAINERS,
    ("POST", "learning/limits/versions/<version>/restore"): TRAINERS,
    ("POST", "learning/limits/check"): TRAINERS,
    # routing: several agents in a conversation, offers, teams
    ("POST", "conversations/<conversation_id>/decline"): DESK,
    ("POST", "conversations/<conversation_id>/invite"): DESK,
    ("POST", "conversations/<conversation_id>/join"): DESK,
    ("POST", "conversations/<conversation_id>/leave"): DESK,
    ("POST", "conversations/<conversation_id>/remove"): DESK,
    ("POST", "conversations/<conversation_id>/barge-in"): OVERSEERS,
    ("POST", "conversations/<conversation_id>/take-over"): OVERSEERS,
    ("GET", "teams"): EVERYONE,
    ("POST", "teams"): OVERSEERS,
    ("POST", "teams/rules"): OVERSEERS,
    ("POST", "teams/people/<staff_id>"): OVERSEERS,
    ("POST", "teams/<team_id>"): OVERSEERS,
    ("POST", "teams/<team_id>/delete"): OVERSEERS,
    # what is open now: auditors look on, with contacts' names masked as everywhere
    ("GET", "live/board"): REPORTED_TO,
    # reviews: drawn and decided by supervisors, the bot's also reviewed by trainers; agents read and dispute their own
    ("GET", "reviews"): EVERYONE,
    ("GET", "reviews/cards"): TAUGHT_TO,
    ("POST", "reviews/cards"): OVERSEERS,
    ("GET", "reviews/people"): OVERSEERS,
    ("GET", "reviews/samples"): TAUGHT_TO,
    ("POST", "reviews/samples"): OVERSEERS,
    ("POST", "reviews/samples/preview"): OVERSEERS,
    ("GET", "reviews/samples/<sample_id>"): TAUGHT_TO,
    ("GET", "reviews/results"): REPORTED_TO,
    ("GET", "reviews/results/export"): REPORTED_TO,
    ("GET", "reviews/<review_id>"): EVERYONE,
    ("POST", "reviews/<review_id>"): KEEPERS,
    ("POST", "reviews/<review_id>/inbox"): KEEPERS,
    ("POST", "reviews/<review_id>/dispute"): DESK,
    ("POST", "reviews/<review_id>/decide"): OVERSEERS,
    ("GET", "reports/waits"): REPORTED_TO,
    ("GET", "reports/catalogue"): REPORTED_TO,
    ("POST", "reports/figures"): REPORTED_TO,
    ("POST", "reports/units"): REPORTED_TO,
    ("POST", "reports/ask"): REPORTED_TO,
    ("GET", "reports/cost"): REPORTED_TO,
    ("GET", "reports/export"): REPORTED_TO,
    ("POST", "reports/cost"): OVERSEERS,
    ("GET", "reports/digests"): REPORTED_TO,
    (
        "POST",
        "reports/digests",
    ): OVERSEERS,  # the route: only those who see everything, for a digest tells of everything
    ("POST", "reports/digests/preview"): OVERSEERS,
    ("POST", "reports/digests/<digest_id>"): OVERSEERS,
    ("POST", "reports/digests/<digest_id>/delete"): OVERSEERS,
    ("POST", "reports/digests/<digest_id>/send"): OVERSEERS,
    ("GET", "reports/ratings"): DESK | {Role.AUDITOR},  # agents get their own figures only
    ("GET", "reports/ratings/export"): DESK | {Role.AUDITOR},
    # what rose suddenly
    ("GET", "alerts"): REPORTED_TO,
    ("GET", "alerts/rules"): REPORTED_TO,
    ("POST", "alerts/rules"): OVERSEERS,
    ("POST", "alerts/look"): OVERSEERS,
    ("POST", "alerts/<alert_id>/acknowledge"): OVERSEERS,
    ("GET", "audit"): AUDITORS,
    ("POST", "audit/search"): AUDITORS,
    ("POST", "audit/verify"): AUDITORS,
    ("GET", "audit/verify"): AUDITORS,
    ("POST", "audit/export"): AUDITORS,
    ("GET", "audit/key"): AUDITORS,
    ("GET", "audit/entries/<entry_number>"): AUDITORS,
    ("GET", "audit/turns/<turn_id>"): AUDITORS,
    ("POST", "conversations/<conversation_id>/recall"): DESK,
    ("POST", "conversations/<conversation_id>/canned/<canned_id>"): DESK,
    ("GET", "conversations/<conversation_id>/macros/<macro_id>"): DESK,
    ("POST", "conversations/<conversation_id>/macros/<macro_id>"): DESK,
    # Whether what is written is for everybody or for oneself is decided by ``owner_for``.
    ("GET", "canned"): DESK,
    ("POST", "canned"): DESK,
    ("GET", "canned/export"): DESK,
    ("POST", "canned/import"): DESK,
    ("POST", "canned/<canned_id>"): DESK,
    ("POST", "canned/<canned_id>/delete"): DESK,
    ("GET", "macros"): DESK,
    ("POST", "macros"): DESK,
    ("POST", "macros/<macro_id>"): DESK,
    ("POST", "macros/<macro_id>/delete"): DESK,
    # channels: trying one out writes to a contact in the desk's name
    ("GET", "channels"): OVERSEERS,
    ("GET", "channels/available"): OVERSEERS,
    ("GET", "channels/<channel>/<account>/contacts"): ADMINS,
    ("POST", "channels/<channel>/<account>/check"): ADMINS,
    ("POST", "channels/<channel>/<account>/test"): ADMINS,
    ("GET", "deliveries"): OVERSEERS,
    ("POST", "deliveries/replay"): OVERSEERS,
    ("POST", "deliveries/discard"): OVERSEERS,
}


def allowed(role: Role, method: str, route: str) -> bool:
    """Whether the table opens this route (its pattern below ``/staff/api/``) to the role."""
    return role in POLICY.get((method, route), frozenset())
