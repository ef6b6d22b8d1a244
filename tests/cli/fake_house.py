"""What the fake gateway knows of the demo's rules: enough to answer as they say, or to break the one it is told to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cli.houses import CLOSURES, EARLY_REFUND, NO_SHOW_FEE


class FakeHouse:
    """Units as they were declared. `broken` are kinds of journeys whose rule does not hold."""

    def __init__(self) -> None:
        self.units: dict[tuple[str, str], dict[str, Any]] = {}
        #: Everything else that was said of them: by path, the bodies.
        self.said: dict[str, list[dict[str, Any]]] = {}
        self.broken: set[str] = set()

    def unit(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self.units[asked["property_id"], asked["unit_type"]]

    def price(self, asked: dict[str, Any]) -> dict[str, str]:
        base = self.unit(asked)["base_price"]
        return {**base, "amount": str(Decimal(base["amount"]) * nights(asked))}

    def quote(self, asked: dict[str, Any]) -> dict[str, Any]:
        base, total = self.unit(asked)["base_price"]["amount"], self.price(asked)
        each = {"base": base, "adjustments": [], "price": base}
        if "quote" in self.broken:
            total = {**total, "amount": str(Decimal(total["amount"]) + 1)}
        night = [each] * nights(asked)
        return {
            "quantity": 1,
            "nights": night,
            "subtotal": self.price(asked)["amount"],
            "discounts": [],
            "total": total,
        }

    def closed(self, asked: dict[str, Any]) -> str | None:
        """Why these nights cannot be booked."""
        first = date.fromisoformat(asked["check_in"])
        wanted = asked["property_id"], asked["unit_type"], first.weekday(), nights(asked)
        found = {(each.unit.property_id, each.unit.unit_type, each.weekday, each.nights): each for each in CLOSURES}
        return found[wanted].reason if wanted in found and "closed" not in self.broken else None

    def cancelling(self, booking: dict[str, Any]) -> dict[str, Any]:
        """Free, or all of it."""
        fixed = "non_refundable" in self.unit(booking["asked"]).get("cancellation", {})
        return {**split(booking["price"], 100 if fixed else 0), "non_refundable": fixed}

    def no_show(self, booking: dict[str, Any]) -> dict[str, Any]:
        return split(booking["price"], NO_SHOW_FEE + ("no_show" in self.broken))

    def left_early(self, booking: dict[str, Any]) -> dict[str, str]:
        """What the stay costs whose guest leaves on the first day."""
        price, stayed = booking["price"], nights(booking["asked"])
        back = Decimal(price["amount"]) * (stayed - 1) * EARLY_REFUND / (100 * stayed)
        free = "cancellation" not in self.unit(booking["asked"]) or "early" in self.broken
        return price if free else {**price, "amount": str(Decimal(price["amount"]) - back)}

    def times(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        return {"no_show_from": tomorrow.isoformat()} if "check_in_from" in self.unit(asked) else None


def nights(asked: dict[str, Any]) -> int:
    return (date.fromisoformat(asked["check_out"]) - date.fromisoformat(asked["check_in"])).days


def split(price: dict[str, str], percent: int) -> dict[str, Any]:
    """A fee and what goes back."""
    fee = Decimal(price["amount"]) * percent / 100
    back = Decimal(price["amount"]) - fee
    return {"fee": {**price, "amount": str(fee)}, "refund": {**price, "amount": str(back)}}
