"""Erases a user: first what lies outside the log in clear, then every key that opens what lies on it, and once more
what came to lie there meanwhile: who was just handing a mail over still had a key.

In this order, because the address and the number of a user are themselves under those keys: after a kill between the
two everything can be done again.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from adapters.belongings import Owner, remove_belongings
from adapters.links import Links
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


async def forget_user(data: Path, receipts: Storage, links: Links, keyring: Forgets, effect: Envelope) -> Envelope:
    """The result of one erasure, as a message for the user's inbox. Raises Unreachable."""
    asked = effect.data
    assert isinstance(asked, ForgetUser)
    try:
        owner = _owner(asked.user_id, links.mark(asked.user_id), await _known(keyring, asked))
        await _remove(data, receipts, owner)
        keys = await keyring.forget(asked.user_id)
        await _remove(data, receipts, owner)
    except (LogUnavailable, TimeoutError) as failure:
        raise Unreachable("the user's keys cannot be reached now") from failure
    except StorageUnavailable as failure:
        raise Unreachable("the user's receipts cannot be removed now") from failure
    except (OSError, sqlite3.Error) as failure:
        raise Unreachable(f"a mail or text message cannot be removed: {type(failure).__name__}") from failure
    answered = UserForgotten(user_id=asked.user_id, asked_at=asked.asked_at, keys=keys)
    return resulting(effect, answered, now=datetime.now(UTC), source="user-service")


async def _remove(data: Path, receipts: Storage, owner: Owner) -> None:
    await asyncio.to_thread(remove_belongings, data, owner)
    await receipts.delete(receipts_folder(owner.user_id))


def _owner(user_id: str, mark: str, known: Mapping[str, Any]) -> Owner:
    address, phone = (said if isinstance(said := known.get(name), str) else None for name in ("email", "phone"))
    own = {address.lower()} if address else set()
    return Owner(
        user_id=user_id,
        mark=mark,
        is_address=lambda to: to.lower() in own or user_id_of(to) == user_id,
        phones={phone} if phone else set(),
    )


async def _known(keyring: Forgets, asked: ForgetUser) -> Mapping[str, Any]:
    text = await keyring.unseal(asked.user_id, asked.personal) if asked.personal else None
    try:
        found = json.loads(text) if text else {}
    except ValueError:  # whatever was sealed, its keys are to go
        return {}
    return found if isinstance(found, dict) else {}
