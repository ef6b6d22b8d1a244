"""The rows of one partition while they are worked on: decided ones that are not durable yet, and a cache of the rest.

Decisions read through this; what they write becomes visible to the next decision at once and durable with its slice.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from streams.local import LocalRows

R = TypeVar("R", bound=msgspec.Struct)
_CACHED_ROWS = 500
#: Key, headers and framing of one changelog record, rounded up.
_RECORD_OVERHEAD = 128
_encode = msgspec.json.Encoder().encode


class Written(msgspec.Struct, frozen=True, gc=False):
    """A row as a decision left it; no payload means it is gone. `kept` says whether it is held ready to be read."""

    value: msgspec.Struct | None
    payload: bytes | None
    #: Bytes on the changelog, rounded up.
    size: int
    kept: bool = True


class WorkingRows:
    """Rows by key, typed; changes are collected until `take_changes`."""

    def __init__(self, local: LocalRows) -> None:
        self._local = local
        self._cache: OrderedDict[str, msgspec.Struct] = OrderedDict()
        self._changes: dict[str, Written] = {}
        #: Decided and handed to a slice, with the number of the last slice that has it.
        self._pending: dict[str, tuple[Written, int]] = {}

    def get(self, key: str, model: type[R]) -> R | None:
        """The row as the last decision left it."""
        written = self._changes.get(key)
        if written is None:
            pending = self._pending.get(key)
            written = pending[0] if pending is not None else None
        if written is not None:
            assert written.value is None or isinstance(written.value, model)
            return written.value
        return self._clean(key, model)

    def put(self, key: str, value: msgspec.Struct, *, keep: bool = True) -> bytes:
        """Writes a row; its JSON. One that no decision reads again need not be kept at hand."""
        payload = _encode(value)
        self._changes[key] = Written(value, payload, len(key) + len(payload) + _RECORD_OVERHEAD, keep)
        return payload

    def delete(self, key: str) -> None:
        self._changes[key] = Written(None, None, len(key) + _RECORD_OVERHEAD)

    def scan(self, prefix: str, model: type[R]) -> Iterator[tuple[str, R]]:
        """Every row whose key begins with `prefix`, in key order."""
        keys = {key for key, _ in self._local.scan(prefix)}
        keys.update(key for key in (*self._pending, *self._changes) if key.startswith(prefix))
        for key in sorted(keys):
            row = self.get(key, model)
            if row is not None:
                yield key, row

    def take_changes(self) -> dict[str, Written]:
        """What was written since the last call, for the slice of this decision."""
        changes, self._changes = self._changes, {}
        return changes

    def hand_over(self, changes: dict[str, Written], slice_number: int) -> None:
        """Keeps a decision's changes visible until its slice is durable."""
        for key, written in changes.items():
            self._pending[key] = (written, slice_number)

    def durable(self, keys: Iterator[str], slice_number: int) -> None:
        """The slice with these rows is stored; later reads may come from there."""
        for key in keys:
            pending = self._pending.get(key)
            if pending is None or pending[1] > slice_number:
                continue
            del self._pending[key]
            written = pending[0]
            if written.value is None or not written.kept:
                self._cache.pop(key, None)
            else:
                self._remember(key, written.value)

    def is_pending(self, key: str) -> bool:
        return key in self._pending

    def _clean(self, key: str, model: type[R]) -> R | None:
        cached = self._cache.get(key)
        if cached is not None:
            assert isinstance(cached, model)
            self._cache.move_to_end(key)
            return cached
        row = self._local.get(key)
        if row is None or row.payload is None:
            return None
        value = msgspec.json.decode(row.payload, type=model)
        self._remember(key, value)
        return value

    def _remember(self, key: str, value: msgspec.Struct) -> None:
        self._cache[key] = value
        self._cache.move_to_end(key)
        if len(self._cache) > _CACHED_ROWS:
            self._cache.popitem(last=False)
