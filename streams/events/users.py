"""Users: what is asked of one, and what the world hears (CAT-14, 15, CAMP-13). Personal data is sealed inside."""

from __future__ import annotations

from typing import ClassVar

from streams.events.base import Event, Id, Instant, Sealed, Whole

# --- asked of the user service (its inbox, keyed by user_id) ---


class RegisterUser(Event, type="user.user.register"):
    user_id: Id
    #: email, first_name, last_name, phone? as a JSON object.
    personal: Sealed
    #: SHA-256 of the request's body: a retry with the same key must ask for the same thing.
    fingerprint: str = ""
    #: Another program told the world of it already.
    announced: bool = False


class ChangeUser(Event, type="user.user.change"):
    """The whole of the personal data after the change, and the revision this makes."""

    user_id: Id
    personal: Sealed
    revision: Whole
    #: The message of another program that tells of it: each is taken once.
    message_id: str | None = None
    announced: bool = False


# --- told to the world ---


class UserNews(Event):
    """On a documented topic `personal` is spread in clear, as the documents show it."""

    beyond: ClassVar[frozenset[str]] = frozenset({"personal"})

    user_id: Id
    personal: Sealed


class UserCreated(UserNews, type="user.user.created"):
    created_at: Instant


class UserUpdated(UserNews, type="user.user.updated"):
    updated_at: Instant
