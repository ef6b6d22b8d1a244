"""What tells our messages on documented topics from those of others: a signature under the instance's secret.

A documented topic is open to other programs; what decides money and rooms must not be theirs to say (design 3).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

ID_HEADER = "ce_id"
SIGNATURE_HEADER = "vacancy-sig"

Headers = Sequence[tuple[str, bytes]]


class Signer:
    """Signs the id and the bytes of a message, and knows its own signature again."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def headers(self, event_id: str, value: bytes) -> tuple[tuple[str, bytes], ...]:
        identity = event_id.encode()
        return ((ID_HEADER, identity), (SIGNATURE_HEADER, self._signature(identity, value)))

    def is_ours(self, headers: Headers, value: bytes | None) -> bool:
        """Whether this instance wrote the message, with this id and these bytes."""
        found = dict(headers)
        shown = found.get(SIGNATURE_HEADER)
        if shown is None or value is None:
            return False
        return hmac.compare_digest(shown, self._signature(found.get(ID_HEADER, b""), value))

    def _signature(self, identity: bytes, value: bytes) -> bytes:
        return hmac.digest(self._key, identity + b"\n" + value, "sha256").hex().encode()
