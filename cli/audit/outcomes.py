"""P1: every booking comes out, once, and in time.

Read as: every booking whose request stands in the booking inbox (its first one counts), and every booking an outside
journal says was acknowledged, has exactly one of confirmed, rejected, expired, or cancelled while it was pending. A
cancellation after the confirmation is a second act, not a second outcome; one that was decided before it is a
contradiction. The outcome stands on its topic no later than 60 s after the deadline, or after the booking's
partition was last taken over when that was later: a service that does not run keeps no deadline. Of records with the
same event id the first one counts. What is pending within its deadline is open. What comes after a confirmation
(check-in, completion, no-show) is no outcome.

A booking that another program announced has its created event already: it is not announced a second time. And no two
bookings have one confirmation number: by it a guest asks for theirs.
"""

from __future__ import annotations

from bisect import bisect_right

from cli.audit import names
from cli.audit.facts import Booking, Request
from cli.audit.findings import Verdict
from cli.audit.history import GRACE, History


def check(history: History) -> Verdict:
    verdict = Verdict("P1", "every acknowledged booking has exactly one outcome, in time")
    horizon, claims = history.forgotten(names.BOOKING_NEWS), sorted(history.claims)
    # What a producer that may lose things has lost is excepted as what it is: a loss (P7).
    for booking_id in set() if history.weak else history.acknowledged - history.bookings.keys():
        verdict.checked += 1
        verdict.find(booking_id, "was acknowledged and has no outcome: its request is not on the log")
    for booking_id, booking in history.bookings.items():
        if booking.request is None:
            continue
        if booking.request.at < horizon:
            verdict.aged += 1
            continue
        _judge(verdict, booking_id, booking, history, claims)
    _judge_numbers(verdict, history)
    return verdict


def _judge_numbers(verdict: Verdict, history: History) -> None:
    owners: dict[str, str] = {}
    for booking_id, booking in history.bookings.items():
        if booking.request is None or not booking.request.number:
            continue
        owner = owners.setdefault(booking.request.number, booking_id)
        if owner != booking_id:
            verdict.find(booking_id, f"has the confirmation number {booking.request.number} of {owner}")


def _judge(verdict: Verdict, booking_id: str, booking: Booking, history: History, claims: list[int]) -> None:
    assert booking.request is not None
    confirmed, cancelled = booking.of(names.CONFIRMED), booking.of(names.CANCELLED)
    outcomes = [*confirmed, *booking.of(names.REJECTED), *booking.of(names.EXPIRED), *([] if confirmed else cancelled)]
    if not outcomes and not _late(booking.request, history.now, claims):
        verdict.open += 1
        return
    verdict.checked += 1
    if len(outcomes) > 1:
        kinds = ", ".join(sorted(f"{ending.event_type} {ending.event_id}" for ending in outcomes))
        verdict.find(booking_id, f"has {len(outcomes)} outcomes: {kinds}")
    elif not outcomes:
        verdict.find(booking_id, "has no outcome although its deadline is over")
    elif _late(booking.request, outcomes[0].at, claims):
        seconds = (outcomes[0].at - booking.request.deadline) / 1000
        verdict.find(booking_id, f"{outcomes[0].event_type} came {seconds:.1f} s after its deadline")
    if booking.request.announced and booking.created:
        verdict.find(booking_id, "another program announced it, and it was announced again")
    if confirmed and len(cancelled) > 1:
        verdict.find(booking_id, "was cancelled twice")
    elif confirmed and cancelled and _place(history, cancelled[0].cause) < _place(history, confirmed[0].cause):
        verdict.find(booking_id, "was confirmed after it had been cancelled")


def _late(request: Request, at: int, claims: list[int]) -> bool:
    """Whether `at` is later than the deadline and its grace, and than those of the last take-over before it."""
    taken_over = bisect_right(claims, at)
    since = max(request.deadline, claims[taken_over - 1] if taken_over else 0)
    return at > since + GRACE


def _place(history: History, cause: bytes) -> int:
    return history.booking_causes.get(cause, -1)
