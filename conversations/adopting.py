"""A visitor signs in on the site: what they said before goes on with them, wherever they are signed in.

Every user of the site has one address, whichever browser they use; what goes on in one goes on in all. What the visitor
began before signing in is carried there, and the address they had is retired: whoever kept its token, on a shared
computer for instance, reads nothing of what follows.
"""

from __future__ import annotations

from datetime import datetime

from conversations import joining
from conversations.audit import AuditEntry
from conversations.contact_store import ContactStore
from conversations.conversation_store import ConversationStore
from conversations.errors import HelpedTwice, SignatureUsed
from conversations.joining import BY_SIGN_IN, Joined, Manner, Outcome
from conversations.link_store import LinkStore
from conversations.model import Address
from conversations.organising_store import OrganisingStore
from conversations.proof_store import ProofStore
from conversations.proving import Proving


class Adopting(Proving):
    """The part of ``Conversations`` that lets signed-in visitors go on."""

    async def sign_in(
        self,
        user: Address,
        visitor: Address,
        signature_hash: str,
        expires_at: datetime,
        *,
        anonymous: bool,
        name: str | None = None,
        language: str | None = None,
        customer_id: str | None = None,
    ) -> None:
        """The site says that ``visitor`` is its user; an ``anonymous`` one brings along what they said.

        ``customer_id`` is whom the site vouches for. Raises ``SignatureUsed``, and ``HelpedTwice`` while people help both.
        """
        joined: Joined | None = None
        async with self.database.write() as connection:
            now = self.now()
            await OrganisingStore(connection).lock_merging()
            proofs = ProofStore(connection)
            if not await proofs.use_signature(signature_hash, visitor.contact, expires_at, now):
                raise SignatureUsed("another browser used this signature before; sign a new one for every page")
            contacts, home = ConversationStore(connection), await LinkStore(connection).home_of(user)
            contact = await contacts.lock_contact(user, name, language, now)
            if home != user:
                contact = await contacts.lock_contact(home, None, None, now)
            proved = customer_id is not None and contact.customer_id in (None, customer_id)
            if customer_id is not None and proved:
                await ContactStore(connection).note_proof(contact.id, home, customer_id)
                await proofs.note(user, customer_id, "site", now)
            # Only now: whoever was proved to be another customer in this browser is left alone.
            before = await proofs.find_address(visitor)
            if anonymous and before is not None and before[1] is None:
                joined = await joining.join(self._desk, connection, visitor, user, Manner(BY_SIGN_IN, leaving=True))
                if joined.outcome is Outcome.BUSY:
                    raise HelpedTwice("people help in both conversations; sign in once one of them is done")
                if joined.outcome is Outcome.JOINED:
                    await proofs.retire(visitor, now)
            outcome = None if joined is None else joined.outcome.value
            data = {"channel": user.channel, "before": outcome, "proved": proved}
            await self.audit.append(
                connection, now, [AuditEntry("visitor_signed_in", "contact", None, contact.id, data)]
            )
        if joined is not None:
            await self._tell_joined(joined)
        if customer_id is not None:
            await self.link_proved()

    async def is_retired(self, address: Address) -> bool:
        """Whether the visitor of an address has signed in since."""
        async with self.database.read() as connection:
            found = await ProofStore(connection).find_address(address)
        return found is not None and found[1] is not None
