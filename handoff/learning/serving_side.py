"""What is live, opened by the app; started and closed with the staff's side."""

from __future__ import annotations

from conversations.bot_models import BotModels
from conversations.change import STAFF
from conversations.conversations import Conversations
from conversations.dialogue import RasaDialogue
from conversations.work_leases import WorkLeases
from learning.model_choice import Served
from learning.serving import Serving
from learning.serving_store import Change


async def open_serving(
    conversations: Conversations, dialogue: RasaDialogue, leases: WorkLeases, served: Served
) -> Serving:
    """What serves, read before the first turn is taken; consoles are told when it changes."""

    async def tell(change: Change) -> None:
        who = {"by_id": change.by.id if change.by else None, "by_name": change.by.name if change.by else None}
        event = {"type": "models", "change": change.what, "model": change.candidate or change.live} | who
        await conversations.hub.publish(STAFF, event)

    serving = Serving(
        conversations.database,
        conversations.audit,
        BotModels(dialogue),
        served,
        leases,
        tell=tell,
        now=conversations.now,
    )
    await serving.refresh()
    return serving
