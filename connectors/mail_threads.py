"""Whose mail is whose: contacts, signed reply addresses, and Message-IDs that are recognised when they come back.

SMTP proves no sender. A mail belongs to a thread only when it carries something that we signed and sent to that very
address (a reply address, or one of our Message-IDs in In-Reply-To or References), or when our own mail server vouches
for the sender's domain; see ``connectors/mail_reading.py``.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

_MAC = 16  # characters of base32: 80 bits
_TOKEN = re.compile(r"fd-([a-z2-7]{16})?-([a-z2-7]{16})")
_OURS = re.compile(r"<fd\.([a-z2-7]{16})?\.([A-Za-z0-9_-]{1,64})\.([0-9]{1,3})\.([a-z2-7]{16})@[^<>@\s]+>")
_OURS_ANYWHERE = re.compile(_OURS.pattern.replace(r"[^<>@\s]+>", r"[^<>@\s]{1,253}>"))
_MOST_NAMED = 20  # Message-IDs of ours in one text
_REMEMBERED = 10_000


def domain_of(address: str) -> str:
    """What follows the last @ of an e-mail address."""
    return address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Contact:
    """A sender, and for senders nobody vouches for the thread in which they write."""

    email: str
    thread: str = ""

    def __str__(self) -> str:
        return f"{self.email}#{self.thread}" if self.thread else self.email

    @classmethod
    def read(cls, text: str) -> Contact | None:
        """The contact that ``str`` wrote, or None."""
        local, _, rest = text.rpartition("@")
        domain, _, thread = rest.partition("#")
        return cls(f"{local}@{domain}", thread) if local and domain and fits(f"{local}@{domain}") else None


def fits(address: str) -> bool:
    """Whether something is one plain e-mail address, without anything that ends a header or an SMTP command."""
    return (
        re.fullmatch(r"[^\s@<>(),:;\"\\\[\]\x00-\x20\x7f]{1,64}@[A-Za-z0-9\u0080-\U0010ffff.-]{1,253}", address)
        is not None
    )


@dataclass(frozen=True, slots=True)
class Thread:
    """What a reply needs of the contact's last mail."""

    subject: str = ""
    message_id: str = ""
    references: tuple[str, ...] = ()


class Marks:
    """Signs what comes back in replies; ``secret`` must stay the same for old threads to be recognised."""

    def __init__(self, secret: bytes, account: str, address: str) -> None:
        self._secret = secret
        self._account = account
        self._local, _, self._domain = address.rpartition("@")

    def thread_of(self, email: str, message_id: str) -> str:
        """The name of a new thread; the same mail read again opens the same one."""
        return self._sign("thread", email, message_id)

    def reply_address(self, contact: Contact) -> str:
        """Our address with what proves that an answer belongs to the contact."""
        return f"{self._local}+fd-{contact.thread}-{self._sign('reply', str(contact))}@{self._domain}"

    def message_id(self, contact: Contact, outbox_id: str, place: int) -> str:
        """The Message-ID of one of our mails: the same for each attempt to send it."""
        mac = self._sign("message", str(contact), outbox_id, str(place))
        return f"<fd.{contact.thread}.{outbox_id}.{place}.{mac}@{self._domain}>"

    def contact_of(self, email: str, recipients: Iterable[str], references: Iterable[str]) -> Contact | None:
        """The contact whose thread a mail from ``email`` continues, or None if nothing we signed proves it."""
        for recipient in recipients:
            local, _, domain = recipient.rpartition("@")
            name, plus, token = local.partition("+")
            found = _TOKEN.fullmatch(token.lower()) if plus else None
            if found is None or (name.lower(), domain.lower()) != (self._local.lower(), self._domain.lower()):
                continue
            contact = Contact(email, found[1] or "")
            if hmac.compare_digest(self._sign("reply", str(contact)), found[2]):
                return contact
        for reference in references:
            ours = _OURS.fullmatch(reference)
            if ours is not None:
                contact = Contact(email, ours[1] or "")
                if hmac.compare_digest(self._sign("message", str(contact), ours[2], ours[3]), ours[4]):
                    return contact
        return None

    def outbox_id_in(self, text: str, recipients: Iterable[str]) -> str:
        """The first mail of ours that a text names by its Message-ID, if it was written to one of the recipients."""
        domain = f"@{self._domain}>".lower()
        found = (one for one in _OURS_ANYWHERE.finditer(text) if one[0].lower().endswith(domain))
        ours = list(islice(found, _MOST_NAMED))
        for recipient in recipients:
            local, _, at = recipient.rpartition("@")
            for one in ours:
                for email in dict.fromkeys((f"{local}@{at.lower()}", recipient)):
                    contact = Contact(email, one[1] or "")
                    if hmac.compare_digest(self._sign("message", str(contact), one[2], one[3]), one[4]):
                        return one[2]
        return ""

    def _sign(self, *what: str) -> str:
        said = "\x00".join((self._account, *what)).encode("utf-8", "surrogatepass")
        return base64.b32encode(hmac.digest(self._secret, said, "sha256")).decode().lower()[:_MAC]


class Threads:
    """The last mail of each contact, for as long as memory lasts."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Thread] = OrderedDict()

    def put(self, contact: str, thread: Thread) -> None:
        """Remember the contact's newest mail."""
        self._known[contact] = thread
        self._known.move_to_end(contact)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def find(self, contact: str) -> Thread | None:
        """The newest mail, if it is remembered."""
        return self._known.get(contact)
