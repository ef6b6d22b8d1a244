"""P9, what follows a payment: every payment that succeeded has exactly one receipt, under a number nobody else has.

Read as: for each payment the world was told succeeded, the receipt service remembers one receipt over that amount, and
told the world of it once, under that number and over that amount. No two receipts have one number. Whether it was
written on paper is not looked at: a page is made when somebody reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from cli.audit import mail, names
from cli.audit.facts import Receipt, ReceiptRow
from cli.audit.findings import Verdict
from cli.audit.history import History


def check(history: History) -> Verdict:
    """The verdict on P9: mail, and the receipts of an instance that gives any."""
    verdict = mail.check(history)
    if names.RECEIPT not in history.dialect.topics or not history.receipts:
        return verdict
    verdict.applicable = True
    found = ((payment_id, row.content) for payment_id, row in history.rows["receipt"].items())
    rows = {payment_id: content for payment_id, content in found if isinstance(content, ReceiptRow)}
    for payment_id, receipt in sorted(history.receipts.items()):
        row = rows.get(payment_id)
        if row is not None:
            verdict.checked += 1
            _judge(history, verdict, payment_id, receipt, row)
        elif _decided(history, receipt):
            verdict.find(payment_id, "succeeded, but has no receipt")
        else:
            verdict.open += 1
    _numbers(verdict, rows)
    return verdict


def _decided(history: History, receipt: Receipt) -> bool:
    """Whether there must be a receipt by now."""
    asked = receipt.asked
    return history.handled(asked) if asked is not None else history.overdue(receipt.at)


def _judge(history: History, verdict: Verdict, payment_id: str, receipt: Receipt, row: ReceiptRow) -> None:
    if receipt.paid is not None and row.sum != receipt.paid:
        verdict.find(payment_id, f"paid {_shown(receipt.paid)}, but its receipt is over {_shown(row.sum)}")
    if len(receipt.told) > 1:
        verdict.find(payment_id, f"{len(receipt.told)} receipts were told")
    for told in receipt.told.values():
        if (told.number, told.sum) != (row.number, row.sum):
            verdict.find(payment_id, f"{told.number} over {_shown(told.sum)} was told, and its receipt is another")
    if receipt.told:
        return
    if not row.told:
        verdict.open += 1
    elif receipt.at < history.forgotten((names.RECEIPT,)):
        verdict.aged += 1
    else:
        verdict.find(payment_id, "has a receipt that the world was not told of")


def _numbers(verdict: Verdict, rows: Mapping[str, ReceiptRow]) -> None:
    given = Counter(row.number for row in rows.values())
    for payment_id, row in sorted(rows.items()):
        if given[row.number] > 1:
            verdict.find(payment_id, f"its receipt has the number {row.number}, and so has another")


def _shown(amount: tuple[Decimal, str]) -> str:
    return f"{amount[0]} {amount[1]}"
