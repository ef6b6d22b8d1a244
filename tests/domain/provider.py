"""A payment provider as plain as can be: what was authorized, captured, voided and given back, by its own books."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from streams.events.payment import ProviderAnswered, ProviderCall

#: What a card does: everything, nothing, or authorize and then fail to pay.
Card = Literal["good", "declined", "late_decline"]


@dataclass
class Account:
    """One authorization and what became of it."""

    payment_id: str
    amount: Decimal
    state: Literal["authorized", "captured", "voided"] = "authorized"
    refunded: Decimal = Decimal(0)

    @property
    def kept(self) -> Decimal:
        return self.amount - self.refunded if self.state == "captured" else Decimal(0)


@dataclass
class Provider:
    """Answers every effect once; asked again with the same key, it says the same again and does nothing."""

    accounts: dict[str, Account] = field(default_factory=dict)
    said: dict[str, ProviderAnswered] = field(default_factory=dict)

    def ask(self, effect_id: str, call: ProviderCall, card: Card) -> ProviderAnswered:
        if effect_id not in self.said:
            reference = self._authorize(call, card) if call.operation == "authorize" else self._change(call, card)
            self.said[effect_id] = ProviderAnswered(
                payment_id=call.payment_id,
                effect_id=effect_id,
                operation=call.operation,
                approved=reference is not None,
                provider_reference=reference,
                error_code=None if reference else "card_declined",
                refund_id=call.refund_id,
            )
        return self.said[effect_id]

    def of(self, payment_id: str) -> list[Account]:
        return [account for account in self.accounts.values() if account.payment_id == payment_id]

    def _authorize(self, call: ProviderCall, card: Card) -> str | None:
        if card == "declined":
            return None
        reference = f"pi_{len(self.accounts)}"
        self.accounts[reference] = Account(call.payment_id, call.amount)
        return reference

    def _change(self, call: ProviderCall, card: Card) -> str | None:
        reference = call.provider_payment_id or ""
        account = self.accounts[reference]
        match call.operation, account.state:
            case "capture", "authorized" if card == "good":
                account.state = "captured"
            case "void", "authorized":
                account.state = "voided"
            case "refund", "captured" if account.refunded + call.amount <= account.amount:
                account.refunded += call.amount
            case _:
                return None
        return reference
