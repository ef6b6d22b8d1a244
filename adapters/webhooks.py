"""Signed events of a payment provider, in the manner of Standard Webhooks: an id, a time, and an HMAC-SHA256 over both
and the body.

The headers are `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`: one or several of
"v1,BASE64", separated by spaces, so that a secret can be changed while both count.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
#: An event may be older or newer than this by the receiver's clock, in seconds: a replay is of no use later.
WINDOW_S = 300
_VERSION = "v1"


class Unsigned(Exception):
    """Nobody who knows the secret said this."""


class Stale(Exception):
    """Signed, and too old or too far ahead to be taken."""


def signed(secret: bytes, event_id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of an event that is sent at `at`, in seconds since 1970."""
    signature = f"{_VERSION},{_sign(secret, event_id, str(at), body)}"
    return {ID: event_id, TIMESTAMP: str(at), SIGNATURE: signature}


def verify(secret: bytes, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """The event's id. Raises Unsigned, and Stale for one that is signed and out of its time."""
    event_id, at = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not event_id or len(event_id) > 200 or not (at.isascii() and at.isdigit() and len(at) <= 12):
        raise Unsigned(f"{ID} or {TIMESTAMP} is missing or no such thing")
    wanted = _sign(secret, event_id, at, body)
    given = (each.partition(",") for each in headers.get(SIGNATURE, "").split())
    # All of them, so that time tells nothing.
    same = [version == _VERSION and hmac.compare_digest(text.encode(), wanted.encode()) for version, _, text in given]
    if not any(same):
        raise Unsigned(f"{SIGNATURE} does not sign this body under this id and time")
    if abs(now - int(at)) > WINDOW_S:
        raise Stale(f"{TIMESTAMP} is more than {WINDOW_S} seconds from now: sign it anew")
    return event_id


def _sign(secret: bytes, event_id: str, at: str, body: bytes) -> str:
    said = f"{event_id}.{at}.".encode() + body
    return base64.b64encode(hmac.new(secret, said, hashlib.sha256).digest()).decode()
