"""What tells our messages on documented topics from those of others: a signature under the instance's secret.

A documented topic is open to other programs; what decides money and rooms must not be theirs to say (design 3). The
signature covers the id, the bytes, and every header that says something of the message: what travels beside a document
says as much as the document itself.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

ID_HEADER = "ce_id"
TIME_HEADER = "ce_time"
CORRELATION_HEADER = "correlation_id"
REST_HEADER = "vacancy-rest"
SIGNATURE_HEADER = "vacancy-sig"
#: The headers that are part of a message, in the order they are signed in; others (a tracer's) are not ours.
SIGNED = (ID_HEADER, TIME_HEADER, CORRELATION_HEADER, REST_HEADER)

Headers = Sequence[tuple[str, bytes | None]]
_NOT_SHOWN = [b""]


class Signer:
    """Signs messages, and knows its own signature again."""

    def __init__(self, key: bytes) -> None:
        # Set up once: the key's schedule costs as much as signing a message.
        self._keyed = hmac.new(key, digestmod="sha256")

    def signed(
        self, event_id: str, value: bytes, beside: Sequence[tuple[str, bytes]] = ()
    ) -> tuple[tuple[str, bytes], ...]:
        """The headers of a message of ours: its id, what its codec says beside it, and the signature over all of it."""
        headers = ((ID_HEADER, event_id.encode()), *beside)
        return (*headers, (SIGNATURE_HEADER, self._signature(headers, value)))

    def is_ours(self, headers: Headers, value: bytes | None) -> bool:
        """Whether this instance wrote the message: with this id, these bytes, and this beside it."""
        shown = [each for name, each in headers if name == SIGNATURE_HEADER]
        if len(shown) != 1 or shown[0] is None or value is None:  # another program's header may be null
            return False
        return hmac.compare_digest(shown[0], self._signature(headers, value))

    def _signature(self, headers: Headers, value: bytes) -> bytes:
        # Each part with its length: no two messages have the same text to sign. A header twice is not the one once.
        shown: dict[str, list[bytes]] = {}
        for name, each in headers:
            shown.setdefault(name, []).append(each or b"")
        parts = [value]
        for name in SIGNED:
            parts += shown.get(name, _NOT_SHOWN)
        text = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
        signing = self._keyed.copy()
        signing.update(text)
        return signing.hexdigest().encode()
