"""P3 and P4: what is owed by the test's own cash book (`book`), measured by the provider's own books."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from domain.booking import payment_id_of
from streams.events.booking import RequestBooking
from streams.events.payment import Refund
from streams.events.payment_news import PaymentSettled
from tests.domain.provider import Account
from tests.lives.book import NOTHING, Book
from tests.lives.life import Lives
from tests.lives.rows import heard_by_place, rows_of


def book_of(lives: Lives, asked: RequestBooking) -> Book:
    """The booking's story, record by record."""
    because = heard_by_place(lives)
    book = Book(asked, asked.lines, asked.price_amount, asked.free_until)
    for record in lives.processes["booking"].inbox:
        if getattr(record.message.data, "booking_id", "") == asked.booking_id:
            book.take(record, because["booking", record.offset])
    return book


def assert_money(lives: Lives, asked: RequestBooking) -> None:
    """P3 and P4: what is kept is what is owed, and nothing is left authorized."""
    book, accounts = book_of(lives, asked), accounts_of(lives, asked.booking_id)
    assert all(account.state != "authorized" for account in accounts), accounts
    assert all(account.refunded <= account.amount for account in accounts), accounts
    taken = {account.payment_id for account in accounts if account.state == "captured"}
    revisions = [1, *(revision for revision, _ in book.changes)]
    never = {payment_id_of(asked.booking_id, revision) for revision in revisions} - taken
    kept = sum((account.kept for account in accounts), NOTHING)
    owed, vain = book.owed(never), vain_gifts(lives, asked.booking_id, never)
    assert max(owed - vain, NOTHING) <= kept <= owed, (kept, owed, vain, book)
    row = rows_of(lives, "booking", f"b|{asked.booking_id}")[f"b|{asked.booking_id}"]
    refunds = sum((Decimal(str(amount)) for amount in row.get("refunds", {}).values()), NOTHING)
    assert Decimal(str(row.get("captured", 0))) - refunds == kept
    if book.confirmed and book.back is None and not book.undone:
        missing = sum((Decimal(str(each.get("owed", 0))) for each in row.get("supplements", ())), NOTHING)
        assert missing == (book.price - book.paid(never) if asked.prepaid else NOTHING), (missing, book)


def vain_gifts(lives: Lives, booking_id: str, never_taken: set[str]) -> Decimal:
    """What operators ordered back of payments that were never taken: while their capture was open it was reckoned
    with, and other payments may have given what policy could not have of these.
    """
    orders = orders_of(lives, booking_id, "operator")
    return sum((order.amount for order in orders if order.payment_id in never_taken), NOTHING)


def accounts_of(lives: Lives, booking_id: str) -> list[Account]:
    """Whatever payments a booking has."""
    payments = {
        row["payment_id"] for row in rows_of(lives, "payment", "p|").values() if row["booking_id"] == booking_id
    }
    return [account for account in lives.provider.accounts.values() if account.payment_id in payments]


def orders_of(lives: Lives, booking_id: str, ordered_by: str) -> list[Refund]:
    """The refunds that were ordered, each once."""
    orders = {
        record.message.data.refund_id: record.message.data
        for record in lives.processes["payment"].inbox
        if isinstance(record.message.data, Refund)
    }
    return [each for each in orders.values() if (each.booking_id, each.ordered_by) == (booking_id, ordered_by)]


def given(lives: Lives, order: Refund) -> bool:
    """Whether the provider gave it."""
    return any(answer.approved and answer.refund_id == order.refund_id for answer in lives.provider.said.values())


def assert_settled_once(lives: Lives) -> None:
    """HTL-09: a payout is booked once, of what was taken; what waits for a settlement run is what no run has booked."""
    booked = Counter(each.data.payment_id for each in lives.heard if isinstance(each.data, PaymentSettled))
    assert all(times == 1 for times in booked.values()), booked
    taken = {account.payment_id for account in lives.provider.accounts.values() if account.state == "captured"}
    assert booked.keys() <= taken
    waiting = {row["payment_id"] for row in rows_of(lives, "payment", "s|").values()}
    assert waiting == taken - booked.keys()
