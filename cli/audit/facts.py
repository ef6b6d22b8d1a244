"""What the auditor remembers of a booking, payment or hold: a few fields, for a log may hold a million records."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from cli.audit.call_facts import Answer, Call, Parked
from cli.audit.terms import Ask, Terms

NOTHING = Decimal(0)


class Place(NamedTuple):
    """Where a record stands on a topic."""

    topic: str
    partition: int
    offset: int


class Ending(NamedTuple):
    """One of a booking's outcomes as the world read it; `cause` is the short id of the record that decided it."""

    event_type: str
    event_id: str
    at: int
    cause: bytes


@dataclass(slots=True)
class Request:
    """The first RequestBooking of a booking. Times in milliseconds."""

    partition: int
    offset: int
    at: int
    deadline: int
    price: Decimal
    #: What it waits for beside inventory: "payment.authorized", "payment.captured" (the money first) or "inventory".
    confirm_on: str = "payment.authorized"
    #: What of the price is to be paid at booking, where that is not all of it; and whether there is anything to pay
    #: the rest by at check-in.
    deposit: Decimal | None = None
    chargeable: bool = True
    #: Whether it is paid through us at all.
    prepaid: bool = True
    #: Another program told the world of it.
    announced: bool = False
    #: What it may be cancelled for.
    terms: Terms | None = None
    #: The confirmation number; empty where none was asked for with it.
    number: str = ""

    @property
    def pays_first(self) -> bool:
        """Whether its money is taken before inventory is asked."""
        return self.prepaid and self.price > 0 and self.confirm_on == "payment.captured"


class Change(NamedTuple):
    """The price of a booking since a change; `cause` is the short id of the record that decided it."""

    price: Decimal
    cause: bytes


@dataclass(slots=True)
class Booking:
    request: Request | None = None
    #: The last offset of the booking's inbox partition that concerns it.
    last: int = -1
    created: bool = False
    #: Short ids of what asked for it, and of what the world was told its guest's check-in follows from.
    asked_by: set[bytes] = field(default_factory=set)
    arrivals: set[bytes] = field(default_factory=set)
    #: The status that news after the confirmation tells: "CHECKED_IN", "COMPLETED", "NO_SHOW".
    moved_on: set[str] = field(default_factory=set)
    endings: dict[str, Ending] = field(default_factory=dict)
    #: (revision, line) -> "reserved" and/or "rejected".
    lines: dict[tuple[int, int], set[str]] = field(default_factory=dict)
    #: By short id: what asked to change it and from when it would be; and what asked to cancel it, or said that nobody
    #: came, or that its guest left.
    changes: dict[bytes, str | None] = field(default_factory=dict)
    asks: dict[bytes, list[Ask]] = field(default_factory=dict)
    #: The changes the world was told of, by the revision each made.
    updates: dict[int, Change] = field(default_factory=dict)
    #: Refund id -> where the booking was first told of it, and how much.
    given: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    #: What the cancelled event, or that of a guest who never came, says goes back; and why it was cancelled.
    refund_amount: Decimal = NOTHING
    reason: str = ""
    payments: set[str] = field(default_factory=set)

    @property
    def price(self) -> Decimal:
        """What it costs as it stands."""
        assert self.request is not None
        return self.updates[max(self.updates)].price if self.updates else self.request.price

    def of(self, event_type: str) -> list[Ending]:
        return [ending for ending in self.endings.values() if ending.event_type == event_type]


class Order(NamedTuple):
    """A refund as it was ordered."""

    amount: Decimal
    ordered_by: str


@dataclass(slots=True)
class Payment:
    booking_id: str = ""
    partition: int = -1
    #: The last offset of its inbox partition that concerns it.
    last: int = -1
    authorize: int | None = None
    #: Short id of what it was asked for because of.
    authorize_cause: bytes = b""
    #: Of the booking: what it pays for.
    revision: int = 1
    created: bool = False
    void: bool = False
    #: What the booking was told: "authorized", "declined", "captured", "capture_failed", or a refund's id.
    told: set[str] = field(default_factory=set)
    #: Short ids of what told the booking that it is authorized, and that it is captured.
    authorized_by: set[bytes] = field(default_factory=set)
    captured_by: set[bytes] = field(default_factory=set)
    #: Short ids of what caused the Capture messages.
    capture_causes: set[bytes] = field(default_factory=set)
    refunds: dict[str, Order] = field(default_factory=dict)
    #: By the short id of the call: where it was ordered last, was parked last, and was answered first.
    calls: dict[bytes, Call] = field(default_factory=dict)
    parked: dict[bytes, Parked] = field(default_factory=dict)
    answers: dict[bytes, Answer] = field(default_factory=dict)


class ReceiptRow(NamedTuple):
    """A receipt as its row has it, or as it was told: its number, the sum and its currency, and whether it was told."""

    number: str
    sum: tuple[Decimal, str]
    told: bool = True


@dataclass(slots=True)
class Receipt:
    """What stands on the log of one payment's receipt: what the world heard was paid and when (in ms), where the
    receipt was asked for, and those that were told by their event ids."""

    paid: tuple[Decimal, str] | None = None
    at: int = 0
    asked: Place | None = None
    told: dict[str, ReceiptRow] = field(default_factory=dict)


class Poison(NamedTuple):
    """A record that belongs on a dead-letter topic, since when (in ms) it stands there, and why."""

    place: Place
    at: int
    why: str


class Errand(NamedTuple):
    """An order to do something outside, on an effects topic."""

    what: str
    place: Place


class Asked(NamedTuple):
    """A request of another program on a documented topic."""

    what: str
    place: Place
    at: int


class Entry(NamedTuple):
    """One line of the provider's ledger. `at` in milliseconds."""

    n: int
    at: int
    kind: str
    payment: str
    reference: str
    amount: Decimal
    refund_reference: str | None
    idempotency_key: str | None


class Row(NamedTuple):
    """The newest state of a row: the inbox offset it was decided at, and what the auditor compares of it."""

    source: int
    content: object


class Told(NamedTuple):
    """News that somebody is to be told of, and on which channels; `at` in milliseconds."""

    event_type: str
    event_id: str
    place: Place
    at: int
    channels: frozenset[str]


@dataclass
class Tables:
    """What the database has, by the id of each: status, sums, units held and confirmed of a night."""

    bookings: dict[str, str] = field(default_factory=dict)
    payments: dict[str, tuple[Decimal, Decimal, str]] = field(default_factory=dict)
    nights: dict[str, int] = field(default_factory=dict)
    #: (service, partition) -> the inbox offset up to which they are known to have everything.
    decided: dict[tuple[str, int], int] = field(default_factory=dict)


class Heard(NamedTuple):
    """A piece of news of ours, where it stands, and when it was written, in ms."""

    event_id: str
    event_type: str
    place: Place
    at: int
