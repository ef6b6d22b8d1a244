"""What every message of the platform shares: a frozen model of its data and the envelope it travels in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer, StringConstraints

#: An opaque identifier: 1 to 100 characters, no control characters (they would break keys and logs).
Id = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
#: ISO 4217, e.g. "EUR".
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
#: A point in time, in UTC.
Instant = Annotated[AwareDatetime, AfterValidator(lambda value: value.astimezone(UTC))]
#: A sum of money in units of its currency: exact inside, a JSON number on the wire as the documents show it.
Amount = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
#: Personal data or a secret, encrypted under its user's key (`streams.keyring`).
Sealed = str


class Event(BaseModel):
    """The data of one kind of message. `class BookingConfirmed(Event, type="booking.booking.confirmed")`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_type: ClassVar[str] = ""
    #: Fields that are ours beside the catalogue's document: they travel in a header (`streams.wire.rest`).
    beyond: ClassVar[frozenset[str]] = frozenset()
    event_version: ClassVar[str] = "1.0"

    def __init_subclass__(cls, *, type: str = "", version: str = "1.0", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.event_type = type
        cls.event_version = version
        if type:
            if type in EVENT_TYPES:
                raise TypeError(f"two models for {type}: {EVENT_TYPES[type].__name__} and {cls.__name__}")
            EVENT_TYPES[type] = cls


#: Every kind of message there is, by its canonical type. Filled by the modules of this package.
EVENT_TYPES: dict[str, type[Event]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
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
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: Personal data that came in clear from another program; sealed before it goes anywhere inside.
    personal: Mapping[str, Any] = field(default_factory=dict)
