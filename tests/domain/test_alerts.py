"""Alerts: told once beyond the threshold, told once when back, whatever the figure does in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.alerts import MOST_ALERTS, Alerts, Look, heard, remove_alert, review, set_alert, watch
from domain.decision import Decision
from domain.figures import Figures
from streams.events.analytics import AlertCleared, AlertRaised, RemoveAlert, SetAlert

NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)


def asked(**more: Any) -> SetAlert:
    usual: dict[str, Any] = {
        "entity_id": "hotel",
        "alert_id": "a",
        "metric": "nights_sold",
        "bound": "above",
        "threshold": Decimal(10),
        "window_days": 7,
    }
    return SetAlert(**{**usual, **more})


def sold(units: int, day: date = date(2026, 12, 1)) -> Look:
    def look(first: date, last: date) -> Mapping[date, Figures]:
        return {day: Figures(nights={"EUR": units})} if first <= day <= last and units else {}

    return look


def test_it_is_told_once_beyond_and_once_back() -> None:
    state = set_alert(Alerts(), asked(hysteresis=Decimal(2)), sold(10), NOW).state
    said: list[tuple[int, type]] = []
    for units in (11, 12, 10, 9, 8, 9, 10, 11):
        decision = review("hotel", state, sold(units), NOW)
        state, said = decision.state, [*said, *((units, type(each)) for each in decision.events)]
    # 9 is not yet back, for it should be no more than 8; then it is armed again.
    assert said == [(11, AlertRaised), (8, AlertCleared), (11, AlertRaised)]


def test_below_is_the_other_way_round() -> None:
    state = set_alert(Alerts(), asked(bound="below", hysteresis=Decimal(1)), sold(10), NOW).state
    said: list[tuple[int, type]] = []
    for units in (9, 10, 11):
        decision = review("hotel", state, sold(units), NOW)
        state, said = decision.state, [*said, *((units, type(each)) for each in decision.events)]
    assert said == [(9, AlertRaised), (11, AlertCleared)]


def test_news_say_figure_threshold_and_days() -> None:
    (told,) = set_alert(Alerts(), asked(), sold(12), NOW).events
    assert told == AlertRaised(
        alert_id="a",
        entity_id="hotel",
        provider_id="hotel",
        metric="nights_sold",
        bound="above",
        threshold="10",
        value="12",
        first=date(2026, 11, 30),
        last=date(2026, 12, 6),
        raised_at=NOW,
    )


def test_days_are_the_property_s_and_of_bookings_those_up_to_today() -> None:
    found = set_alert(Alerts(), asked(time_zone="Europe/Berlin"), sold(0), NOW).state.alerts["a"]
    assert (found.first, found.last) == (date(2026, 12, 1), date(2026, 12, 7))
    found = set_alert(Alerts(), asked(metric="pickup"), sold(0), NOW).state.alerts["a"]
    assert (found.first, found.last) == (date(2026, 11, 24), date(2026, 11, 30))


def test_a_figure_that_is_not_known_raises_nothing() -> None:
    rate = asked(metric="cancellation_rate", bound="below", threshold=Decimal(1))
    decision = set_alert(Alerts(), rate, sold(5), NOW)
    assert (decision.events, decision.state.alerts["a"].value) == ((), None)
    adr = asked(metric="adr", currency="USD", bound="below", threshold=Decimal(1))
    assert set_alert(Alerts(), adr, sold(5), NOW).events == ()


def test_the_same_again_changes_nothing_and_another_ends_what_was() -> None:
    state = set_alert(Alerts(), asked(), sold(12), NOW).state
    assert set_alert(state, asked(), sold(0), NOW + timedelta(days=1)).state is state
    changed = set_alert(state, asked(threshold=Decimal(20)), sold(12), NOW)
    assert [type(each) for each in changed.events] == [AlertCleared]
    assert changed.state.alerts["a"].raised_at is None
    quiet = set_alert(changed.state, asked(threshold=Decimal(30)), sold(12), NOW)
    assert quiet.events == ()


def test_there_are_so_many_at_most() -> None:
    state = Alerts()
    for number in range(MOST_ALERTS + 1):
        state = set_alert(state, asked(alert_id=f"a{number}"), sold(0), NOW).state
    assert len(state.alerts) == MOST_ALERTS
    assert f"a{MOST_ALERTS}" not in state.alerts


def test_one_that_is_removed_is_cleared_if_it_was_raised() -> None:
    state = set_alert(Alerts(), asked(), sold(12), NOW).state
    gone = RemoveAlert(entity_id="hotel", alert_id="a")
    decision = remove_alert(state, gone, NOW)
    assert ([type(each) for each in decision.events], decision.state.alerts) == ([AlertCleared], {})
    assert remove_alert(decision.state, gone, NOW).state is decision.state


def test_who_is_told_that_it_is_over_is_told_whether_the_figure_came_back() -> None:
    raised = set_alert(Alerts(), asked(), sold(12), NOW).state
    back = review("hotel", raised, sold(3), NOW)
    removed = remove_alert(raised, RemoveAlert(entity_id="hotel", alert_id="a"), NOW)
    changed = set_alert(raised, asked(threshold=Decimal(20)), sold(12), NOW)
    told = [each for decision in (back, removed, changed) for each in decision.events]
    assert [(each.value, each.removed) for each in told if isinstance(each, AlertCleared)] == [
        ("3", False),
        ("12", True),
        ("12", True),
    ]


def test_no_alert_is_looked_at_before_every_partition_has_told_its_figures() -> None:
    below = asked(bound="below")
    decision = set_alert(watch(3), below, sold(0), NOW)
    # Set otherwise, another, removed, figures of some: nothing is known of any yet.
    said = list(decision.events)
    steps: tuple[Callable[[Alerts], Decision[Alerts]], ...] = (
        lambda state: set_alert(state, asked(bound="below", threshold=Decimal(11)), sold(0), NOW),
        lambda state: set_alert(state, asked(alert_id="b"), sold(0), NOW),
        lambda state: set_alert(state, asked(alert_id="c", bound="below"), sold(0), NOW),
        lambda state: remove_alert(state, RemoveAlert(entity_id="hotel", alert_id="c"), NOW),
        lambda state: review("hotel", heard(state, 2), sold(4), NOW),
        lambda state: review("hotel", heard(heard(state, 0), 2), sold(9), NOW),
    )
    for step in steps:
        decision = step(decision.state)
        said += decision.events
    assert (said, decision.state.awaited) == ([], (1,))
    assert [(each.value, each.first) for each in decision.state.alerts.values()] == [(None, None)] * 2
    decision = review("hotel", heard(decision.state, 1), sold(12), NOW)
    (told,) = decision.events
    assert isinstance(told, AlertRaised)
    assert (told.alert_id, told.value) == ("b", "12")
    later = set_alert(decision.state, asked(alert_id="d", bound="below", threshold=Decimal(20)), sold(12), NOW)
    assert [type(each) for each in later.events] == [AlertRaised]


def test_figures_that_did_not_move_change_nothing() -> None:
    state = set_alert(Alerts(), asked(), sold(12), NOW).state
    decision = review("hotel", state, sold(12), NOW)
    assert (decision.state, decision.events) == (state, ())


@given(st.lists(st.integers(0, 20)), st.integers(0, 5), st.sampled_from(["above", "below"]))
def test_raised_and_cleared_take_turns(figures: list[int], hysteresis: int, bound: str) -> None:
    decision = set_alert(Alerts(), asked(bound=bound, hysteresis=Decimal(hysteresis)), sold(10), NOW)
    state, said = decision.state, list(decision.events)
    for units in figures:
        decision = review("hotel", state, sold(units), NOW)
        state, said = decision.state, [*said, *decision.events]
    turns = [AlertRaised, AlertCleared] * len(said)
    assert [type(each) for each in said] == turns[: len(said)]
    assert (state.alerts["a"].raised_at is not None) == (len(said) % 2 == 1)
