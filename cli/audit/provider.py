"""P4, and the provider's ledger as the auditor adds it up: what was authorized, taken and given back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from cli.audit.facts import NOTHING, Entry
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.wire import short


@dataclass(slots=True)
class Account:
    """One of our payments as the provider sees it."""

    captured: Decimal = NOTHING
    refunded: Decimal = NOTHING
    #: The provider's ids of authorizations that were neither captured nor voided.
    open: set[str] = field(default_factory=set)
    capture_failed: bool = False
    #: Our refund id -> what was given back for it.
    refunds: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def lost(self) -> bool:
        """Whether its capture failed for good."""
        return self.capture_failed and not self.captured

    @property
    def net(self) -> Decimal:
        return self.captured - self.refunded

    def take(self, entry: Entry) -> None:
        match entry.kind:
            case "authorized":
                self.open.add(entry.payment)
            case "captured":
                self.open.discard(entry.payment)
                self.captured += entry.amount
            case "capture_failed":  # the provider lets go of the authorization then
                self.open.discard(entry.payment)
                self.capture_failed = True
            case "voided":
                self.open.discard(entry.payment)
            case "refunded":
                self.refunded += entry.amount
                self.refunds[entry.refund_reference or ""] += entry.amount


def accounts(ledger: Iterable[Entry]) -> defaultdict[str, Account]:
    """Every payment's account, by our reference."""
    found: defaultdict[str, Account] = defaultdict(Account)
    for entry in ledger:
        found[entry.reference].take(entry)
    return found


def in_view(history: History, ledger: Iterable[Entry]) -> list[Entry]:
    """The ledger without what was done after the log was read, for calls that were not read."""
    known = {call for payment in history.payments.values() for call in payment.calls}
    return [entry for entry in ledger if not history.recent(entry.at) or short(entry.idempotency_key or "") in known]


def check_refunds(history: History) -> Verdict:
    """P4, read as: at every line of the ledger, of each payment no more was given back than taken."""
    verdict = Verdict("P4", "refunds are at most the captures")
    if history.ledger is None:
        verdict.applicable, verdict.note = False, "there is no ledger to read"
        return verdict
    found: defaultdict[str, Account] = defaultdict(Account)
    for entry in history.ledger:
        account = found[entry.reference]
        account.take(entry)
        if entry.kind == "refunded" and account.refunded > account.captured:
            verdict.find(entry.reference, f"{account.refunded} was refunded of {account.captured} captured")
    verdict.checked = len(found)
    return verdict
