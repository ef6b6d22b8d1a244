"""The waitlist: who waits for nights that are sold out, and what they are offered when some become free."""

from __future__ import annotations

from streams.events.base import Count, Event, Id, Instant, Sealed

# --- asked of the availability service (its inbox, keyed by resource) ---


class JoinWaitlist(Event, type="availability.waitlist.join"):
    """Wait for a quantity of a resource over `[start, end)`. An entry's id becomes that of its booking."""

    entry_id: Id
    provider_id: Id
    product_id: Id
    #: SHA-256 of the request's body: a retry with the same key must ask for the same thing.
    fingerprint: str
    user_id: Id
    #: The guest's name, e-mail and phone as JSON, encrypted under the user's key.
    guest: Sealed | None = None
    start: Instant
    end: Instant
    quantity: Count
    #: Of the property.
    time_zone: str = "UTC"
    #: How long an offer stands, in minutes.
    offer_minutes: Count = 60
    #: The last call: nobody waits, and no offer stands, from then on.
    until: Instant


class LeaveWaitlist(Event, type="availability.waitlist.leave"):
    entry_id: Id
    provider_id: Id
    product_id: Id


class EntryDue(Event, type="availability.waitlist.due"):
    """A tick: some clock believes that an offer is over, or the last call. The row and the record's time decide."""

    entry_id: Id
    provider_id: Id
    product_id: Id


class OfferNights(Event, type="availability.waitlist.offer"):
    """More became free than one decision offers: look through the waitlist again."""

    provider_id: Id
    product_id: Id


# --- told to the world ---


class EntryNews(Event):
    """What every piece of news of an entry begins with."""

    entry_id: Id
    user_id: Id
    provider_id: Id
    product_id: Id
    start_time: Instant
    end_time: Instant
    quantity: Count
    time_zone: str = "UTC"


class EntryJoined(EntryNews, type="waitlist.entry.joined"):
    joined_at: Instant


class EntryOffered(EntryNews, type="waitlist.entry.offered"):
    """The nights are held for the guest, who has until `offer_until` to accept."""

    offer_until: Instant
    offered_at: Instant
    #: The guest's personal data as a JSON object, sealed under the user's key: whom to write to.
    personal: Sealed | None = None


class EntryAccepted(EntryNews, type="waitlist.entry.accepted"):
    """What was held for the offer is held for the booking."""

    booking_id: Id
    accepted_at: Instant


class EntryExpired(EntryNews, type="waitlist.entry.expired"):
    """The offer was not accepted in time."""

    expired_at: Instant


class EntryWithdrawn(EntryNews, type="waitlist.entry.withdrawn"):
    withdrawn_at: Instant


class EntryLapsed(EntryNews, type="waitlist.entry.lapsed"):
    """The last call passed, and nothing had become free."""

    lapsed_at: Instant
