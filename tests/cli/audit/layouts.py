"""A clean history under each layout: what was booked, refused, cancelled, changed and asked for by other programs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from cli.audit import names
from cli.audit.dialect import Dialect
from cli.audit.dialects import CAMPSITE, CATALOGUE, CLINIC, HOTEL, ORDERS
from tests.cli.audit.clean import CLINIC as PRACTICE
from tests.cli.audit.clean import NIGHT, booking_row, confirm, night, rows
from tests.cli.audit.story import PRICE, Story

GOODS = "stock/mug"
LOWER = PRICE - Decimal("60.00")
NOTICE = "5d2f2a0e-7a46-5f7d-9a53-0d2c3d1f9b11"


def stays(dialect: Dialect, namespace: str = "") -> Story:
    """Nights, authorized and then confirmed: catalogue, campsite, hotel."""
    story = Story(dialect, namespace)
    story.declare(2)
    confirm(story, "booked")
    _sold_out(story, "refused")
    confirm(story, "left", start="2026-04-01")
    story.cancel("left", PRICE)
    story.refunded("left", PRICE)
    _stay(story, "stayed")
    _miss(story, "missing")
    change(story, "changed")
    story.wait(minutes=2)
    _foreign(story, "foreign")
    rows(story, "booked", "CONFIRMED", PRICE)
    rows(story, "refused", "REJECTED")
    rows(story, "left", "CANCELLED", PRICE, refund=PRICE)
    rows(story, "stayed", "COMPLETED", PRICE)
    rows(story, "missing", "NO_SHOW", PRICE)
    rows(story, "changed", "CONFIRMED", PRICE, difference=PRICE - LOWER)
    rows(story, "foreign", "CONFIRMED", PRICE)
    night(story, NIGHT, {"booked/1": {"1": 1}, "foreign/1": {"1": 1}})
    for slot, name in {"2026-05-01": "stayed", "2026-05-02": "missing"}.items():
        night(story, slot, {f"{name}/1": {"1": 1}})
    night(story, "2026-08-01", {"changed/1": {"2": 1}})
    notify(story, "booked")
    story.settle()
    return story


def _sold_out(story: Story, name: str) -> None:
    story.request(name)
    story.hold(name, NIGHT, 1)
    story.answer(name, "line.rejected", cause="hold", line=1, reason="below_min_stay")
    story.world(name, names.REJECTED, cause="line.rejected", reason="below_min_stay")
    story.authorized(name)
    story.pay(name, "void", cause="line.rejected", reason="below_min_stay")
    story.provider(name, "void", "voided")


def _stay(story: Story, name: str) -> None:
    confirm(story, name, start="2026-05-01")
    story.ask(name, "check_in")
    story.world(name, names.CHECKED_IN, cause="check_in")
    story.ask(name, "check_out")
    story.world(name, names.COMPLETED, cause="check_out")


def _miss(story: Story, name: str) -> None:
    confirm(story, name, start="2026-05-02")
    story.ask(name, "mark_no_show")
    story.world(name, names.NO_SHOW, cause="mark_no_show")


def change(story: Story, name: str, *, given: bool = True) -> None:
    """Other nights at a lower price: the difference goes back, or is forgotten."""
    confirm(story, name, start="2026-07-01")
    story.ask(name, "change", revision=2)
    story.hold(name, "2026-08-01", 1, revision=2, cause="change")
    story.reserved(name, revision=2)
    money = {"price_amount": float(LOWER), "price_currency": "EUR"}
    story.world(name, names.UPDATED, cause="line.reserved", revision=2, status="CONFIRMED", **money)
    story.release(name, "line.reserved")
    if given:
        story.refunded(name, PRICE - LOWER, cause="line.reserved", why="difference")


def _foreign(story: Story, name: str) -> None:
    """Another program announces a booking, says an outcome that is ours to say, and something that is no message."""
    _, created = story.hear(names.CREATED, {"booking_id": name, "price_amount": float(PRICE)}, key=name)
    story.request(name, cause=created, announced=True)
    story.hold(name, NIGHT, 1)
    story.reserved(name)
    story.authorized(name)
    story.world(name, names.CONFIRMED, cause="payment.authorized")
    story.captured(name)
    outcome, _ = story.hear(names.CONFIRMED, {"booking_id": "refused"}, key="refused")
    story.bury(outcome)
    story.bury(story.put(outcome.topic, "nobody", b"\x00 no message"))


def notify(story: Story, name: str) -> None:
    """A mail about a confirmed booking, from the news of it to the news that it was sent."""
    about = {"notice_id": NOTICE, "user_id": "guest"}
    inbox, effects = names.NOTIFICATION_INBOX, names.NOTIFICATION_EFFECTS
    news = story.bookings[name].last[names.CONFIRMED]
    request = {**about, "channel": "mail", "cause_id": news}
    asked = story.say(inbox, "notification.notice.request", request, key="guest", cause=news)
    order = story.say(effects, "notification.effect.mail", about, key="guest", cause=asked)
    data = {**about, "effect_id": order}
    answered = story.say(inbox, "notification.effect.answered", data, key="guest", cause=order)
    sent = {"notification_id": NOTICE, "user_id": "guest"}
    story.tell("notification.email.sent", sent, key="guest", cause=answered)
    last = story.end(inbox, story.partition("guest"))
    content = {"channel": "mail", "status": "sent"}
    story.row("notification", f"n|guest|{NOTICE}", content, partition="guest", source=last)


def goods(namespace: str = "") -> Story:
    """Orders: the money first, then the stock of three."""
    story = Story(ORDERS, namespace)
    story.declare(3, GOODS, slots="none")
    order(story, "sold", 2)
    _out_of_stock(story, "refused")
    order(story, "returned", 1)
    story.declare(7, GOODS, slots="none")  # counted: three are sold and gone
    order(story, "after", 7)
    story.cancel("returned", PRICE, unit=GOODS)
    story.refunded("returned", PRICE)
    order(story, "last", 1)
    for name in ("sold", "after", "last"):
        rows(story, name, "CONFIRMED", PRICE)
    rows(story, "refused", "REJECTED", PRICE, unpay=PRICE)
    rows(story, "returned", "CANCELLED", PRICE, refund=PRICE)
    night(story, "stock", {}, GOODS, sold=7)
    _poison(story, "order_created", "payment.payment.failed")
    story.settle()
    return story


def order(story: Story, name: str, quantity: int) -> None:
    """An order that is paid, found in stock and confirmed."""
    pay_first(story, name)
    story.hold(name, NIGHT, 1, quantity, unit=GOODS, cause="payment.captured")
    story.reserved(name)
    story.world(name, names.CONFIRMED, cause="line.reserved")
    story.world(name, names.STOCK_NEWS, cause="line.reserved", status="reserved")
    story.sell(name, "line.reserved", unit=GOODS)


def pay_first(story: Story, name: str) -> None:
    """An order whose money is taken before its goods are looked for."""
    story.request(name, kind="order", confirm_on="payment.captured")
    story.authorized(name)
    story.captured(name)


def _out_of_stock(story: Story, name: str) -> None:
    pay_first(story, name)
    story.hold(name, NIGHT, 1, 2, unit=GOODS, cause="payment.captured")
    story.answer(name, "line.rejected", cause="hold", line=1, reason="sold_out")
    story.world(name, names.REJECTED, cause="line.rejected", reason="sold_out")
    story.world(name, names.STOCK_NEWS, cause="line.rejected", status="out_of_stock")
    story.refunded(name, PRICE, cause="line.rejected", why="unpay")


def visits(namespace: str = "") -> Story:
    """Appointments: confirmed by inventory alone, paid at the desk."""
    story = Story(CLINIC, namespace)
    story.declare(1, PRACTICE, slots=15)
    for name, at in {"booked": "2026-03-01T09:00", "left": "2026-03-02T09:00"}.items():
        visit(story, name, at)
        story.world(name, names.CONFIRMED, cause="line.reserved")
        story.sell(name, "line.reserved", unit=PRACTICE)
    story.cancel("left", Decimal(0), unit=PRACTICE)
    _taken(story, "refused")
    _unknown(story, "nowhere")
    statuses = {"booked": "CONFIRMED", "left": "CANCELLED", "refused": "REJECTED", "nowhere": "REJECTED"}
    for name, status in statuses.items():
        booking_row(story, name, status)
    night(story, "2026-03-01T09:00Z", {"booked/1": {"1": 1}}, PRACTICE)
    _poison(story, "appointment-events", names.COMPLETED)
    _record(story)
    story.settle()
    return story


def visit(story: Story, name: str, at: str) -> None:
    """An appointment that inventory has agreed to."""
    story.request(name, kind="appointment", confirm_on="inventory", prepaid=False)
    story.hold(name, at, 0, unit=PRACTICE)
    story.reserved(name)


def _taken(story: Story, name: str) -> None:
    story.request(name, kind="appointment", confirm_on="inventory", prepaid=False)
    story.hold(name, "2026-03-01T09:00", 0, unit=PRACTICE)
    story.answer(name, "line.rejected", cause="hold", line=1, reason="sold_out")
    story.world(name, names.REJECTED, cause="line.rejected", reason="sold_out")


def _unknown(story: Story, name: str) -> None:
    """Refused at entry: nothing is asked of anybody."""
    story.request(name, prepaid=False, refusal="unknown_resource")
    story.world(name, names.REJECTED, cause="request", reason="unknown_resource")


def _record(story: Story) -> None:
    """Another program writes a prescription."""
    _, written = story.hear("record.prescription.created", {"record_id": "rx"}, key="rx")
    data = {"record_id": "rx", "announced": True}
    story.say(names.inbox_of("record"), "record.record.open", data, key="rx", cause=written)


def _poison(story: Story, topic: str, outcome: str) -> None:
    story.bury(story.put(topic, "nobody", b"\xff\xfe"))
    said, _ = story.hear(outcome, {"booking_id": "refused", "payment_id": "x"}, key="refused")
    story.bury(said)


#: By layout; each takes the namespace that its instance is in.
LAYOUTS: dict[str, Callable[..., Story]] = {
    "catalogue": partial(stays, CATALOGUE),
    "campsite": partial(stays, CAMPSITE),
    "hotel": partial(stays, HOTEL),
    "orders": goods,
    "clinic": visits,
}
