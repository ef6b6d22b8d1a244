"""A call that the provider gave no answer to waits in its payment's row until it is made again (design 5.8).

So an outage holds up no other payment and outlives a restart, and what was ordered during it stays in order: the first
parked call is made again when it is due, and whatever the payment wants of the provider meanwhile waits behind it. No
call is given up, for only its answer says what became of the money.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from domain.decision import Decision
from domain.payment_state import ParkedCall, Payment
from streams.events import Event
from streams.events.payment import CallDue, CallParked, ProviderAnswered, ProviderCall

#: The pauses after which a call is made again; then always the last one. It is short, for while it lasts nobody knows
#: what became of the money.
PAUSES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2))
#: What a provider may ask us to wait at most: it is input.
LONGEST_PAUSE = PAUSES[-1]


def follow(decided: Decision[Payment | None], message: Event, now: datetime) -> Decision[Payment | None]:
    """The decision on `message`, with what it means for calls that are parked. Total: of an attempt that is over, and
    of a time that is not theirs, nothing is learnt.
    """
    payment = decided.state
    match message:
        case CallParked() if payment is not None:
            return Decision(_park(payment, message, now))
        case CallDue() if payment is not None and payment.call_due == message.due <= now:
            return _made_again(payment)
        case _ if payment is not None and payment.parked:
            return _wait(payment, decided.events, message)
        case _:
            return decided


def knows_better(payment: Payment, call_id: str, attempt: int) -> bool:
    """Whether an attempt of a call is over: it was answered, or parked since."""
    later = (each.call.attempt > attempt for each in payment.parked if each.call.call_id == call_id)
    return call_id in payment.answered or any(later)


def _park(payment: Payment, told: CallParked, now: datetime) -> Payment:
    before = next((each for each in payment.parked if each.call.call_id == told.call_id), None)
    if told.call_id in payment.answered or told.attempt != (before.call.attempt if before else 0):
        return payment
    call = msgspec.structs.replace(told.call, call_id=told.call_id, attempt=told.attempt + 1)
    parked = ParkedCall(call, now + _pause(told))
    others = tuple(parked if each is before else each for each in payment.parked)
    return msgspec.structs.replace(payment, parked=others if before else (*others, parked))


def _pause(told: CallParked) -> timedelta:
    asked = timedelta(seconds=min(max(told.retry_after or 0.0, 0.0), LONGEST_PAUSE.total_seconds()))
    return max(PAUSES[min(told.attempt, len(PAUSES) - 1)], asked)


def _made_again(payment: Payment) -> Decision[Payment | None]:
    """The first parked call, made again; the others are due once it is answered."""
    first, *others = payment.parked
    under_way = msgspec.structs.replace(payment, parked=(ParkedCall(first.call), *others))
    return Decision(under_way, (first.call,))


def _wait(payment: Payment, events: tuple[Event, ...], message: Event) -> Decision[Payment | None]:
    """What is to be called now waits; what waited is called once everything before it is answered."""
    said = tuple(event for event in events if not isinstance(event, ProviderCall))
    calls = tuple(event for event in events if isinstance(event, ProviderCall))
    answered = message.effect_id if isinstance(message, ProviderAnswered) else None
    parked = tuple(each for each in payment.parked if each.call.call_id != answered)
    after = msgspec.structs.replace(payment, parked=parked, behind=(*payment.behind, *calls))
    if not parked:
        return Decision(msgspec.structs.replace(after, behind=()), (*said, *after.behind))
    if parked[0] == payment.parked[0]:
        return Decision(after if after != payment else payment, said)
    again = _made_again(after)  # the provider answers again
    return Decision(again.state, (*said, *again.events))
