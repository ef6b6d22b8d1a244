"""What becomes of which changelog row, by service and by what its key begins with. Other rows are in no table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from projections.bookings import BOOKING_KINDS, USER_KINDS
from projections.figures import ANALYTICS_KINDS, NOTIFICATION_KINDS
from projections.kinds import Kind
from projections.money import PAYMENT_KINDS, RATE_KINDS, RECEIPT_KINDS
from projections.nights import AVAILABILITY_KINDS

KINDS: Mapping[str, Mapping[str, Kind]] = {
    "booking": BOOKING_KINDS,
    "availability": AVAILABILITY_KINDS,
    "payment": PAYMENT_KINDS,
    "user": USER_KINDS,
    "notification": NOTIFICATION_KINDS,
    "receipt": RECEIPT_KINDS,
    "rate": RATE_KINDS,
    "analytics": ANALYTICS_KINDS,
}


def projected(running: Iterable[str]) -> list[str]:
    """Those of the services whose rows become tables."""
    return [name for name in running if name in KINDS]


def kind_of(service: str, key: str) -> Kind | None:
    """The kind of a changelog row; None of one that is in no table, such as an index."""
    return KINDS[service].get(key.partition("|")[0])
