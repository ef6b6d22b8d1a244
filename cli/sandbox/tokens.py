"""The cards the sandbox knows by their tokens, and how each of them behaves.

What a behaviour means on the wire is the server's business, what a refusal does to the ledger the operations'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

#: How an authorization is answered: at once, late, never (though the work is done), or after two 503s.
Behaviour = Literal["prompt", "slow", "silent", "flaky"]
#: The 503s a flaky card gets before its answer.
FLAKY_FAILURES = 2


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a bank says no: a code for programs, a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A test card. `declined` refuses its authorization, `capture_declined` the capture that follows."""

    brand: str = "visa"
    last4: str = "4242"
    behaviour: Behaviour = "prompt"
    declined: Refusal | None = None
    capture_declined: Refusal | None = None


INVALID_TOKEN = Refusal("invalid_token", "There is no such payment token.")
_CARD_DECLINED = Refusal("card_declined", "Your card was declined.")

#: A card for a token nobody issued: it is refused like any other, and stands in the ledger.
UNKNOWN = Card(brand="unknown", last4="0000", declined=INVALID_TOKEN)

CARDS: Mapping[str, Card] = {
    "tok_visa": Card(),
    "tok_mastercard": Card(brand="mastercard", last4="4444"),
    "tok_declined": Card(last4="0002", declined=_CARD_DECLINED),
    "tok_insufficient_funds": Card(
        last4="9995", declined=Refusal("insufficient_funds", "Your card has insufficient funds.")
    ),
    "tok_expired_card": Card(last4="0069", declined=Refusal("expired_card", "Your card has expired.")),
    "tok_slow": Card(behaviour="slow"),
    "tok_timeout": Card(behaviour="silent"),
    "tok_flaky": Card(behaviour="flaky"),
    "tok_late_decline": Card(last4="0341", capture_declined=_CARD_DECLINED),
}


def card_of(token: str) -> Card:
    return CARDS.get(token, UNKNOWN)
