"""What a payment provider may say, as models: everything that leaves here has been checked for shape and size."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from streams.events.base import Currency
from streams.events.payment import PaymentMethod

_Id = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
_Reference = Annotated[str, StringConstraints(max_length=100)]
_Money = Annotated[Decimal, Field(ge=0, max_digits=20, decimal_places=6)]
_Short = Annotated[str, StringConstraints(max_length=40)]
_LONGEST_MESSAGE = 500


class NotUnderstood(Exception):
    """An answer that is not in the agreed form: it says nothing, neither yes nor no."""


class _Said(BaseModel):
    # Providers add fields; those are not ours to refuse.
    model_config = ConfigDict(frozen=True, extra="ignore")


class ProviderError(_Said):
    code: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\x20-\x7e]+$")]
    message: Annotated[str, AfterValidator(lambda text: text[:_LONGEST_MESSAGE])] = ""


class _Method(_Said):
    type: _Short = "card"
    brand: _Short | None = None
    last4: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = None


class Refund(_Said):
    id: _Id
    reference: _Reference
    amount: _Money


class Payment(_Said):
    """A payment as the provider has it. `captured` and `refunded` are sums, 0 where it says nothing of them."""

    id: _Id
    reference: _Reference
    status: Literal["authorized", "declined", "captured", "capture_failed", "voided"]
    amount: _Money
    currency: Currency
    captured: _Money = Decimal(0)
    refunded: _Money = Decimal(0)
    card: _Method | None = Field(default=None, alias="method")
    refunds: tuple[Refund, ...] = ()
    error: ProviderError | None = None

    @property
    def method(self) -> PaymentMethod | None:
        return PaymentMethod(**self.card.model_dump()) if self.card is not None else None


class _Refusal(_Said):
    error: ProviderError


_S = TypeVar("_S", bound=_Said)


def read_payment(raw: bytes) -> Payment:
    return _read(Payment, raw)


def read_refund(raw: bytes) -> Refund:
    return _read(Refund, raw)


def read_error(raw: bytes) -> ProviderError:
    return _read(_Refusal, raw).error


def retry_after(header: str | None) -> float | None:
    """Seconds from a Retry-After header; None for none, for a date, and for nonsense."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _read(shape: type[_S], raw: bytes) -> _S:
    try:
        return shape.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise NotUnderstood(f"answer not understood: {field}: {first['msg']}") from None
