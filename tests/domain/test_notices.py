"""Which news makes which notice, and what becomes of one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decision import Decision
from domain.facts import facts_of
from domain.notices import Contact, Notice, decide, learn, notice_id_of, notices_of
from streams.events import Envelope, Event
from streams.events.about import About, Kind, Line
from streams.events.analytics import Observe
from streams.events.availability import NightUpdated
from streams.events.booking_news import BookingCancelled, BookingConfirmed, BookingCreated, InventoryUpdated
from streams.events.notices import (
    Channel,
    EmailSent,
    MailHandedOver,
    MarkRead,
    Notify,
    SendMail,
    SendSms,
    SmsHandedOver,
    SmsSent,
)
from streams.events.payment_news import PaymentFailed, PaymentRefundedEvent
from streams.events.records import PharmacyOrderShipped
from streams.events.users import UserCreated

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=3)
CATALOGUE = {
    "mail": {"booking.booking.confirmed": "booking_confirmed", "user.user.created": "welcome"},
    "app": {"booking.booking.created": "booking_received", "booking.booking.confirmed": "booking_confirmed"},
}


def line(number: int = 1, product: str = "double", quantity: int = 1, price: str = "240") -> Line:
    start, end = datetime(2026, 12, 23, 23, tzinfo=UTC), datetime(2026, 12, 25, 23, tzinfo=UTC)
    return Line(
        line=number,
        provider_id="hotel",
        product_id=product,
        start=start,
        end=end,
        quantity=quantity,
        price_amount=Decimal(price),
    )


def about(kind: Kind = "stay", *lines: Line, **more: Any) -> About:
    given: dict[str, Any] = {
        "kind": kind,
        "confirmation_number": "RSV-2026-000123",
        "lines": lines or (line(),),
        "price_amount": Decimal("240.0"),
        "price_currency": "EUR",
        "time_zone": "Europe/Berlin",
        "guest": "sealed guest",
    }
    return About(**given | more)


def confirmed(of: About | None = None) -> BookingConfirmed:
    return BookingConfirmed(
        booking_id="b1",
        user_id="u1",
        product_id="double",
        payment_id="p1",
        confirmed_at=NOW,
        price_amount=Decimal("240.0"),
        price_currency="EUR",
        about=of or about(),
    )


def envelope(event: Event, event_id: str = "e1") -> Envelope:
    return Envelope(
        event_id=event_id,
        event_type=event.event_type,
        event_version="1.0",
        timestamp=NOW,
        correlation_id="c1",
        data=event,
        source="booking-service",
    )


def notify(channel: Channel = "mail", **more: Any) -> Notify:
    given: dict[str, Any] = {
        "notice_id": "n1",
        "user_id": "u1",
        "channel": channel,
        "template": "booking_confirmed",
        "facts": {"amount": "240.00"},
        "guest": "sealed guest",
        "booking_id": "b1",
        "cause_id": "e1",
        "news": "booking.booking.confirmed",
    }
    return Notify(**given | more)


def handed_over(error: str | None = None) -> MailHandedOver:
    return MailHandedOver(notice_id="n1", user_id="u1", effect_id="f1", message_id="<n1@vacancy>", error=error)


READ = MarkRead(user_id="u1", notice_id="n1")


def after(*messages: Event, contact: Contact | None = None) -> tuple[Notice | None, list[Event]]:
    """The notice after these messages, stored as JSON between them, and what was said."""
    notice: Notice | None = None
    said: list[Event] = []
    for message in messages:
        decision: Decision[Notice | None] = decide(notice, contact, message, LATER)
        notice = decision.state and msgspec.json.decode(msgspec.json.encode(decision.state), type=Notice)
        assert notice == decision.state
        said += decision.events
    return notice, said


# --- from news to notices ---


@pytest.mark.proves("CAMP-09", "CAMP-10", "CAT-27")
def test_news_makes_one_notice_for_each_channel_that_names_it() -> None:
    mail, app = notices_of(envelope(confirmed()), CATALOGUE)
    assert (mail.channel, mail.template, mail.notice_id) == ("mail", "booking_confirmed", notice_id_of("e1", "mail"))
    assert (app.channel, app.notice_id) == ("app", notice_id_of("e1", "app"))
    assert (mail.user_id, mail.booking_id, mail.cause_id, mail.news) == ("u1", "b1", "e1", "booking.booking.confirmed")
    assert mail.guest == app.guest == "sealed guest"


@pytest.mark.proves("CAT-23")
def test_the_same_news_is_the_same_notice_and_other_news_another() -> None:
    first, again = (notices_of(envelope(confirmed()), CATALOGUE) for _ in range(2))
    other = notices_of(envelope(confirmed(), "e2"), CATALOGUE)
    assert first == again
    assert {each.notice_id for each in first}.isdisjoint(each.notice_id for each in other)


def test_news_no_channel_names_and_news_of_nobody_make_none() -> None:
    told = {"app": {"availability.night.updated": "notice"}}
    night = NightUpdated(
        provider_id="hotel",
        product_id="double",
        slot="2026-12-24",
        capacity=2,
        held=1,
        free=1,
        updated_at=NOW,
    )
    assert notices_of(envelope(confirmed()), {"mail": {}}) == []
    assert notices_of(envelope(night), told) == []


def test_personal_data_is_taken_sealed_from_wherever_the_news_has_it() -> None:
    user = UserCreated(user_id="u1", personal="sealed user", created_at=NOW)
    record = PharmacyOrderShipped(
        record_id="r1", user_id="u1", content="sealed record", status="shipped", revision=2, changed_at=NOW
    )
    told = {"mail": {"user.user.created": "welcome", "record.order.shipped": "order_shipped"}}
    (welcome,) = notices_of(envelope(user), told)
    (shipped,) = notices_of(envelope(record), told)
    assert (welcome.guest, welcome.facts, welcome.booking_id) == ("sealed user", {}, None)
    assert shipped.guest == "sealed record"
    assert shipped.facts == {"kind": "order", "status": "shipped", "record_id": "r1", "revision": 2}
    (nobody,) = notices_of(envelope(msgspec.structs.replace(user, personal="")), told)
    assert nobody.guest is None


# --- the facts ---


def test_a_stay_says_its_local_dates() -> None:
    assert facts_of(confirmed()) == {
        "kind": "stay",
        "confirmation_number": "RSV-2026-000123",
        "product": "double",
        "provider": "hotel",
        "quantity": 1,
        "check_in": "2026-12-24",
        "check_out": "2026-12-26",
        "amount": "240.00",
        "currency": "EUR",
    }


def test_an_appointment_says_its_local_hour_and_what_it_is() -> None:
    facts = facts_of(confirmed(about("appointment", details={"visit_type": "virtual"})))
    assert (facts["start"], facts["end"], facts["time_zone"]) == (
        "2026-12-24 00:00",
        "2026-12-26 00:00",
        "Europe/Berlin",
    )
    assert facts["details"] == {"visit_type": "virtual"}


@pytest.mark.proves("ORD-05")
def test_an_order_says_its_lines_and_whether_there_was_stock() -> None:
    ordered = about("order", line(1, "tent", 1, "200"), line(2, "lamp", 2, "40"))
    told = InventoryUpdated(
        booking_id="b1", user_id="u1", product_id="tent", status="out_of_stock", updated_at=NOW, about=ordered
    )
    facts = facts_of(told)
    assert facts["lines"] == [
        {"product": "tent", "quantity": 1, "amount": "200.00"},
        {"product": "lamp", "quantity": 2, "amount": "40.00"},
    ]
    assert (facts["quantity"], facts["status"], facts["amount"]) == (3, "out_of_stock", "240.00")
    assert not {"start", "check_in"} & set(facts)


def test_a_cancellation_says_why_and_what_comes_back() -> None:
    told = BookingCancelled(
        booking_id="b1",
        user_id="u1",
        product_id="double",
        payment_id="p1",
        cancelled_at=NOW,
        cancellation_reason="plans changed",
        refund_eligible=True,
        refund_amount=Decimal("120"),
        refund_currency="EUR",
        about=About(price_amount=Decimal("240"), price_currency="EUR"),
    )
    assert facts_of(told) == {
        "kind": "booking",
        "confirmation_number": "",
        "product": "double",
        "reason": "plans changed",
        "refund_eligible": True,
        "refund": "120.00",
        "amount": "240.00",
        "currency": "EUR",
    }


def test_what_news_leaves_open_is_no_fact() -> None:
    told = InventoryUpdated(booking_id="b1", user_id="u1", product_id="double", status="reserved", updated_at=NOW)
    assert facts_of(told) == {"product": "double", "status": "reserved"}
    assert facts_of(Observe(entity_id="b1", event_id="e1", name="no sum", occurred_at=NOW)) == {}


def test_money_is_written_in_the_minor_units_of_its_currency() -> None:
    base: dict[str, Any] = {"payment_id": "p1", "booking_id": "b1", "user_id": "u1", "provider": "sandbox"}
    failed = PaymentFailed(
        **base, amount=Decimal("24000.0"), currency="JPY", error_code="card_declined", error_message="", failed_at=NOW
    )
    refunded = PaymentRefundedEvent(
        **base,
        about=about(),
        amount=Decimal("12.5"),
        currency="EUR",
        refund_id="r1",
        provider_refund_id="re_1",
        reason="noise",
        refunded_at=NOW,
    )
    assert facts_of(failed) == {"reason": "card_declined", "amount": "24000", "currency": "JPY"}
    assert (facts_of(refunded)["amount"], facts_of(refunded)["reason"]) == ("12.50", "noise")


def created(**more: Any) -> BookingCreated:
    given: dict[str, Any] = {
        "booking_id": "b1",
        "user_id": "u1",
        "product_id": "double",
        "provider_id": "hotel",
        "start_time": datetime(2026, 12, 24, 14, tzinfo=UTC),
        "end_time": datetime(2026, 12, 26, 10, tzinfo=UTC),
        "quantity": 1,
        "price_amount": Decimal("240"),
        "price_currency": "EUR",
    }
    return BookingCreated(**given | more)


def test_another_programs_booking_says_its_hours_in_utc() -> None:
    facts = facts_of(created())
    assert (facts["start"], facts["end"], facts["time_zone"]) == ("2026-12-24 14:00", "2026-12-26 10:00", "UTC")
    assert (facts["product"], facts["quantity"], facts["status"]) == ("double", 1, "PENDING")
    (notice,) = notices_of(envelope(created()), CATALOGUE)
    assert notice.guest is None


@pytest.mark.parametrize("time_zone", ["Nowhere/Land", "America/New_York"])
@pytest.mark.parametrize("kind", ["stay", "appointment"])
def test_what_no_calendar_can_show_leaves_the_times_out(kind: Kind, time_zone: str) -> None:
    edge = msgspec.structs.replace(line(), start=datetime.min.replace(tzinfo=UTC))
    facts = facts_of(confirmed(about(kind, edge, time_zone=time_zone)))
    assert facts["product"] == "double"
    assert not {"start", "check_in"} & set(facts)


# --- what becomes of a notice ---


@pytest.mark.proves("CAT-11")
def test_a_mail_is_handed_over_and_told_once_it_is() -> None:
    notice, said = after(notify(), handed_over())
    assert notice is not None
    assert (notice.status, notice.message_id, notice.sent_at) == ("sent", "<n1@vacancy>", LATER)
    send, sent = said
    assert isinstance(send, SendMail)
    assert (send.template, send.facts, send.guest) == ("booking_confirmed", {"amount": "240.00"}, "sealed guest")
    assert sent == EmailSent(
        notification_id="n1",
        user_id="u1",
        booking_id="b1",
        template="booking_confirmed",
        message_id="<n1@vacancy>",
        sent_at=LATER,
    )


@pytest.mark.proves("CAMP-10", "CAMP-18")
def test_a_notice_in_the_app_is_new_until_it_is_read() -> None:
    assert [after(*messages)[0].status for messages in ([notify("app")], [notify("app"), READ])] == ["new", "read"]  # type: ignore[union-attr]
    assert after(notify("app"), READ, READ, handed_over())[1] == []


def test_a_mail_with_nowhere_to_go_is_shown_in_the_app_and_not_told_as_sent() -> None:
    notice, said = after(notify(), handed_over("no_address"))
    assert notice is not None
    assert (notice.status, notice.error, notice.listed) == ("unsent", "no_address", True)
    assert not any(isinstance(event, EmailSent) for event in said)
    read, _ = after(notify(), handed_over("no_address"), READ)
    assert read is not None
    assert read.status == "read"


@pytest.mark.parametrize("between", [[], [READ]])
def test_a_mail_that_was_refused_and_went_when_it_was_replayed_is_sent(between: list[Event]) -> None:
    notice, said = after(notify(), handed_over("refused"), *between, handed_over("refused"), handed_over())
    assert notice is not None
    assert (notice.status, notice.error, notice.sent_at, notice.listed) == ("sent", None, LATER, False)
    assert [type(event) for event in said] == [SendMail, EmailSent]
    assert after(notify(), handed_over("refused"), handed_over(), handed_over("refused"), handed_over())[0] == notice


def test_a_text_message_that_was_refused_and_went_when_it_was_replayed_is_sent() -> None:
    text = {"notice_id": "n1", "user_id": "u1", "effect_id": "f1"}
    refused, taken = (SmsHandedOver(**text, provider_message_id=name, error=error) for name, error in _TEXTED)
    notice, said = after(notify("sms"), refused, taken)
    assert notice is not None
    assert (notice.status, notice.error, notice.message_id) == ("sent", None, "sms-1")
    assert [type(event) for event in said] == [SendSms, SmsSent]


_TEXTED: list[tuple[str, str | None]] = [("", "refused"), ("sms-1", None)]


def test_an_erased_users_mail_is_shown_to_nobody() -> None:
    notice, said = after(notify(), handed_over("erased"), READ)
    assert notice is not None
    assert (notice.status, notice.listed) == ("unsent", False)
    assert len(said) == 1


MESSAGES: list[Event] = [notify(), notify("app"), handed_over(), handed_over("no_address"), handed_over("erased"), READ]


@pytest.mark.proves("CAT-23")
@given(st.lists(st.sampled_from(MESSAGES), max_size=8))
def test_in_any_order_a_notice_is_taken_once_and_told_once_if_any_answer_says_it_went(
    messages: list[Event],
) -> None:
    notice, said = after(*messages)
    first = next((index for index, each in enumerate(messages) if isinstance(each, Notify)), len(messages))
    rest = messages[first:]
    mail = bool(rest) and isinstance(rest[0], Notify) and rest[0].channel == "mail"
    answers = [each for each in rest if isinstance(each, MailHandedOver)]
    assert (notice is not None) == bool(rest)
    assert sum(isinstance(each, SendMail) for each in said) == (1 if mail else 0)
    sent = mail and any(each.error is None for each in answers)
    assert sum(isinstance(each, EmailSent) for each in said) == (1 if sent else 0)


# --- how a user is reached ---


def test_news_that_names_no_address_goes_where_the_user_was_reached_before() -> None:
    _, (send,) = after(notify(guest=None), contact=Contact("sealed before"))
    assert isinstance(send, SendMail)
    assert (send.guest, send.contact) == (None, "sealed before")


def test_the_first_guest_is_kept_until_the_users_own_data_comes() -> None:
    first = learn(None, notify())
    assert first == Contact("sealed guest")
    assert learn(first, notify(guest="sealed other")) is first
    assert learn(first, notify(guest="sealed user", news="user.user.created")) == Contact("sealed user")


@pytest.mark.parametrize("message", [READ, notify(guest=None), notify(news="record.order.shipped")])
def test_nothing_is_learnt_from_what_reaches_nobody(message: Event) -> None:
    assert learn(None, message) is None
