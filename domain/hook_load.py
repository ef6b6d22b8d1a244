"""How much there is of an endpoint's deliveries, and what that allows: nothing of it grows without a bound."""

from __future__ import annotations

from enum import StrEnum

import msgspec

#: Attempts to one endpoint that may be under way.
MOST_UNDER_WAY = 64
#: Deliveries of one endpoint that may be PENDING while its attempts fail; with one more it is paused.
MOST_WAITING = 10_000
#: The same of one that takes what comes to it: then it is we who are late, and a backlog of ours is no reason.
MOST_WAITING_TAKEN = 100_000
#: Deliveries of one endpoint that may be HELD; what comes while there are more is counted as missed.
MOST_HELD = 20_000
#: Ended deliveries of one endpoint that are kept, the last ones.
MOST_KEPT = 10_000
#: What is asked for anew waits while so many are PENDING: it must not make the endpoint pause.
_ANEW = 400


class DeliveryStatus(StrEnum):
    #: An attempt is under way or planned.
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    #: Given up.
    FAILED = "FAILED"
    #: Its endpoint was paused or disabled.
    HELD = "HELD"

    @property
    def ended(self) -> bool:
        """Whether nothing more is to become of it: such ones may be forgotten."""
        return self in (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED)


class Load(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many deliveries of an endpoint there are. Ended ones are numbered in the order they ended: `[first, next)`
    are the numbers in use, less those that were begun anew.
    """

    pending: int = 0
    #: Of the pending ones those whose attempt is under way.
    awaited: int = 0
    held: int = 0
    ended: int = 0
    first: int = 1
    next: int = 1

    @property
    def total(self) -> int:
        return self.pending + self.held + self.ended

    @property
    def room(self) -> int:
        """How many attempts more may be under way."""
        return max(0, MOST_UNDER_WAY - self.awaited)

    @property
    def room_at_once(self) -> int:
        """How many of them may be new deliveries: the rest is left to what was planned before."""
        return max(0, MOST_UNDER_WAY // 2 - self.awaited)

    @property
    def room_anew(self) -> int:
        """How many deliveries may be begun anew now."""
        return max(0, _ANEW - self.pending)

    def changed(self, status: DeliveryStatus, *, awaited: bool, by: int) -> Load:
        """With one more or one less that stands so; `by` is 1 or -1."""
        return msgspec.structs.replace(
            self,
            pending=self.pending + by * (status is DeliveryStatus.PENDING),
            awaited=self.awaited + by * awaited,
            held=self.held + by * (status is DeliveryStatus.HELD),
            ended=self.ended + by * status.ended,
        )
