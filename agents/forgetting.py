"""Erases a user: first what lies outside the log in clear, then every key that opens what lies on it.

In this order, because the address that names a user's mails is itself under those keys: after a kill between the two
everything can be done again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from adapters.belongings import remove_belongings
from adapters.storage import Storage, StorageUnavailable, receipts_folder
from streams.effects import Unreachable
from streams.envelope import resulting
from streams.events import Envelope
from streams.events.users import ForgetUser, UserForgotten
from streams.identity import user_id_of
from streams.log import LogUnavailable


class Forgets(Protocol):
    """What an erasure needs of the keyring (`streams.keyring.Keyring`)."""

    async def unseal(self, user_id: str, sealed: str) -> str | None: ...

    async def forget(self, user_id: str) -> int: ...


async def forget_user(data: Path, receipts: Storage, keyring: Forgets, effect: Envelope) -> Envelope:
    """The result of one erasure, as a message for the user's inbox. Raises Unreachable."""
    asked = effect.data
    assert isinstance(asked, ForgetUser)
    try:
        known = await _known(keyring, asked)
        address, phone = known.get("email"), known.get("phone")
        remove_belongings(
            data,
            asked.user_id,
            lambda to: to.lower() == str(address).lower() or user_id_of(to) == asked.user_id,
            {phone} if isinstance(phone, str) else set(),
        )
        await receipts.delete(receipts_folder(asked.user_id))
        keys = await keyring.forget(asked.user_id)
    except (LogUnavailable, TimeoutError) as failure:
        raise Unreachable("the user's keys cannot be reached now") from failure
    except StorageUnavailable as failure:
        raise Unreachable("the user's receipts cannot be removed now") from failure
    except (OSError, sqlite3.Error) as failure:
        raise Unreachable(f"a mail or text message cannot be removed: {type(failure).__name__}") from failure
    answered = UserForgotten(user_id=asked.user_id, asked_at=asked.asked_at, keys=keys)
    return resulting(effect, answered, now=datetime.now(UTC), source="user-service")


async def _known(keyring: Forgets, asked: ForgetUser) -> Mapping[str, Any]:
    text = await keyring.unseal(asked.user_id, asked.personal) if asked.personal else None
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
