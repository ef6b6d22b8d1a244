"""Booking, availability and payment on a log that forgets nothing, in memory, and the world outside."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from agents.payment import id_of, parked
from domain.payment_parking import knows_better
from domain.payment_state import Payment
from streams.effects import Unreachable
from streams.events import Envelope, Event
from streams.events.availability import Release
from streams.events.booking import CancellationCounted, CaptureFailed, PaymentCaptured
from streams.events.booking_news import BookingCancellationCompleted, BookingCancelled
from streams.events.payment import AuthorizationExpired, ProviderAnswered, ProviderCall
from tests.domain.messages import NOW
from tests.domain.provider import Card, Provider
from tests.lives.process import TABLES, Process, Record

_INBOX_OF = {kind: service for service in TABLES for kind in service.accepts}


@dataclass(frozen=True)
class Moment:
    """What had happened by a moment: the holds whose release was decided, and the refunds the provider had given.

    `untaken` are the payments that by then the booking had heard were not taken: a misheard capture was, after all,
    and what goes back of it is ordered only once that is known.
    """

    freed: frozenset[tuple[str, int, int]]
    given: frozenset[str | None]
    untaken: frozenset[str]


@dataclass
class Lives:
    """The log, the processes on it, and the world outside: guests' cards and the provider with its own books."""

    cards: dict[str, Card] = field(default_factory=dict)
    now: datetime = NOW
    processes: dict[str, Process] = field(
        default_factory=lambda: {service.name: Process(service) for service in TABLES}
    )
    provider: Provider = field(default_factory=Provider)
    #: The calls to make, in their order; those before `called` are answered on the log.
    calls: list[Envelope] = field(default_factory=list)
    called: int = 0
    #: Calls under way from `called` on: the answers that the provider has sent and nobody has taken yet,
    #: or that it gave none.
    answers: dict[int, list[Event]] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)
    #: Every message that was ever said, by its id, with all the contents it was said with.
    said: defaultdict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    #: What the world heard, each message once, in the order in which it was said first.
    heard: list[Envelope] = field(default_factory=list)
    #: The service and the offset of the record that made each of it, by its id.
    made_by: dict[str, tuple[str, int]] = field(default_factory=dict)
    #: Cancellations that analytics has not counted yet.
    uncounted: list[str] = field(default_factory=list)
    #: What was true when a cancellation was first said to be complete, by its booking.
    completed: dict[str, Moment] = field(default_factory=dict)
    _made: int = 0

    def ask(self, event: Event, source: str = "guest") -> Envelope:
        """Appends what comes from outside the log, under an id of its own."""
        self._made += 1
        name = f"{source}-{self._made}"
        asked = Envelope(
            event_id=name,
            event_type=event.event_type,
            event_version=event.event_version,
            timestamp=self.now,
            correlation_id=name,
            data=event,
            source=source,
        )
        self.say(asked)
        return asked

    def say(self, message: Envelope) -> None:
        """Appends a message to where it belongs, once more if it was said before."""
        first = message.event_id not in self.said
        self.said[message.event_id].add(msgspec.json.encode((message.timestamp, message.data)))
        service = _INBOX_OF.get(type(message.data))
        if service is not None:
            inbox = self.processes[service.name].inbox
            inbox.append(Record(len(inbox), self.now, message))
        elif isinstance(message.data, ProviderCall):
            self.calls.append(message)
        elif first:
            self._hear(message)

    def _hear(self, message: Envelope) -> None:
        self.heard.append(message)
        if isinstance(message.data, BookingCancelled):
            self.uncounted.append(message.data.booking_id)
        elif isinstance(message.data, BookingCancellationCompleted):
            freed = {
                (record.message.data.booking_id, record.message.data.revision, record.message.data.line)
                for record in self.processes["availability"].inbox[: self.processes["availability"].reached]
                if isinstance(record.message.data, Release)
            }
            given = frozenset(answer.refund_id for answer in self.provider.said.values() if answer.approved)
            moment = Moment(frozenset(freed), given, self._untaken())
            self.completed.setdefault(message.data.booking_id, moment)

    def _untaken(self) -> frozenset[str]:
        """The payments whose latest word to bookings so far is that their capture failed."""
        latest = {
            record.message.data.payment_id: type(record.message.data)
            for record in self.processes["booking"].inbox[: self.processes["booking"].reached]
            if isinstance(record.message.data, CaptureFailed | PaymentCaptured)
        }
        return frozenset(payment_id for payment_id, word in latest.items() if word is CaptureFailed)

    def count(self) -> None:
        """What analytics does about cancellations."""
        for booking_id in self.uncounted:
            self.ask(CancellationCounted(booking_id=booking_id), source="analytics")
        self.uncounted.clear()

    def step(self, name: str, reaching: int | None = None) -> None:
        """Decides one record of a service. Of what it says only so many messages reach the log before a kill."""
        process = self.processes[name]
        if not process.behind:
            return
        place = name, process.next
        said = process.decide()
        for message in said[:reaching]:
            self.made_by.setdefault(message.event_id, place)
            self.say(message)
        if reaching is not None:
            process.kill()

    def call(self, number: int, *, misheard: bool = False) -> None:
        """Calls the provider; the answer is under way. If it is misheard, a refusal comes first and the truth later."""
        if not self.waits(number):
            return
        effect, answer = self.calls[number], self._asked(number)
        assert isinstance(effect.data, ProviderCall)
        lost = msgspec.structs.replace(answer, approved=False, provider_reference=None, error_code="lost")
        wrong = misheard and effect.data.operation != "refund"
        self.answers[number] = [lost, answer] if wrong else [answer]

    def park(self, number: int, *, done: bool, retry_after: float | None) -> None:
        """The provider gives no answer, whether it has done the work or not."""
        if self.waits(number):
            if done:
                self._asked(number)
            self.answers[number] = [parked(self.calls[number], Unreachable("away", retry_after)).data]

    def leave_out(self, number: int) -> None:
        """A call is not made where the payment's durable row knows that this attempt of it is over."""
        effect = self.calls[number]
        assert isinstance(effect.data, ProviderCall)
        raw = self.processes["payment"].durable.rows.get(f"p|{effect.data.payment_id}")
        row = msgspec.json.decode(raw, type=Payment) if raw is not None else None
        if self.waits(number) and row is not None and knows_better(row, id_of(effect), effect.data.attempt):
            self.answers.pop(number, None)
            self.answered.add(number)

    def waits(self, number: int) -> bool:
        return self.called <= number < len(self.calls) and number not in self.answered

    def _asked(self, number: int) -> ProviderAnswered:
        effect = self.calls[number]
        assert isinstance(effect.data, ProviderCall)
        return self.provider.ask(id_of(effect), effect.data, self.cards[effect.data.payment_id])

    def take_answer(self, number: int, *, again: bool = False) -> None:
        """An answer reaches the log. Once all of a call have, it is not made again by a later process."""
        if number in self.answers:
            first, *rest = self.answers[number]
            self.ask(first, source="effects")
            left = self.answers[number] if again else rest
            if left:
                self.answers[number] = left
            else:
                del self.answers[number]
                self.answered.add(number)
        while self.called in self.answered:
            self.called += 1

    def kill_effects(self) -> None:
        """What was under way is forgotten; calls from the first one without an answer on are made again."""
        self.answers.clear()
        self.answered.clear()

    def webhook(self, place: int) -> None:
        """The provider tells once more, or first, of something that it did."""
        told = list(self.provider.said.values())
        if told:
            self.ask(told[place % len(told)], source="webhook")

    def expire(self, place: int) -> None:
        """The provider lets go of an authorization by itself: long after its answer was taken."""
        rows = self.processes["payment"].durable.rows
        known = {msgspec.json.decode(row).get("provider_payment_id") for name, row in rows.items() if name[:2] == "p|"}
        accounts = self.provider.accounts.items()
        held = [name for name, account in accounts if account.state == "authorized" and name in known]
        if held:
            name = held[place % len(held)]
            account = self.provider.accounts[name]
            account.state = "voided"
            self.ask(AuthorizationExpired(payment_id=account.payment_id, provider_reference=name), source="webhook")

    def passes(self, time: timedelta) -> None:
        self.now += time

    def rest(self) -> None:
        """Everybody works until there is nothing left to do."""
        busy = True
        while busy:
            busy = False
            self.count()
            for name, process in self.processes.items():
                while process.behind:
                    self.step(name)
                    busy = True
                process.settle()
            busy = busy or bool(self.uncounted)
            for number in range(self.called, len(self.calls)):
                busy = True
                self.call(number)
                while number in self.answers:
                    self.take_answer(number)
