"""What the API takes: one strict model per request body. Nothing unknown passes, nothing is converted silently."""

from __future__ import annotations

import math
import zoneinfo
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal

import orjson
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from web.money import CurrencyIn, SumIn, fits
from web.policy_models import DepositIn, PolicyIn
from web.shapes import Request as Request
from web.texts import DateIn, Email, HourIn, IdIn, InstantIn, LocaleIn, Phone, Text, Token

MAX_METADATA_BYTES = 4096


class MoneyIn(Request):
    currency: CurrencyIn
    amount: SumIn

    @field_validator("amount")
    @classmethod
    def _expressible(cls, amount: Decimal, info: ValidationInfo) -> Decimal:
        currency = info.data.get("currency")  # declared first; absent when it was refused itself
        return fits(amount, currency) if currency else amount


class PaymentMethodIn(Request):
    #: A token of the payment provider, never a card number.
    token: Token


class GuestIn(Request):
    email: Email
    first_name: Text
    last_name: Text
    user_id: IdIn | None = None
    phone: Phone | None = None
    locale: LocaleIn | None = None


class StayWish(Request):
    """Which nights of what: `[check_in, check_out)` in dates of the property."""

    property_id: IdIn
    unit_type: IdIn
    check_in: DateIn
    check_out: DateIn
    quantity: int = Field(default=1, ge=1)


class ReservationRequest(StayWish):
    """A stay: a unit type of a property over nights `[check_in, check_out)`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "property_id": "PROP-001",
                    "unit_type": "standard",
                    "check_in": "2026-12-24",
                    "check_out": "2026-12-27",
                    "quantity": 1,
                    "guest": {"email": "ada@example.com", "first_name": "Ada", "last_name": "Guest"},
                    "payment_method": {"token": "tok_visa"},
                }
            ]
        }
    )

    #: Without one, the unit's base price holds.
    rate_plan: IdIn | None = None
    #: What the guest was quoted: at any other price nothing is booked. Without it, the price in force holds.
    expected_price: MoneyIn | None = None
    guest: GuestIn
    payment_method: PaymentMethodIn


def _float(value: Any) -> Any:
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return float(value) if -180 <= value <= 180 else 999.0  # out of every range here, and of a float's perhaps
    return value


Latitude = Annotated[float, BeforeValidator(_float), Field(ge=-90, le=90)]
Longitude = Annotated[float, BeforeValidator(_float), Field(ge=-180, le=180)]


class LocationIn(Request):
    lat: Latitude | None = None
    lon: Longitude | None = None
    address: Annotated[Text, Field(max_length=200)] | None = None


def _plain(value: Any) -> Any:
    """Free-form JSON with its numbers as the log carries them."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal) and not math.isfinite(float(value)):
        raise ValueError("has a number that is too large")
    return float(value) if isinstance(value, Decimal) else value


def _small(value: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = _plain(value)
    try:
        size = len(orjson.dumps(plain))
    except TypeError:
        raise ValueError("has a number that is too large") from None
    if size > MAX_METADATA_BYTES:
        raise ValueError(f"is larger than {MAX_METADATA_BYTES} bytes")
    return plain


class BookingRequest(Request):
    """A booking in the catalogue's words; the price is the one the client expects."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "7b1f0f5e-6c0e-4f5c-9a51-0a8f0c1b2d3e",
                    "product_id": "standard",
                    "provider_id": "PROP-001",
                    "start_time": "2026-12-24T14:00:00Z",
                    "end_time": "2026-12-25T10:00:00Z",
                    "quantity": 1,
                    "price_amount": "100.00",
                    "price_currency": "EUR",
                    "payment_method": {"token": "tok_visa"},
                }
            ]
        }
    )

    user_id: IdIn
    product_id: IdIn
    provider_id: IdIn
    start_time: InstantIn
    end_time: InstantIn
    quantity: int = Field(default=1, ge=1)
    price_currency: CurrencyIn
    price_amount: SumIn
    location: LocationIn | None = None
    metadata: Annotated[dict[str, Any], AfterValidator(_small)] = Field(default_factory=dict)
    payment_method: PaymentMethodIn

    @field_validator("price_amount")
    @classmethod
    def _expressible(cls, amount: Decimal, info: ValidationInfo) -> Decimal:
        currency = info.data.get("price_currency")
        return fits(amount, currency) if currency else amount


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _zone(value: str) -> str:
    if value not in _zones():
        raise ValueError("should be a known time zone like Europe/Amsterdam")
    return value


def _slots(value: Any) -> Any:
    if value == "nights":
        return value
    if not isinstance(value, int) or isinstance(value, bool) or not 5 <= value <= 1440 or 1440 % value:
        raise ValueError('should be "nights" or a number of minutes from 5 to 1440 that divides a day')
    return value


ZoneIn = Annotated[str, AfterValidator(_zone), WithJsonSchema({"type": "string", "examples": ["Europe/Amsterdam"]})]
SlotsIn = Annotated[
    Literal["nights"] | int,
    BeforeValidator(_slots),
    WithJsonSchema({"oneOf": [{"const": "nights"}, {"type": "integer", "minimum": 5, "maximum": 1440}]}),
]


class UnitRequest(Request):
    """A unit type of a property: how many there are, and what one costs per night or slot."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"capacity": 5, "base_price": {"amount": "100.00", "currency": "EUR"}, "time_zone": "UTC"}]
        }
    )

    capacity: int = Field(ge=0, le=10_000)
    overbooking_limit: int = Field(default=0, ge=0, le=1_000)
    base_price: MoneyIn
    min_stay: int = Field(default=1, ge=1, le=90)
    time_zone: ZoneIn = "UTC"
    slots: SlotsIn = "nights"
    #: Without one: free until it begins, nothing back from then on.
    cancellation: PolicyIn | None = None
    #: What is paid at booking of what is sold by the night. Without one: the whole price.
    deposit: DepositIn | None = None
    #: Of stays by the night: local hours of the day of arrival, of departure, and of the day after the arrival. A unit
    #: type that names any of these five holds its guests to their days; else that is left to the front desk.
    check_in_from: HourIn | None = None
    check_out_until: HourIn | None = None
    no_show_from: HourIn | None = None
    #: Whether a stay becomes a no-show, or is checked out, without anybody's asking once its time is over.
    no_show: Literal["auto", "manual"] | None = None
    check_out: Literal["auto", "manual"] | None = None


class CancelRequest(Request):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "plans changed"}]})

    reason: Text = "requested"
    #: The fee that was quoted, in the booking's currency; at another one nothing is cancelled.
    expected_fee: SumIn | None = None


class RefundRequest(Request):
    model_config = ConfigDict(json_schema_extra={"examples": [{"amount": "25.00", "reason": "noise at night"}]})

    amount: SumIn
    reason: Text = "requested"
