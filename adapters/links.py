"""Links that a letter carries: whoever holds one may do the one thing it is for, without a key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from itsdangerous import BadData, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer

#: How long a link to a receipt holds, in seconds: a guest looks for it again at the end of the year.
RECEIPT_HOLDS_S = 400 * 24 * 60 * 60


class Links:
    """Makes links under the instance's own address, signed with its secret, and reads them back.

    `base` is what they begin with, without a slash at the end.
    """

    def __init__(self, base: str, secret: bytes) -> None:
        self._base = base
        self._unsubscribing = URLSafeSerializer(secret, salt="vacancy unsubscribe")
        self._secret = secret
        self._receipts = self._issued(None)

    def unsubscribe(self, user_id: str) -> str:
        """Where a user ends our mail, with one click (RFC 8058). It holds for ever, as a mail is kept for ever."""
        return f"{self._base}/unsubscribe/{self.mark(user_id)}"

    def mark(self, user_id: str) -> str:
        """What a user's links of `unsubscribe` end with, always the same: every mail to the user carries it."""
        return str(self._unsubscribing.dumps(user_id))

    def user_of(self, token: str) -> str | None:
        """Whose mail a link of `unsubscribe` ends; None if it is not one of ours."""
        return _text(lambda: self._unsubscribing.loads(token))

    def receipt(self, receipt_id: str, issued: datetime | None = None) -> str:
        """Where a receipt is read. With `issued` the link is that of this time, and the same whenever it is asked for;
        else it holds from now on."""
        return f"{self._base}/receipts/{self._issued(issued).dumps(receipt_id)}"

    def receipt_of(self, token: str) -> str | None:
        """Which receipt a link of `receipt` shows; None if it is not one of ours, or too old."""
        return _text(lambda: self._receipts.loads(token, max_age=RECEIPT_HOLDS_S))

    def _issued(self, at: datetime | None) -> URLSafeTimedSerializer:
        signer = {"issued": int(at.timestamp())} if at is not None else {}
        return URLSafeTimedSerializer(
            self._secret, salt="vacancy receipt", signer=_IssuedAt if signer else TimestampSigner, signer_kwargs=signer
        )


class _IssuedAt(TimestampSigner):
    """Signs as it would have at a given time, in seconds since 1970."""

    def __init__(self, *args: Any, issued: int, **more: Any) -> None:
        super().__init__(*args, **more)
        self._at = issued

    def get_timestamp(self) -> int:
        return self._at


def _text(read: Callable[[], object]) -> str | None:
    try:
        said = read()
    except BadData:
        return None
    return said if isinstance(said, str) else None
