"""Our payments beside the provider's: every payment at rest has the same money and the same state on both sides.

What is under way is counted, not compared. The platform's side is its rows, the provider's its ledger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from cli.audit.changelog import PaymentRow
from cli.audit.facts import Entry
from cli.audit.history import History
from cli.audit.provider import Account, accounts, in_view

Kind = Literal["missing there", "missing here", "other amount", "other state"]

#: What the provider may say of a payment that our row has in a status; "" stands for nothing at all.
_STATES: dict[str, frozenset[str]] = {
    "AUTHORIZED": frozenset({"authorized"}),
    "CAPTURED": frozenset({"captured"}),
    # One whose authorization expired before its capture was voided by the provider itself.
    "CAPTURE_FAILED": frozenset({"capture_failed", "voided"}),
    "VOIDED": frozenset({"voided"}),
    # One whose guest's data is erased is declined without asking.
    "DECLINED": frozenset({"declined", ""}),
    "REFUSED": frozenset({""}),
}


class Difference(NamedTuple):
    """One payment that is not the same on both sides, as each of them has it."""

    payment_id: str
    kind: Kind
    here: str
    there: str


@dataclass
class Reconciliation:
    compared: int = 0
    under_way: int = 0
    differences: list[Difference] = field(default_factory=list)


def reconcile(history: History, ledger: list[Entry]) -> Reconciliation:
    """Compares every payment that either side knows."""
    found, seen = Reconciliation(), in_view(history, ledger)
    books, states = accounts(seen), _states(seen)
    rows = {name: row.content for name, row in history.rows["payment"].items() if isinstance(row.content, PaymentRow)}
    for payment_id in sorted(rows.keys() | states.keys()):
        row, known = rows.get(payment_id), history.payments.get(payment_id)
        if known is not None and known.last >= 0 and not history.payment_settled(known):
            found.under_way += 1
            continue
        found.compared += 1
        found.differences += _compare(payment_id, row, books[payment_id], states.get(payment_id, ""))
    return found


def _compare(payment_id: str, row: PaymentRow | None, account: Account, state: str) -> Iterator[Difference]:
    if row is None:
        yield Difference(payment_id, "missing here", "nothing", _money(account.captured, account.refunded, state))
        return
    here, there = (_money(row.captured, row.refunded, row.status), _money(account.captured, account.refunded, state))
    expected = _STATES.get(row.status, frozenset({"authorized"}))
    if not state and state not in expected:
        yield Difference(payment_id, "missing there", here, "nothing")
    elif state not in expected:
        yield Difference(payment_id, "other state", here, there)
    elif (row.captured, row.refunded) != (account.captured, account.refunded):
        yield Difference(payment_id, "other amount", here, there)


def _states(ledger: list[Entry]) -> dict[str, str]:
    """The last state of each payment by our reference; of one authorized twice, of the one that holds or held money."""
    last: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for entry in ledger:
        kind = {"refunded": "captured", "expired": "voided"}.get(entry.kind, entry.kind)
        last[entry.reference][entry.payment] = kind
    order = ("captured", "authorized", "capture_failed", "voided", "declined")
    return {name: min(kinds.values(), key=order.index) for name, kinds in last.items()}


def _money(captured: object, refunded: object, state: str) -> str:
    return f"{state or 'nothing'}, {captured} captured, {refunded} refunded"
