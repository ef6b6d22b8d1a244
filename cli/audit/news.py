"""What the world reads: news on the documented topics, whoever wrote it.

Ours becomes facts. Another program may ask for something there; what it says beside that is not its to say, and belongs
on the dead-letter topic like what nobody can read.
"""

from __future__ import annotations

from collections.abc import Callable

from cli.audit import erased, hooks, names
from cli.audit.dialect import is_ours
from cli.audit.facts import Asked, Change, Ending, Place, Poison, ReceiptRow
from cli.audit.history import History, Orphan
from cli.audit.inventory_inbox import resource_of
from cli.audit.notices import news_told
from cli.audit.operations import Hold, Release
from cli.audit.wire import REST, Letter, Record, digest, header, milliseconds, money, short

Filed = Callable[[History, Record, Letter], None]


def hear_again(history: History, record: Record) -> None:
    """Files a replay as what it was on its own topic; nobody but the gate is told of it."""
    place = Place(record.topic, record.partition, record.offset)
    topic = history.spelling.origin(header(record.headers, "vacancy-replay-topic") or "")
    group = history.spelling.origin(header(record.headers, "vacancy-replay-group") or "")
    if topic not in history.dialect.public or group != history.dialect.gate:
        history.poison.append(Poison(place, record.timestamp, f"is a replay of {topic} to {group}, which reads none"))
    elif not is_ours(record):
        value = None if header(record.headers, "vacancy-replay-value") == "null" else record.value
        hear(history, record._replace(topic=topic, value=value), place)


def hear(history: History, record: Record, place: Place | None = None) -> None:
    """Files one record of a public topic that is on no dead-letter topic; a replay stands elsewhere."""
    place = place or Place(record.topic, record.partition, record.offset)
    topic = history.spelling.on_broker(record.topic)
    letter = history.dialect.read(record, f"{topic}/{record.partition}/{record.offset}")
    if letter is None:
        history.poison.append(Poison(place, record.timestamp, "holds no message"))
    elif is_ours(record):
        _ours(history, record, letter, place)
    else:
        history.know(letter.event_id, None)
        if names.is_request(letter.event_type):
            asked = Asked(letter.event_type, place, record.timestamp)
            history.asked.setdefault(short(letter.event_id), asked)
        else:
            why = f"is another program's {letter.event_type}"
            history.poison.append(Poison(place, record.timestamp, why))


def _ours(history: History, record: Record, letter: Letter, place: Place) -> None:
    file = NEWS.get(letter.event_type)
    if file is not None:
        try:
            file(history, record, letter)
        except (KeyError, TypeError, ValueError, ArithmeticError):
            return history.poison.append(Poison(place, record.timestamp, f"is no {letter.event_type}"))
    news_told(history, record, letter)
    hooks.tell(history, record, letter)
    beside = (header(record.headers, REST) or "").encode()
    history.identify(letter.event_id, letter.event_type, digest(record.value, beside))
    history.know(letter.event_id, None)
    if letter.event_type not in names.ORIGINS or letter.cause is not None:
        history.needs(Orphan(letter.event_type, letter.event_id, letter.cause, record.timestamp))


def _created(history: History, record: Record, letter: Letter) -> None:
    history.bookings[letter.data["booking_id"]].created = True


def _updated(history: History, record: Record, letter: Letter) -> None:
    booking = history.bookings[letter.data["booking_id"]]
    change = Change(money(letter.data["price_amount"]), short(letter.cause or ""))
    booking.updates.setdefault(int(letter.data["revision"]), change)


def _moved_on(status: str) -> Filed:
    def file(history: History, record: Record, letter: Letter) -> None:
        history.bookings[letter.data["booking_id"]].moved_on.add(status)

    return file


def _checked_in(history: History, record: Record, letter: Letter) -> None:
    _moved_on("CHECKED_IN")(history, record, letter)
    history.bookings[letter.data["booking_id"]].arrivals.add(short(letter.cause or ""))


def _ended(history: History, record: Record, letter: Letter) -> None:
    booking = history.bookings[letter.data["booking_id"]]
    before = booking.endings.get(letter.event_id)
    at = record.timestamp if before is None else min(before.at, record.timestamp)
    booking.endings[letter.event_id] = Ending(letter.event_type, letter.event_id, at, short(letter.cause or ""))


def _cancelled(history: History, record: Record, letter: Letter) -> None:
    booking = history.bookings[letter.data["booking_id"]]
    booking.refund_amount = money(letter.data["refund_amount"])
    booking.reason = str(letter.data["cancellation_reason"])
    _ended(history, record, letter)


def _never_came(history: History, record: Record, letter: Letter) -> None:
    booking = history.bookings[letter.data["booking_id"]]
    booking.moved_on.add("NO_SHOW")
    booking.refund_amount = money(letter.data.get("refund_amount") or 0)
    _ended(history, record, letter)


def _payment_created(history: History, record: Record, letter: Letter) -> None:
    history.payments[letter.data["payment_id"]].created = True


def _paid(history: History, record: Record, letter: Letter) -> None:
    if names.RECEIPT not in history.dialect.topics:
        return  # nobody gives receipts, and not every document shows a currency
    receipt = history.receipts[letter.data["payment_id"]]
    receipt.paid = money(letter.data["amount"]), str(letter.data["currency"])
    receipt.at = record.timestamp


def _receipted(history: History, record: Record, letter: Letter) -> None:
    data, receipt = letter.data, history.receipts[letter.data["payment_id"]]
    receipt.at = max(receipt.at, record.timestamp)
    told = ReceiptRow(str(data["receipt_number"]), (money(data["amount"]), str(data["currency"])))
    receipt.told.setdefault(letter.event_id, told)


def _offered(history: History, record: Record, letter: Letter) -> None:
    data, times = letter.data, (letter.data["start_time"], letter.data["end_time"])
    at = milliseconds(data["offered_at"])
    held = Hold(-1, "", resource_of(data), data["entry_id"], 0, 1, *times, int(data["quantity"]), at=at)
    history.offers[short(letter.cause or "")].append(held)


def _offer_over(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    history.offer_ends[short(letter.cause or "")].append(Release(-1, resource_of(data), data["entry_id"], 0, 1))


#: Of these types something is kept; wherever a layout has them, for each type has one topic.
NEWS: dict[str, Filed] = {
    names.ERASED: erased.news_told,
    names.CREATED: _created,
    names.UPDATED: _updated,
    names.CONFIRMED: _ended,
    names.REJECTED: _ended,
    names.EXPIRED: _ended,
    names.CANCELLED: _cancelled,
    names.CHECKED_IN: _checked_in,
    names.COMPLETED: _moved_on("COMPLETED"),
    names.NO_SHOW: _never_came,
    names.PAYMENT_CREATED: _payment_created,
    names.PAID: _paid,
    names.RECEIPT: _receipted,
    "waitlist.entry.offered": _offered,
    "waitlist.entry.accepted": _offer_over,
    "waitlist.entry.expired": _offer_over,
    "waitlist.entry.withdrawn": _offer_over,
}
