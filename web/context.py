"""What a gateway has at hand for every request: its parts and its limits, in one frozen object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import web

from adapters.links import Links
from projections.listings import Listings
from streams.events.availability import ResourceDeclared
from streams.events.rate_plans import PlanNews
from streams.layout import Layout
from streams.letter_desk import Desk
from web.auth import PRINCIPAL, Principal
from web.ports import Appends, Counts, Follows, Seals
from web.problems import CORRELATION_ID
from web.readiness import Readiness
from web.receipt_desk import ReceiptDesk
from web.rows import Rows

#: The `source` of what a gateway appends.
SOURCE = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a request may ask for, and how long it may take."""

    max_quantity: int
    max_nights: int
    deadline: timedelta
    #: Seconds to wait for something that was appended to show.
    patience: float
    #: How long an offer to somebody on a waitlist stands.
    offer_minutes: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    log: Appends
    rates: Follows[ResourceDeclared]
    plans: Follows[PlanNews]
    keyring: Seals
    numbers: Counts
    rows: Rows
    limits: Limits
    layout: Layout
    #: The instance's directory.
    data: Path
    bootstrap: str
    version: str
    #: Now, in UTC.
    clock: Callable[[], datetime]
    readiness: Readiness
    receipts: ReceiptDesk
    #: What the payment provider signs its events with.
    webhook_secret: bytes = b""
    #: What the links in letters say.
    links: Links
    #: The channels whose messages go to the inbox of this instance, not to a server: "mail", "sms".
    kept_here: frozenset[str] = frozenset({"mail", "sms"})
    listings: Listings = field(default_factory=lambda: Listings(None, {}))
    #: Where dead letters are answered.
    letters: Desk | None = None
    #: Why nothing new may be taken, such as a full disk; empty when it may.
    hindrance: Callable[[], str] = lambda: ""
    #: Whether news may be sent to addresses that are not of the public internet.
    private_webhooks: bool = False


CONTEXT = web.AppKey("context", Context)


def context_of(request: web.Request) -> Context:
    return request.app[CONTEXT]


def principal_of(request: web.Request) -> Principal:
    return request[PRINCIPAL]


def correlation_of(request: web.Request) -> str:
    return request[CORRELATION_ID]
