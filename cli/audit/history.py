"""Everything the auditor knows, in compact form: built record by record, judged by pure functions afterwards.

Records are added in the order that `names` and `reading` keep: dead letters, changelogs, inboxes and effects, then what
the world reads. Within a partition they come in the order of their offsets.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from cli.audit import names
from cli.audit.counting import Counted
from cli.audit.dialect import Dialect
from cli.audit.dialects import CATALOGUE
from cli.audit.facts import Asked, Booking, Entry, Errand, Heard, Payment, Place, Poison, Receipt, Row, Tables, Told
from cli.audit.operations import Hold, Operation, Release
from cli.audit.plans import Foretold, Plan
from cli.audit.spelling import Spelling
from cli.audit.wire import short

#: Clocks of one installation may differ by so much, and an audit's cut takes so long, in milliseconds.
SLACK = 5_000
#: For so long, in milliseconds, something may be late once a deadline or a fault is over.
GRACE = 60_000


class Orphan(NamedTuple):
    """An event whose cause was not seen yet; without one when it names none."""

    event_type: str
    event_id: str
    cause: str | None
    at: int


class DeadLetter(NamedTuple):
    """A record on a dead-letter topic: what is missing of its headers, else its origin and the bytes it carries."""

    place: Place
    origin: Place | None
    content: bytes
    missing: tuple[str, ...] = ()
    #: Of an edited copy, which has other bytes than its origin: the letter it was made of.
    copy_of: Place | None = None


@dataclass
class History:
    """What stood on the log, and in the provider's ledger, when it was read."""

    dialect: Dialect = CATALOGUE
    spelling: Spelling = field(default_factory=Spelling)
    #: Its producers are set as its document shows them, which may lose what was acknowledged.
    weak: bool = False
    #: When the reading began, in ms: what is younger may have a part that was not read. None: nothing was running.
    started: int | None = None
    records: int = 0
    #: The newest record's time.
    newest: int = 0
    bookings: defaultdict[str, Booking] = field(default_factory=lambda: defaultdict(Booking))
    payments: defaultdict[str, Payment] = field(default_factory=lambda: defaultdict(Payment))
    #: What was asked of each partition's inventory, in the order of its inbox.
    inventory: defaultdict[int, list[Operation]] = field(default_factory=lambda: defaultdict(list))
    #: Short id of a Hold -> "reserved" and/or "rejected".
    hold_answers: defaultdict[bytes, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: Short id of a message to inventory -> what was held because of it for offers to those on a waitlist, each as the
    #: hold of revision 0 of the booking it may become; and which of those ended.
    offers: defaultdict[bytes, list[Hold]] = field(default_factory=lambda: defaultdict(list))
    offer_ends: defaultdict[bytes, list[Release]] = field(default_factory=lambda: defaultdict(list))
    #: The provider's ledger, None when there is none to read.
    ledger: list[Entry] | None = None
    #: Bookings that an outside journal says were acknowledged.
    acknowledged: set[str] = field(default_factory=set)
    #: Mail that was handed over: notice -> the Message-IDs of its file. None when no mail is kept here.
    mail: dict[str, list[str]] | None = None
    #: (Notice, Message-ID) -> how often it was delivered beyond the first time.
    mail_again: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: The references of the text messages that the sandbox took, which are notices. None when none are kept here.
    texts: frozenset[str] | None = None
    #: News that somebody is to be told of; event id -> the channels a notice of it was asked for on; and notice -> its
    #: user, quoted, and the partition and offset of its request.
    tidings: list[Told] = field(default_factory=list)
    told: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    notices: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    #: Notice -> the short id of the last order to hand it over; and order -> partition and offset of its first answer.
    orders: dict[str, bytes] = field(default_factory=dict)
    replies: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    #: User, quoted -> when news last told that the user was erased, in ms.
    erased: dict[str, int] = field(default_factory=dict)
    #: Booking -> what its reminder was planned as, in the order of the inbox; and news that plans one.
    plans: defaultdict[str, list[Plan]] = field(default_factory=lambda: defaultdict(list))
    foretold: list[Foretold] = field(default_factory=list)
    #: What the SQL projections have; None where there is no database.
    tables: Tables | None = None
    #: By payment: what the world heard of it and its receipt.
    receipts: defaultdict[str, Receipt] = field(default_factory=lambda: defaultdict(Receipt))
    #: By what they are rows of: "booking", "night", "payment", "notice", "receipt", "figures", "endpoint",
    #: "delivery", "user" (quoted; when the user was erased, in ms, or None).
    rows: defaultdict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    #: What analytics counted, by its partition and what it is about.
    counted: defaultdict[tuple[int, str], Counted] = field(default_factory=lambda: defaultdict(Counted))
    #: (service, partition) -> the last inbox offset whose outcome is durable, and when something last became durable.
    positions: dict[tuple[str, int], int] = field(default_factory=dict)
    moved: dict[tuple[str, int], int] = field(default_factory=dict)
    #: (service, partition) -> the offset after the last record of the inbox, and the time of the first one that is not
    #: decided.
    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    waiting: dict[tuple[str, int], int] = field(default_factory=dict)
    #: (topic, partition) -> the offset its consumer group comes back to; of a public topic that of the gate.
    committed: dict[tuple[str, int], int] = field(default_factory=dict)
    #: (topic, partition) -> the oldest offset there is, the time since when its retention keeps everything (only where
    #: something was deleted), and the time of the first record read.
    begins: dict[tuple[str, int], int] = field(default_factory=dict)
    kept_from: dict[tuple[str, int], int] = field(default_factory=dict)
    first_at: dict[tuple[str, int], int] = field(default_factory=dict)
    #: When booking partitions were taken over: the end of a fault, in ms.
    claims: list[int] = field(default_factory=list)

    identities: dict[bytes, bytes] = field(default_factory=dict)
    changed: list[tuple[str, str]] = field(default_factory=list)
    #: Ids on the topics that cause things; those of the booking inbox with their offsets.
    causes: set[bytes] = field(default_factory=set)
    booking_causes: dict[bytes, int] = field(default_factory=dict)
    orphans: dict[bytes, Orphan] = field(default_factory=dict)
    uncaused: list[Orphan] = field(default_factory=list)
    derived: int = 0

    dead: list[DeadLetter] = field(default_factory=list)
    dead_origins: dict[Place, set[bytes]] = field(default_factory=dict)
    #: Those of them that say nothing because they are dead.
    silenced: set[Place] = field(default_factory=set)
    #: Origins of dead letters that were met: True where the bytes are the same.
    met: dict[Place, bool] = field(default_factory=dict)
    #: Records that say nothing the auditor can read, or what is not theirs to say.
    poison: list[Poison] = field(default_factory=list)
    #: Short ids of effects -> the order; and those that were answered.
    errands: dict[bytes, Errand] = field(default_factory=dict)
    done: set[bytes] = field(default_factory=set)
    #: Short ids of other programs' requests -> the request; and those that something in an inbox was caused by.
    asked: dict[bytes, Asked] = field(default_factory=dict)
    admitted: set[bytes] = field(default_factory=set)
    #: News of ours, where a webhook endpoint may want it; (topic, partition) -> the offset that those who pass it on
    #: come back to; (endpoint, event) -> where its delivery was asked for; the deliveries that were answered with 2xx,
    #: and how often others were answered.
    heard: list[Heard] = field(default_factory=list)
    heard_upto: dict[tuple[str, int], int] = field(default_factory=dict)
    deliveries: dict[tuple[str, str], Place] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    _types: dict[str, bytes] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """The time the promises are judged at: of a stopped instance, its last sign of life."""
        return self.newest if self.started is None else self.started

    def recent(self, at: int) -> bool:
        """Whether something of that time may have a part that the audit was too early to see."""
        return self.started is not None and at > self.started - SLACK

    def overdue(self, at: int) -> bool:
        """Whether of a running instance something of that time should long have been looked at."""
        return self.started is not None and self.started > max(at, *self.claims, 0) + GRACE

    def handled(self, place: Place) -> bool:
        """Whether what follows from a record is durable."""
        if place.topic in names.INBOXES:
            return self.passed(names.service_of(place.topic), place.partition, place.offset)
        return place.offset < self.committed.get((place.topic, place.partition), 0)

    def forgotten(self, kinds: Iterable[str]) -> int:
        """The time before which the topics of these canonical types have forgotten something; 0 if nothing."""
        return self.horizon(self.dialect.topics_of(kinds))

    def passed(self, service: str, partition: int, offset: int) -> bool:
        """Whether the outcome of an inbox record is durable."""
        return offset <= self.positions.get((service, partition), -1)

    def horizon(self, topics: Iterable[str]) -> int:
        """The time before which one of these topics has forgotten something; 0 when they have it all."""
        wanted = set(topics)
        cut = [place for place, begin in self.begins.items() if begin > 0 and place[0] in wanted]
        times = (self.first_at.get(place, self.newest) for place in cut)
        return max((min(at, self.kept_from.get(place, at)) for at, place in zip(times, cut, strict=True)), default=0)

    def booking_settled(self, booking: Booking) -> bool:
        """Whether nothing of a booking or its payments is on its way."""
        request = booking.request
        return (
            request is not None
            and self.passed("booking", request.partition, booking.last)
            and all(self.payment_settled(self.payments[payment_id]) for payment_id in booking.payments)
        )

    def payment_settled(self, payment: Payment) -> bool:
        """Whether every call of a payment is answered, and every message about it decided."""
        calls = payment.calls.keys() | payment.parked.keys()
        return self.passed("payment", payment.partition, payment.last) and calls <= payment.answers.keys()

    def identify(self, event_id: str, event_type: str, content: bytes) -> None:
        """One event id of a type has one content; another one is remembered."""
        kind = self._types.setdefault(event_type, len(self._types).to_bytes(2, "big"))
        if self.identities.setdefault(short(event_id) + kind, content) != content:
            self.changed.append((event_id, event_type))

    def know(self, event_id: str, booking_offset: int | None) -> None:
        """Something with this id stands on a topic that causes things."""
        name = short(event_id)
        self.causes.add(name)
        self.orphans.pop(name, None)
        if booking_offset is not None:
            self.booking_causes.setdefault(name, booking_offset)

    def needs(self, orphan: Orphan) -> None:
        """An event has to have its cause on the log."""
        self.derived += 1
        if orphan.cause is None:
            self.uncaused.append(orphan)
        elif (name := short(orphan.cause)) not in self.causes:
            self.orphans.setdefault(name, orphan)
