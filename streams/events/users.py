"""Users: what is asked of one, and what the world hears (CAT-14, 15, CAMP-13). Personal data is sealed inside."""

from __future__ import annotations

from typing import ClassVar

from streams.events.base import Event, Id, Instant, NonNegative, Sealed, Whole

# --- asked of the user service (its inbox, keyed by user_id) ---


class RegisterUser(Event, type="user.user.register"):
    user_id: Id
    #: email, first_name, last_name, phone? as a JSON object.
    personal: Sealed
    #: SHA-256 of the request's body: a retry with the same key must ask for the same thing.
    fingerprint: str = ""
    #: Another program told the world of it already.
    announced: bool = False
    #: When the other program says it was; None if we are asked ourselves.
    told_at: Instant | None = None


class ChangeUser(Event, type="user.user.change"):
    """The whole of the personal data after the change, and the revision this makes."""

    user_id: Id
    personal: Sealed
    revision: Whole
    #: The message of another program that tells of it: each is taken once.
    message_id: str | None = None
    announced: bool = False


class EraseUser(Event, type="user.user.erase"):
    """Asks for every key of a user to be forgotten. Who was never registered and yet booked can be erased, too."""

    user_id: Id


class UserForgotten(Event, type="user.effect.answered"):
    """The user's keys are gone: the result of one erasure, appended by the agent that saw to it."""

    user_id: Id
    #: Which erasure this answers.
    asked_at: Instant
    keys: NonNegative


# --- the user service's effects ---


class ForgetUser(Event, type="user.effect.forget"):
    """Remove what lies outside the log in clear, then a tombstone for every key of the user; done twice, it is done."""

    user_id: Id
    asked_at: Instant
    #: What the user was registered with: the address its mails went to. Empty where nobody was registered.
    personal: Sealed
    #: The user's when it was asked for; its end makes the next one. 0 in what was said before it was noted.
    revision: NonNegative = 0


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


class UserErased(Event, type="user.user.erased"):
    """Nothing of the user that was sealed can be read any more; other programs are to forget the user as well."""

    user_id: Id
    erased_at: Instant
