"""What the API takes for orders of goods, and of the stock they come from."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema, field_validator

from web.models import GuestIn, MoneyIn, PaymentMethodIn, Request
from web.money import CurrencyIn, SumIn, fits
from web.texts import IdIn

MOST_ITEMS = 20


class PriceIn(Request):
    """A price that a client expects; without a currency, in the product's."""

    currency: CurrencyIn | None = None
    amount: SumIn

    @field_validator("amount")
    @classmethod
    def _expressible(cls, amount: Decimal, info: ValidationInfo) -> Decimal:
        currency = info.data.get("currency")
        return fits(amount, currency) if currency else amount


def _price(value: Any) -> Any:
    return value if isinstance(value, dict) or value is None else {"amount": value}


_SUM = {"oneOf": [{"type": "string"}, {"type": "number", "minimum": 0}]}
ExpectedPrice = Annotated[
    PriceIn | None,
    BeforeValidator(_price),
    WithJsonSchema(
        {
            "oneOf": [
                *_SUM["oneOf"],
                {
                    "type": "object",
                    "required": ["amount"],
                    "properties": {"amount": _SUM, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class ItemIn(Request):
    product_id: IdIn
    quantity: int = Field(ge=1)
    #: Of one, as the client expects it.
    price: ExpectedPrice = None


class OrderRequest(Request):
    """Goods from stock, all paid at once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "customer": {"email": "ada@example.com", "first_name": "Ada", "last_name": "Guest"},
                    "items": [
                        {"product_id": "TENT-2P", "quantity": 1, "price": {"amount": "129.00", "currency": "EUR"}}
                    ],
                    "payment_method": {"token": "tok_visa"},
                }
            ]
        }
    )

    customer: GuestIn
    items: list[ItemIn] = Field(min_length=1, max_length=MOST_ITEMS)
    payment_method: PaymentMethodIn


class StockRequest(Request):
    """How many of a product are on hand now, and what one costs."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"quantity": 40, "price": {"amount": "129.00", "currency": "EUR"}}]}
    )

    quantity: int = Field(ge=0, le=1_000_000)
    price: MoneyIn
