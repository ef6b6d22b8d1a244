"""Ids that follow from what they name: the same name has the same id, for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from uuid import UUID

#: RFC 4122: what the first digit of an id's fourth group becomes.
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def ids_under(namespace: UUID) -> Callable[[str], str]:
    """`str(uuid5(namespace, name))` of each name, without the objects in between: every message costs some of these."""
    begun = hashlib.sha1(namespace.bytes, usedforsecurity=False)

    def id_of(name: str) -> str:
        hashed = begun.copy()
        hashed.update(name.encode())
        text = hashed.hexdigest()
        return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"

    return id_of
