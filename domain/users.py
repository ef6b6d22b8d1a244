"""What the user service decides: a user is registered once, and every change makes exactly the next revision."""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.decision import Decision
from streams.events import Event
from streams.events.users import ChangeUser, RegisterUser, UserCreated, UserUpdated

#: As a change's revision: whichever comes next. Other programs do not know which revision a row has.
NEXT = 0


class User(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One user. `personal` is e-mail, names and phone as a JSON object, sealed under the user's key."""

    user_id: str
    personal: str
    revision: int = 1
    #: What the user was registered by; empty where another program told of the user.
    fingerprint: str = ""
    #: The messages of other programs that told of changes.
    told_by: tuple[str, ...] = ()
    created_at: datetime
    updated_at: datetime


def decide(user: User | None, message: Event, now: datetime) -> Decision[User | None]:
    """The next state of a user and what the world hears. `now` is the record's time."""
    match user, message:
        case None, RegisterUser():
            return _register(message, now)
        case User(), ChangeUser() if message.revision in (NEXT, user.revision + 1):
            return _change(user, message, now)
        case _:
            return Decision(user)


def _register(asked: RegisterUser, now: datetime) -> Decision[User | None]:
    user = User(
        user_id=asked.user_id, personal=asked.personal, fingerprint=asked.fingerprint, created_at=now, updated_at=now
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
