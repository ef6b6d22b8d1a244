"""P2: no night is sold twice.

Read as: the availability inbox is replayed, partition by partition and record by record, with the answers that stand
in the booking inbox (an answer's cause is the Hold it answers). At the place of every Hold that was answered
"reserved", for each of its nights of which it takes more than its line held before: everything held there and not yet
released, this Hold included, is at most the capacity, less the units of blocks that stand at the Hold's time, plus the
overbooking limit: the one a calendar before this place set for the night, or else that of the last declaration. No
more is taken of a night that a calendar has stopped selling. Of several revisions of one line the greatest quantity
counts. Nothing is reserved on an undeclared resource, after its own release, or both reserved and rejected.

What is held for an offer to somebody on a waitlist counts like a Hold, as revision 0 of the booking it may become: from
the message that caused its `waitlist.entry.offered` to the one that caused its end.

Stock is declared as what is on hand. What was sold (its hold confirmed) counts until the next declaration, which has
counted it; what is held but not sold counts on. What was sold and is released has come back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from cli.audit.calendar import Nights
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.operations import Block, BlockDue, Calendar, Declare, Hold, Operation, Release, Sale, Shorten, Unblock
from cli.audit.slots import STOCK, running, taken
from cli.audit.wire import short

#: One revision of a booking's line on a resource.
Key = tuple[str, str, int, int]


@dataclass
class Night:
    """Who holds a night: hold -> {revision: quantity}, and the sum of the greatest of each.

    Of stock: `sold` is what was sold since it was last counted, less what came back.
    """

    holds: dict[str, dict[int, int]] = field(default_factory=dict)
    held: int = 0
    sold: int = 0

    @property
    def taken(self) -> int:
        return self.held + self.sold

    def change(self, hold: str, revision: int, quantity: int) -> bool:
        """Sets a revision's quantity, 0 ends it; whether more is held than before."""
        live = self.holds.setdefault(hold, {})
        before = max(live.values(), default=0)
        live.pop(revision, None)
        if quantity:
            live[revision] = quantity
        after = max(live.values(), default=0)
        if not live:
            del self.holds[hold]
        self.held += after - before
        return after > before


@dataclass
class Books:
    """A naive model of one partition's inventory, and what went wrong while it was replayed."""

    verdict: Verdict
    resources: dict[str, Declare] = field(default_factory=dict)
    nights: dict[tuple[str, str], Night] = field(default_factory=dict)
    special: defaultdict[str, Nights] = field(default_factory=lambda: defaultdict(Nights))
    live: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    #: Stock that was sold, and how much of it.
    sold: dict[Key, int] = field(default_factory=dict)
    decided: set[Key] = field(default_factory=set)
    released: set[Key] = field(default_factory=set)

    def declare(self, declared: Declare) -> None:
        """Time is not cut anew while something is held that is not over."""
        before = self.resources.get(declared.resource)
        if before is not None and before.slots != declared.slots and self._in_use(before, declared.at):
            declared = declared._replace(slots=before.slots)
        self.resources[declared.resource] = declared
        if declared.slots == "none" and (stock := self.nights.get((declared.resource, STOCK))):
            stock.sold = 0
            self._tidy(declared.resource, STOCK)

    def rule(self, said: Calendar | Block | Unblock | BlockDue) -> None:
        """Nothing but nights of what is declared has rules."""
        declared = self.resources.get(said.resource)
        if declared is None:
            return
        if not isinstance(said, Calendar | Block) or (declared.slots == "nights" and said.nights):
            self.special[said.resource].say(said)

    def take(self, hold: Hold) -> None:
        key = hold.resource, hold.booking_id, hold.line, hold.revision
        if key in self.decided:
            return  # the same Hold again, on the log for a second time
        self.decided.add(key)
        self.verdict.checked += 1
        resource = self.resources.get(hold.resource)
        slots = taken(resource.slots, resource.time_zone, hold.start, hold.end) if resource else ()
        if key in self.released:
            self.verdict.find(
                hold.booking_id, f"line {hold.line} of {hold.resource} was reserved after its own release"
            )
        elif resource is None or not slots:
            self.verdict.find(
                hold.booking_id, f"line {hold.line} was reserved on {hold.resource}, which has no such time"
            )
        else:
            self.live[key] = slots
            self._fill(hold, resource, slots)

    def sell(self, sale: Sale) -> None:
        """Only stock is gone once it is sold: a night stays held."""
        key = sale.resource, sale.booking_id, sale.line, sale.revision
        if self.live.get(key) != (STOCK,):
            return
        del self.live[key]
        stock = self.nights[sale.resource, STOCK]
        self.sold[key] = stock.holds[_name(sale)][sale.revision]
        stock.change(_name(sale), sale.revision, 0)
        stock.sold += self.sold[key]
        self._tidy(sale.resource, STOCK)

    def release(self, released: Release) -> None:
        key = released.resource, released.booking_id, released.line, released.revision
        self.released.add(key)
        for slot in self.live.pop(key, ()):
            self.nights[released.resource, slot].change(_name(released), released.revision, 0)
            self._tidy(released.resource, slot)
        if back := self.sold.pop(key, 0):
            self.nights.setdefault((released.resource, STOCK), Night()).sold -= back
            self._tidy(released.resource, STOCK)

    def shorten(self, shortened: Shorten) -> None:
        key = shortened.resource, shortened.booking_id, shortened.line, shortened.revision
        slots = self.live.get(key, ())
        for slot in slots:
            if slot >= shortened.first:
                self.nights[shortened.resource, slot].change(_name(shortened), shortened.revision, 0)
                self._tidy(shortened.resource, slot)
        if slots:
            self.live[key] = tuple(slot for slot in slots if slot < shortened.first)

    def _tidy(self, resource: str, slot: str) -> None:
        night = self.nights[resource, slot]
        if not night.holds and not night.sold:
            del self.nights[resource, slot]

    def _fill(self, hold: Hold, resource: Declare, slots: Iterable[str]) -> None:
        above, special = [], self.special[hold.resource]
        for slot in slots:
            night = self.nights.setdefault((hold.resource, slot), Night())
            if not night.change(_name(hold), hold.revision, hold.quantity):
                continue
            if special.closed(slot):
                above.append(f"{slot}, which was not for sale")
            elif night.taken > (limit := special.limit(resource, slot, hold.at)):
                above.append(f"{slot} to {night.taken} of {limit} with {', '.join(sorted(night.holds)[:5])}")
        if above:
            others = f" and {len(above) - 1} more" if len(above) > 1 else ""
            self.verdict.find(hold.booking_id, f"took {hold.resource} {above[0]}{others}")

    def _in_use(self, before: Declare, at: int) -> bool:
        current = running(before.slots, before.time_zone, at)
        held = any(resource == before.resource and slot >= current for resource, slot in self.nights)
        return held or any(slot >= current for slot in self.special[before.resource].special())


def check(history: History) -> Verdict:
    verdict = Verdict("P2", "no acceptance takes a night above its capacity and overbooking limit")
    for operations in history.inventory.values():
        replay(history, operations, verdict)
    for booking_id, booking in history.bookings.items():
        for (revision, line), answers in booking.lines.items():
            if len(answers) > 1:
                verdict.find(booking_id, f"line {line} of revision {revision} was both reserved and rejected")
    return verdict


def replay(history: History, operations: Iterable[Operation], verdict: Verdict, until: int | None = None) -> Books:
    """The books after these operations, up to and with the offset `until`."""
    books = Books(verdict)
    for operation in operations:
        if until is not None and operation.offset > until:
            break
        match operation:
            case Declare():
                books.declare(operation)
            case Calendar() | Block() | Unblock() | BlockDue():
                books.rule(operation)
            case Hold():
                if "reserved" in history.hold_answers.get(short(operation.event_id), ()):
                    books.take(operation)
            case Sale():
                books.sell(operation)
            case Release():
                books.release(operation)
            case Shorten():
                books.shorten(operation)
        _follow(history, _cause(operation), books)
    return books


def _follow(history: History, cause: bytes, books: Books) -> None:
    """What the news says of offers because of one operation."""
    for ended in history.offer_ends.get(cause, ()):
        books.release(ended)
    for offered in history.offers.get(cause, ()):
        books.take(offered)


def _cause(operation: Operation) -> bytes:
    """The short id under which the news names what was asked; none where offers are no concern of it."""
    match operation:
        case Hold():
            return short(operation.event_id)
        case Sale():
            return b""
        case _:
            return operation.event_id


def _name(operation: Hold | Sale | Release | Shorten) -> str:
    return f"{operation.booking_id}/{operation.line}"
