"""What every system decides: one booking on the row of a resource's slot. The Python peers call it, others repeat it.

A row is `{"held": units taken, "bookings": {booking id: what was left after it}}`; a booking that comes again gets the
answer it got, so a row remembers those it accepted, and no more than its capacity.
"""

from __future__ import annotations

from typing import Any

#: Units of every resource in every slot.
CAPACITY = 8

Row = dict[str, Any]


def decide(row: Row | None, booking_id: str, quantity: int) -> tuple[Row | None, str, int]:
    """The row as it has to be stored (None where it stays as it is), the outcome, and what is left."""
    held, bookings = (row["held"], row["bookings"]) if row else (0, {})
    if booking_id in bookings:
        return None, "accepted", bookings[booking_id]
    left = CAPACITY - held - quantity
    if left < 0:
        return None, "refused", CAPACITY - held
    return {"held": held + quantity, "bookings": {**bookings, booking_id: left}}, "accepted", left
