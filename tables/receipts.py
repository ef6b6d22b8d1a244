"""The receipt service's table: `q|{payment_id}` one receipt; `c|` how many numbers the partition has given.

`i|{receipt_id}` says which payment a receipt is of: who knows the receipt only has to ask every partition. Receipts of
the rules 1 have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from domain.receipts import Counter, Receipt, decide
from streams.events import Envelope, Event
from streams.keys import KEYS, partition_of
from streams.rows import RowStore
from streams.working import WorkingRows

_COUNTER = "c|"
#: What the keys of the index begin with.
INDEX = "i|"


class Place(msgspec.Struct, frozen=True):
    """Of a receipt: the payment whose row it is."""

    payment_id: str


class Receipts:
    """Decides receipts on their rows. `partitions` is how many the inbox has: the numbers of each interleave."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        payment_id = KEYS["payment_id"](message.data)
        before, counter = rows.get(row_key(payment_id), Receipt), rows.get(_COUNTER, Counter) or Counter()
        partition = partition_of(payment_id, self._partitions)
        number = counter.number(partition, self._partitions, now.astimezone(UTC).year)
        decision = decide(before, message.data, number, now)
        after = decision.state
        if after is not None and after is not before:
            rows.put(row_key(payment_id), after)
            if before is None:
                rows.put(_COUNTER, Counter(counter.given + 1))
                if after.generated_at is not None:
                    rows.put(index_key(after.receipt_id), Place(payment_id))
        return decision.events

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """A receipt's row is as small as its request: there is no smaller way to decide one."""
        return None


def row_key(payment_id: str) -> str:
    """The key of the receipt of a payment, for readers that wait for its change."""
    return f"q|{payment_id}"


def index_key(receipt_id: str) -> str:
    """The key under which a receipt's payment is found."""
    return f"{INDEX}{receipt_id}"


def read(store: RowStore, payment_id: str) -> Receipt | None:
    """The receipt as it is durable in this worker.

    Raises:
        NotOwner: another worker has it.
    """
    raw = store.get(partition_of(payment_id, store.partitions), row_key(payment_id))
    return msgspec.json.decode(raw, type=Receipt) if raw is not None else None
