"""What the user service decides: a user is registered once, every change makes exactly the next revision, and an
erasure is over when the user's keys are gone.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.decision import Decision
from streams.events import Event
from streams.events.users import (
    ChangeUser,
    EraseUser,
    ForgetUser,
    RegisterUser,
    UserCreated,
    UserErased,
    UserForgotten,
    UserUpdated,
)

#: As a change's revision: whichever comes next. Other programs do not know which revision a row has.
NEXT = 0


class User(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One user. `personal` is e-mail, names and phone as a JSON object, sealed; empty once the user was erased."""

    user_id: str
    personal: str
    revision: int = 1
    #: What the user was registered by; empty where another program told of the user.
    fingerprint: str = ""
    #: The messages of other programs that told of changes.
    told_by: tuple[str, ...] = ()
    created_at: datetime
    updated_at: datetime
    #: When the erasure that is under way was asked for.
    erasing: datetime | None = None
    erased_at: datetime | None = None


def decide(user: User | None, message: Event, now: datetime) -> Decision[User | None]:
    """The next state of a user and what the world hears. `now` is the record's time."""
    match user, message:
        case None, RegisterUser():
            return _register(message, now)
        case User(erased_at=datetime() as erased_at, erasing=None), RegisterUser() if _is_since(message, erased_at):
            return _register(message, now, user.revision + 1)
        case _, EraseUser() if user is None or user.erasing is None:
            return _erase(user, message, now)
        case User(), UserForgotten() if user.erasing == message.asked_at:
            return _forgotten(user, now)
        case User(erased_at=None, erasing=None), ChangeUser() if message.revision in (NEXT, user.revision + 1):
            return _change(user, message, now)
        case _:
            return Decision(user)


def is_over(user: User | None, asked: ForgetUser) -> bool:
    """Whether the row shows that this erasure ended. A row that is behind shows less, and never more, than is true.

    By revisions, not by times: they only grow, also where the user came back, whose new keys are not to go.
    """
    return user is not None and 0 < asked.revision < user.revision


def _is_since(asked: RegisterUser, erased_at: datetime) -> bool:
    """What another program told before the erasure, and is read again, brings nobody back."""
    return asked.told_at is None or asked.told_at > erased_at


def _register(asked: RegisterUser, now: datetime, revision: int = 1) -> Decision[User | None]:
    """Who comes back after an erasure is somebody new under the same id."""
    user = User(
        user_id=asked.user_id,
        personal=asked.personal,
        revision=revision,
        fingerprint=asked.fingerprint,
        created_at=now,
        updated_at=now,
    )
    told = UserCreated(user_id=user.user_id, personal=user.personal, created_at=now)
    return Decision(user, () if asked.announced else (told,))


def _change(user: User, change: ChangeUser, now: datetime) -> Decision[User | None]:
    again = change.message_id is not None and change.message_id in user.told_by
    if again or change.personal == user.personal:  # the same message under a new offset
        return Decision(user)
    changed = msgspec.structs.replace(
        user,
        personal=change.personal,
        revision=user.revision + 1,
        told_by=user.told_by if change.message_id is None else (*user.told_by, change.message_id),
        updated_at=now,
    )
    told = UserUpdated(user_id=user.user_id, personal=changed.personal, updated_at=now)
    return Decision(changed, () if change.announced else (told,))


def _erase(user: User | None, asked: EraseUser, now: datetime) -> Decision[User | None]:
    """Who was erased before may have booked since: whatever keys there are go."""
    known = user or User(user_id=asked.user_id, personal="", created_at=now, updated_at=now)
    forget = ForgetUser(user_id=known.user_id, asked_at=now, personal=known.personal, revision=known.revision)
    return Decision(msgspec.structs.replace(known, erasing=now), (forget,))


def _forgotten(user: User, now: datetime) -> Decision[User | None]:
    erased = User(
        user_id=user.user_id,
        personal="",
        revision=user.revision + 1,
        created_at=user.created_at,
        updated_at=now,
        erased_at=now,
    )
    return Decision(erased, (UserErased(user_id=user.user_id, erased_at=now),))
