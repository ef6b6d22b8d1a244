"""Personal data under a key for each user: encrypted once at entry, readable until the user's keys are erased.

The keys lie on `vacancy.keys`, wrapped under the instance's secret. Without its key a sealed text is noise, so a
tombstone for every key of a user erases the user from an immutable log (crypto-shredding, C21).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from streams.compacted import Compacted
from streams.events import Event
from streams.events.control import UserKeyAdded, UserKeyErased
from streams.log import Appended

#: How many users' keys a gateway keeps at hand for sealing; another key is made for those it forgot.
_CACHED_USERS = 50_000
#: How long a view may lag behind the log before that counts as an outage, in seconds.
_PATIENCE_S = 3.0
_NONCE = 12


@dataclass(frozen=True, slots=True)
class _Current:
    """The key that new texts of a user are sealed with, and where it was added on the log."""

    key_id: str
    key: bytes
    partition: int
    offset: int


class Appends(Protocol):
    """What the keyring needs of the log."""

    async def append(self, event: Event, *, source: str) -> Appended: ...


class Keyring:
    """Seals and unseals personal data. Sealed texts look like `key_id.base64`; they name no user."""

    def __init__(self, secret: bytes, keys: Compacted[UserKeyAdded], log: Appends | None = None) -> None:
        self._wrapping = AESGCM(HKDF(SHA256(), 32, salt=None, info=b"vacancy user keys").derive(secret))
        self._keys = keys
        self._log = log
        self._current: OrderedDict[str, _Current] = OrderedDict()

    async def start(self) -> None:
        await self._keys.start()

    async def stop(self) -> None:
        await self._keys.stop()

    async def seal(self, user_id: str, text: str) -> str:
        """`text` encrypted under the user's key; the key is on the log before this returns.

        Raises:
            LogUnavailable: a new key could not be stored.
        """
        key_id, key = await self._key_for(user_id)
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), user_id.encode())
        return f"{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    async def unseal(self, user_id: str, sealed: str) -> str | None:
        """The text, or None once the user's key is erased (or the text is not this user's).

        Raises:
            TimeoutError: the key is not known here, and Kafka does not say whether it exists.
        """
        if not self.knows(user_id, sealed):
            await self.caught_up()
        return self._open(user_id, sealed)

    def knows(self, user_id: str, sealed: str) -> bool:
        """Whether the key of a sealed text is at hand."""
        key_id = _key_id(sealed)
        return self._made_here(user_id, key_id) is not None or self._keys.get(f"{user_id}/{key_id}") is not None

    async def caught_up(self) -> None:
        """Returns once every key is at hand that was on the log at the call. Raises TimeoutError."""
        await self._keys.caught_up(_PATIENCE_S)

    async def forget(self, user_id: str) -> int:
        """Erases every key of a user that is on the log at the call, and returns how many there were.

        Once it returns no text sealed before can be opened here; elsewhere, as soon as the tombstones are read. What
        is sealed for the user afterwards is sealed with a new key.

        Raises:
            LogUnavailable: not all tombstones are on the log.
            TimeoutError: Kafka does not say which keys there are.
        """
        if self._log is None:
            raise RuntimeError("this keyring only unseals")
        await self.caught_up()
        keys = self.keys_of(user_id)
        for key_id in keys:
            await self._log.append(UserKeyErased(user_id=user_id, key_id=key_id), source="keyring")
        await self.caught_up()
        return len(keys)

    def keys_of(self, user_id: str) -> list[str]:
        """The names of a user's keys, as far as they are read."""
        return [added.key_id for _, added in self._keys.items() if added.user_id == user_id]

    def reveal(self, user_id: str, sealed: str | None) -> Mapping[str, Any]:
        """The fields of a sealed JSON object; none if the key is not at hand: the user is erased."""
        text = self._open(user_id, sealed) if sealed else None
        found = json.loads(text) if text else {}
        return found if isinstance(found, dict) else {}

    def _open(self, user_id: str, sealed: str) -> str | None:
        try:
            key = self._key_of(user_id, _key_id(sealed))
            if key is None:
                return None
            raw = base64.urlsafe_b64decode(sealed.partition(".")[2])
            return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], user_id.encode()).decode()
        except (InvalidTag, ValueError):
            return None

    def _key_of(self, user_id: str, key_id: str) -> bytes | None:
        """Raises InvalidTag or ValueError: it is not of this instance."""
        made = self._made_here(user_id, key_id)
        if made is not None:
            return made.key
        added = self._keys.get(f"{user_id}/{key_id}")
        return self._unwrap(added) if added is not None else None

    def _made_here(self, user_id: str, key_id: str | None = None) -> _Current | None:
        """The user's current key, if it is the one of that name and was not erased since."""
        known = self._current.get(user_id)
        if known is None or key_id not in (None, known.key_id):
            return None
        # What is on the view was not erased; one just added may not have come there yet.
        seen = self._keys.has_read(known.partition, known.offset)
        return known if not seen or self._keys.get(f"{user_id}/{known.key_id}") is not None else None

    async def _key_for(self, user_id: str) -> tuple[str, bytes]:
        known = self._made_here(user_id)
        if known is not None:
            self._current.move_to_end(user_id)
            return known.key_id, known.key
        if self._log is None:
            raise RuntimeError("this keyring only unseals")
        key_id, key = secrets.token_hex(4), AESGCM.generate_key(256)
        nonce = os.urandom(_NONCE)
        wrapped = nonce + self._wrapping.encrypt(nonce, key, f"{user_id}/{key_id}".encode())
        added = await self._log.append(
            UserKeyAdded(user_id=user_id, key_id=key_id, wrapped=base64.urlsafe_b64encode(wrapped).decode()),
            source="gateway",
        )
        self._current[user_id] = _Current(key_id, key, added.partition, added.offset)
        if len(self._current) > _CACHED_USERS:
            self._current.popitem(last=False)
        return key_id, key

    def _unwrap(self, added: UserKeyAdded) -> bytes:
        raw = base64.urlsafe_b64decode(added.wrapped)
        return self._wrapping.decrypt(raw[:_NONCE], raw[_NONCE:], f"{added.user_id}/{added.key_id}".encode())


def _key_id(sealed: str) -> str:
    return sealed.partition(".")[0]
