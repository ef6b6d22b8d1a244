"""What every message of the platform shares: a frozen struct of its data and the envelope it travels in.

Our own code makes them and the type checker reads it: nothing is checked when one is made, all of it when one is read
(`streams.codec`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, dataclass_transform

import msgspec
from msgspec import Meta

#: An opaque identifier: 1 to 100 characters, no control characters (they would break keys and logs).
Id = Annotated[str, Meta(min_length=1, max_length=100, extra_json_schema={"pattern": r"^[^\x00-\x1f\x7f]+$"})]
#: ISO 4217, e.g. "EUR".
Currency = Annotated[str, Meta(max_length=3, pattern=r"^[A-Z]{3}$")]
#: A point in time, in UTC.
Instant = Annotated[datetime, Meta(tz=True)]
#: A sum of money in units of its currency: exact inside, and on the wire a JSON number of the same digits.
Amount = Decimal
NonNegativeAmount = Annotated[Amount, Meta(extra_json_schema={"minimum": 0})]
PositiveAmount = Annotated[Amount, Meta(extra_json_schema={"exclusiveMinimum": 0})]
#: Whole numbers as every JSON library reads them: any, from 0, from 1.
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
NonNegative = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=1, le=2**63 - 1)]
#: Personal data or a secret, encrypted under its user's key (`streams.keyring`).
Sealed = Annotated[str, Meta(extra={"sealed": True})]


#: How everything we say is written: sums as JSON numbers with all their digits, times with a Z.
ENCODER = msgspec.json.Encoder(decimal_format="number")


class _EventMeta(msgspec.StructMeta):
    """Makes a class of messages: frozen, all fields by keyword, known by its type."""

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        type: str = "",
        version: str = "1.0",
        frozen: bool = True,
        kw_only: bool = True,
    ) -> Any:
        # What was read from JSON holds no cycle: the garbage collector need not look at it.
        made: Any = super().__new__(mcls, name, bases, namespace, frozen=frozen, kw_only=kw_only, gc=False)
        made.event_type = type
        made.event_version = version
        if type:
            if type in EVENT_TYPES:
                raise TypeError(f"two models for {type}: {EVENT_TYPES[type].__name__} and {name}")
            EVENT_TYPES[type] = made
        return made


#: Every kind of message there is, by its canonical type. Filled by the modules of this package.
EVENT_TYPES: dict[str, type[Event]] = {}


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Event(msgspec.Struct, metaclass=_EventMeta, frozen=True, kw_only=True):
    """The data of one kind of message. `class BookingConfirmed(Event, type="booking.booking.confirmed")`."""

    event_type: ClassVar[str] = ""
    event_version: ClassVar[str] = "1.0"
    #: Fields that are ours beside the catalogue's document: they travel in a header (`streams.wire.rest`).
    beyond: ClassVar[frozenset[str]] = frozenset()
    #: Fields that the catalogue's document shows in the envelope's metadata instead of the data.
    in_metadata: ClassVar[frozenset[str]] = frozenset()

    @property
    def ends_its_key(self) -> bool:
        """Whether a compacted topic is to forget the event's key instead of keeping the event."""
        return False


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message as it travels: its data, its identity, and what caused it (CAT-22)."""

    event_id: str
    event_type: str
    event_version: str
    timestamp: datetime
    correlation_id: str
    data: Event
    source: str
    causation_id: str | None = None
    #: What else the document's `metadata` carries (user_agent, ip_address, cancelled_by...).
    metadata: Mapping[str, Any] = {}
    #: Personal data that came in clear from another program; sealed before it goes anywhere inside.
    personal: Mapping[str, Any] = {}
