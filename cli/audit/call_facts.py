"""What the auditor remembers of a call to the payment provider: its orders, and what became of them."""

from __future__ import annotations

from typing import NamedTuple


class Call(NamedTuple):
    """One order to the provider, on the effects topic; `attempt`: how often it had been parked before."""

    operation: str
    partition: int
    offset: int
    attempt: int = 0


class Parked(NamedTuple):
    """An attempt that got no answer, where that stands on the payment inbox, and when, in ms."""

    operation: str
    offset: int
    attempt: int
    at: int


class Answer(NamedTuple):
    """What the provider answered, and where that stands on the payment inbox."""

    operation: str
    offset: int
    approved: bool
    refund_id: str
