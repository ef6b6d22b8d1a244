"""The calls to the payment provider: which were ordered, which were parked, and that each has its answer.

A call is known by the id it was first ordered under, however often it is ordered again. One that is parked is open, for
its payment asks for it again, one after the other: what nobody asked for when it was due is a finding.
"""

from __future__ import annotations

from cli.audit import names
from cli.audit.call_facts import Answer, Call, Parked
from cli.audit.facts import Payment, Place
from cli.audit.findings import Verdict
from cli.audit.history import GRACE, History
from cli.audit.wire import Letter, Record, short

#: The longest a parked call waits until it is made again, in milliseconds.
LONGEST_PAUSE = 120_000


def called(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    calls, name = history.payments[data["payment_id"]].calls, short(data.get("call_id") or letter.event_id)
    call = Call(data["operation"], record.partition, record.offset, int(data.get("attempt", 0)))
    if name not in calls or calls[name].attempt < call.attempt:
        calls[name] = call


def parked(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    payment, name, attempt = history.payments[data["payment_id"]], short(data["call_id"]), int(data.get("attempt", 0))
    payment.partition, payment.last = record.partition, record.offset
    if name not in payment.parked or payment.parked[name].attempt < attempt:
        payment.parked[name] = Parked(data["call"]["operation"], record.offset, attempt, record.timestamp)


def answered(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    payment = history.payments[data["payment_id"]]
    payment.partition, payment.last = record.partition, record.offset
    answer = Answer(data["operation"], record.offset, bool(data["approved"]), data.get("refund_id") or "")
    payment.answers.setdefault(short(data["effect_id"]), answer)


def check(history: History, verdict: Verdict, payment_id: str, payment: Payment) -> None:
    """That whatever was ordered is answered, or parked and waits for its time."""
    verdict.checked += len(payment.calls.keys() & payment.answers.keys())
    waiting, under_way = list[Parked](), 0
    for name in sorted((payment.calls.keys() | payment.parked.keys()) - payment.answers.keys()):
        call, last = payment.calls.get(name), payment.parked.get(name)
        if last is not None and (call is None or last.attempt >= call.attempt):
            waiting.append(last)
            under_way += not history.passed("payment", payment.partition, last.offset)
        elif call is not None and history.handled(Place(names.PAYMENT_EFFECTS, call.partition, call.offset)):
            verdict.checked += 1
            verdict.find(payment_id, f"the call to {call.operation} was passed, but its answer is not on the log")
        else:
            verdict.open += 1
            under_way += 1
    if waiting:
        _check_waiting(history, verdict, payment_id, waiting, under_way)


def _check_waiting(history: History, verdict: Verdict, payment_id: str, waiting: list[Parked], under_way: int) -> None:
    """Of the calls of a payment that are parked one is due, unless another one is under way."""
    # Whoever takes over looks through what came due meanwhile.
    last = max(waiting, key=lambda parked: parked.at)
    if under_way or history.now <= max(last.at + LONGEST_PAUSE, *history.claims, 0) + GRACE:
        verdict.open += len(waiting)
        return
    verdict.checked += 1
    verdict.find(payment_id, f"the call to {last.operation} was parked, and not made again when it was due")
