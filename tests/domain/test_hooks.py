"""Webhook endpoints: added once, changed, given new secrets, paused when they fail for too long, removed for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from domain.hooks import (
    MOST_FAILURES,
    MOST_OLD_SECRETS,
    OVERLAP,
    PATIENCE,
    REMEMBERED_FOR,
    Endpoint,
    covers,
    decide,
    failed,
    may_be_dropped,
    taken,
    wants,
)
from streams.events import Event
from streams.events.hooks import (
    AddEndpoint,
    ChangeEndpoint,
    Deliver,
    EndpointKnown,
    EndpointPaused,
    RemoveEndpoint,
    RotateSecret,
)

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ADD = AddEndpoint(
    endpoint_id="w1",
    url="https://example.com/",
    types=("payment.*",),
    format="standard",
    secret="s1",
    fingerprint="f",
)


def endpoint(*messages: Event) -> Endpoint:
    found = decide(None, ADD, NOW).state
    for message in messages:
        found = decide(found, message, LATER).state
    assert found is not None
    return found


def change(**more: object) -> ChangeEndpoint:
    return msgspec.convert({"endpoint_id": "w1", **more}, ChangeEndpoint)


def test_an_endpoint_is_added_once_and_those_who_read_the_news_know_it() -> None:
    decision = decide(None, ADD, NOW)
    assert decision.events == (EndpointKnown(endpoint_id="w1", types=("payment.*",), format="standard"),)
    assert decide(decision.state, ADD, LATER).state is decision.state
    assert decide(None, change(enabled=True), NOW).state is None


def test_what_is_named_is_changed_and_nothing_else() -> None:
    changed = decide(endpoint(), change(url="https://example.com/2", description="d"), LATER)
    assert changed.state == msgspec.structs.replace(
        endpoint(), url="https://example.com/2", description="d", updated_at=LATER
    )
    assert changed.events == ()
    same = endpoint()
    assert decide(same, change(url=same.url), LATER).state is same


def test_other_types_are_wanted_from_now_on() -> None:
    changed = decide(endpoint(), change(types=["*"]), LATER)
    assert changed.state is not None
    assert changed.state.wants_since == LATER
    assert changed.events == (EndpointKnown(endpoint_id="w1", types=("*",), format="standard"),)


def test_an_endpoint_is_disabled_and_enabled_again() -> None:
    off = endpoint(change(enabled=False))
    assert (off.reception, off.reason, off.listens) == ("DISABLED", "by_request", False)
    assert decide(off, change(enabled=False), LATER).state is off
    on = decide(off, change(enabled=True), LATER)
    assert on.state is not None
    assert (on.state.reception, on.state.reason, on.state.wants_since) == ("ENABLED", None, LATER)
    assert [type(each) for each in on.events] == [EndpointKnown]


def test_what_was_missed_is_sent_anew_only_where_something_is_sent() -> None:
    assert endpoint(change(redeliver_since=NOW)).redeliver_since == NOW
    assert endpoint(change(enabled=False), change(redeliver_since=NOW)).redeliver_since is None
    assert endpoint(change(redeliver_since=NOW), change(enabled=False)).redeliver_since is None


def test_for_a_day_both_secrets_sign() -> None:
    rotated = endpoint(RotateSecret(endpoint_id="w1", request_id="r1", secret="s2"))
    assert rotated.secrets(LATER + OVERLAP - timedelta(seconds=1)) == ("s2", "s1")
    assert rotated.secrets(LATER + OVERLAP) == ("s2",)
    again = RotateSecret(endpoint_id="w1", request_id="r1", secret="s3")
    assert decide(rotated, again, LATER).state is rotated


def rotate(number: int) -> RotateSecret:
    return RotateSecret(endpoint_id="w1", request_id=f"r{number}", secret=f"n{number}")


def test_a_second_rotation_ends_no_secret_before_its_time() -> None:
    found = decide(endpoint(rotate(1)), rotate(2), LATER + timedelta(hours=1)).state
    assert found is not None
    assert found.secrets(LATER + OVERLAP - timedelta(seconds=1)) == ("n2", "n1", "s1")
    assert found.secrets(LATER + OVERLAP) == ("n2", "n1")
    assert decide(found, rotate(1), LATER + timedelta(hours=2)).state is found  # a late retry
    third = decide(found, rotate(3), LATER + OVERLAP).state
    assert third is not None
    assert [each.secret for each in third.old_secrets] == ["n2", "n1"]


def test_where_too_many_secrets_sign_none_is_made() -> None:
    full = endpoint(*(rotate(number) for number in range(MOST_OLD_SECRETS)))
    assert len(full.secrets(LATER)) == MOST_OLD_SECRETS + 1
    assert decide(full, rotate(99), LATER).state is full
    assert decide(full, rotate(99), LATER + OVERLAP).state is not full


def test_whatever_ends_reception_ends_sending_anew() -> None:
    asked = endpoint(change(redeliver_since=NOW))
    failing = msgspec.structs.replace(asked, failures=MOST_FAILURES, failing_since=NOW)
    assert failed(failing, gone=False, now=NOW + PATIENCE).state.redeliver_since is None
    assert failed(asked, gone=True, now=NOW).state.redeliver_since is None


def test_a_removed_endpoint_is_remembered_for_a_while() -> None:
    assert not may_be_dropped(endpoint(), LATER + 2 * REMEMBERED_FOR)
    gone = endpoint(RemoveEndpoint(endpoint_id="w1"))
    assert not may_be_dropped(gone, LATER + REMEMBERED_FOR)
    assert may_be_dropped(gone, LATER + REMEMBERED_FOR + timedelta(seconds=1))


def test_a_removed_endpoint_keeps_nothing_and_does_not_come_back() -> None:
    decision = decide(endpoint(), RemoveEndpoint(endpoint_id="w1"), LATER)
    gone = decision.state
    assert gone is not None
    assert (gone.reception, gone.secret, gone.url, gone.fingerprint) == ("REMOVED", "", "", "f")
    (known,) = decision.events
    assert known.ends_its_key
    for message in (ADD, change(enabled=True), RemoveEndpoint(endpoint_id="w1")):
        assert decide(gone, message, LATER).state is gone


def test_what_is_no_endpoint_s_business_changes_nothing() -> None:
    found = endpoint()
    assert decide(found, Deliver(endpoint_id="w1", event_id="e", news="n", at=NOW, body=""), NOW).state is found


def test_a_success_ends_a_row_of_failures() -> None:
    assert taken(endpoint()).failures == 0
    once = failed(endpoint(), gone=False, now=NOW).state
    assert (once.failures, once.failing_since) == (1, NOW)
    assert (taken(once).failures, taken(once).failing_since) == (0, None)


def test_an_endpoint_that_says_it_is_gone_is_disabled() -> None:
    decision = failed(endpoint(), gone=True, now=LATER)
    assert (decision.state.reception, decision.state.reason) == ("DISABLED", "gone")
    assert [type(each) for each in decision.events] == [EndpointKnown]


@pytest.mark.parametrize(
    ("failures", "after", "reception"),
    [
        (MOST_FAILURES - 1, PATIENCE, "PAUSED"),
        (MOST_FAILURES - 2, PATIENCE, "ENABLED"),
        (10 * MOST_FAILURES, PATIENCE - timedelta(seconds=1), "ENABLED"),
    ],
)
def test_an_endpoint_is_paused_after_many_failures_and_a_day(failures: int, after: timedelta, reception: str) -> None:
    failing = msgspec.structs.replace(endpoint(), failures=failures, failing_since=NOW)
    decision = failed(failing, gone=False, now=NOW + after)
    assert decision.state.reception == reception
    assert [type(each) for each in decision.events] == (
        [EndpointKnown, EndpointPaused] if reception == "PAUSED" else []
    )
    assert failed(decision.state, gone=False, now=NOW + after).events == () or reception == "ENABLED"


@pytest.mark.parametrize(
    ("pattern", "news", "meant"),
    [
        ("*", "payment.payment.failed", True),
        ("payment.*", "payment.payment.failed", True),
        ("payment.*", "payments.payment.failed", False),
        ("payment.payment.failed", "payment.payment.failed", True),
        ("payment.payment.failed", "payment.payment.failed.twice", False),
    ],
)
def test_a_pattern_is_a_type_or_the_beginning_of_some(pattern: str, news: str, meant: bool) -> None:
    assert covers(pattern, news) is meant


def test_an_endpoint_wants_news_of_its_types_and_property() -> None:
    known = EndpointKnown(endpoint_id="w1", types=("booking.*",), format="standard", property_id="P1")
    assert wants(known, "booking.booking.created", "P1")
    assert not wants(known, "booking.booking.created", "P2")
    assert not wants(known, "payment.payment.failed", "P1")
    assert not wants(msgspec.structs.replace(known, reception="DISABLED"), "booking.booking.created", "P1")
    everything = EndpointKnown(endpoint_id="w1", types=("*",), format="standard", reception="PAUSED")
    assert wants(everything, "booking.booking.created", None)
    assert not wants(everything, "webhook.endpoint.paused", None)
