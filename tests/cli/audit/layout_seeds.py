"""Ways to break a promise that only some layouts have, as something that goes wrong in a clean story of theirs."""

from __future__ import annotations

from decimal import Decimal

from cli.audit import names
from tests.cli.audit.clean import CLINIC, NIGHT, booking_row, confirm, night, rows
from tests.cli.audit.layouts import GOODS, change, notify, order, pay_first, visit
from tests.cli.audit.story import PRICE, Story
from tests.cli.audit.tongues import topic_of

FIRST = {"catalogue": "booked", "campsite": "booked", "hotel": "booked", "orders": "sold", "clinic": "booked"}


# --- under every layout ---


def two_outcomes(story: Story) -> None:
    story.world(FIRST[story.dialect.name], names.EXPIRED, cause="request")


def only_another_program_confirms(story: Story) -> None:
    story.request("z")
    story.hear(names.CONFIRMED, {"booking_id": "z"}, key="z")
    story.wait(minutes=12)
    story.declare(2)


def another_program_s_outcome(story: Story) -> None:
    story.hear(names.CONFIRMED, {"booking_id": "z"}, key="z")


def no_message(story: Story) -> None:
    story.put(topic_of(story.dialect, names.CREATED), "z", b"\x00")


def news_in_the_wrong_place(story: Story) -> None:
    """News that the document has a topic for, where that is which it has none for."""
    story.say(names.EVENTS, names.CREATED, {"booking_id": "z"}, key="z")


def letter_altered(story: Story) -> None:
    story.bury(story.put(topic_of(story.dialect, names.CREATED), "z", b"\x00"), value=b"\x01")


def request_lost(story: Story) -> None:
    story.hear(names.CREATED, {"booking_id": "z"}, key="z")


def announced_again(story: Story) -> None:
    _, created = story.hear(names.CREATED, {"booking_id": "z"}, key="z")
    story.request("z", cause=created, announced=True, prepaid=False)
    story.world("z", names.CREATED, cause="request", price_amount=1.0)
    story.world("z", names.REJECTED, cause="request")


def said_otherwise_beside(story: Story) -> None:
    """The same document, and something else in the header beside it."""
    topic = topic_of(story.dialect, names.CREATED)
    told = next(record for record in story.records if record.topic == topic and dict(record.headers).get("vacancy-sig"))
    headers = [header for header in told.headers if header[0] != "vacancy-rest"]
    beside = dict(told.headers).get("vacancy-rest", b"{}").replace(b"{", b'{"note": 1, ', 1).replace(b", }", b"}")
    story.put(topic, "z", told.value, [*headers, ("vacancy-rest", beside)])


def buried_by_another_group(story: Story) -> None:
    """A bridge could not use it; the gate has not looked at it."""
    story.bury(story.put(topic_of(story.dialect, names.CREATED), "z", b"\x00"), by="vacancy-bridge")


# --- stays ---


def difference_kept(story: Story) -> None:
    change(story, "z", given=False)


def stayed_but_forgotten(story: Story) -> None:
    booking_row(story, "stayed", "CONFIRMED")


def never_missing(story: Story) -> None:
    confirm(story, "z", start="2026-10-01")
    rows(story, "z", "NO_SHOW", PRICE)


def order_lost(story: Story) -> None:
    notify(story, "left")
    answers = [record for record in story.records if b"notification.effect.answered" in (record.value or b"")]
    story.records.remove(answers[-1])


# --- orders ---


def held_before_the_money(story: Story) -> None:
    story.request("z", confirm_on="payment.captured")
    story.hold("z", NIGHT, 1, unit=GOODS)


def captured_without_authorization(story: Story) -> None:
    story.request("z", confirm_on="payment.captured")
    story.authorized("z")
    story.pay("z", "capture", cause="request")


def captured_unasked(story: Story) -> None:
    """There is no answer to the authorization yet."""
    story.request("z", confirm_on="payment.captured")
    story.pay("z", "capture", cause="request")
    story.answer("z", "payment.captured", cause="capture", amount=1.0)


def money_kept(story: Story) -> None:
    pay_first(story, "z")
    story.world("z", names.REJECTED, cause="payment.captured", reason="sold_out")
    rows(story, "z", "REJECTED", PRICE)


def sold_out_twice(story: Story) -> None:
    order(story, "z", 1)  # seven of seven are gone


def sold_beside_what_is_held(story: Story) -> None:
    """A new count does not free what is held and not sold yet."""
    story.declare(2, GOODS, slots="none")
    pay_first(story, "y")
    story.hold("y", NIGHT, 1, 2, unit=GOODS, cause="payment.captured")
    story.reserved("y")
    story.declare(2, GOODS, slots="none")
    order(story, "z", 1)


def returned_twice(story: Story) -> None:
    """What came back once does not come back again."""
    story.release("returned", "cancel", unit=GOODS)
    order(story, "z", 1)


def stock_miscounted(story: Story) -> None:
    night(story, "stock", {}, GOODS, sold=6)


# --- appointments ---


def taken_at_the_desk(story: Story) -> None:
    visit(story, "z", "2026-09-01T09:00")
    story.world("z", names.CONFIRMED, cause="line.reserved")
    story.authorized("z")
    story.captured("z")


def slot_sold_twice(story: Story) -> None:
    visit(story, "z", "2026-03-01T09:10")


def never_gave_back(story: Story) -> None:
    """The day of a cancelled appointment is still taken in the row."""
    night(story, "2026-03-02T09:00Z", {"left/1": {"1": 1}}, CLINIC)


def nothing_owed(story: Story) -> None:
    """A fee that was announced of a booking nothing was paid for changes nothing."""
    visit(story, "z", "2026-09-01T09:00")
    story.world("z", names.CONFIRMED, cause="line.reserved")
    story.cancel("z", Decimal("5.00"), unit=CLINIC)
