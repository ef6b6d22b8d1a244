"""How the figures of a property come together: each partition tells what it has, be it nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from domain.figures import Figures
from streams.events import Event
from streams.events.analytics import AlertRaised, FiguresMoved, SetAlert, WatchFigures
from streams.keys import partition_of
from streams.local import LocalRows
from streams.working import WorkingRows
from tables.alerts import begin_watching, keep_alert, take_figures

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
PARTITIONS = 4
EMPTY = SetAlert(
    entity_id="hotel", alert_id="empty", metric="nights_sold", bound="below", threshold=Decimal(5), window_days=3
)
FULL = SetAlert(
    entity_id="hotel", alert_id="full", metric="nights_sold", bound="above", threshold=Decimal(8), window_days=3
)


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[WorkingRows]:
    local = LocalRows(tmp_path / "0")
    yield WorkingRows(local)
    local.close()


def answers(rows: WorkingRows, watch: WatchFigures, units: int) -> list[FiguresMoved]:
    """What a partition says that has so many units sold on each of three nights, and on many to come."""
    days = {str(NOW.date() + timedelta(days=each)): Figures(nights={"EUR": units}) for each in range(450)}
    place = partition_of(watch.entity_id, PARTITIONS), 7
    told = begin_watching(rows, watch, days if units else {}, NOW, place)
    return [each for each in told if isinstance(each, FiguresMoved)]


def test_a_property_that_is_full_is_not_empty_at_first(rows: WorkingRows) -> None:
    watches = [each for each in keep_alert(rows, EMPTY, NOW, PARTITIONS) if isinstance(each, WatchFigures)]
    assert len(watches) == PARTITIONS
    assert list(keep_alert(rows, FULL, NOW, PARTITIONS)) == [], "they are asked once"
    asked = zip(watches, (1, 0, 2, 0), strict=True)
    messages = [each for watch, units in asked for each in answers(rows, watch, units)]
    assert [(each.partition, len(each.figures), each.complete) for each in messages] == [
        (0, 200, False),
        (0, 200, False),
        (0, 50, True),
        (1, 0, True),
        (2, 200, False),
        (2, 200, False),
        (2, 50, True),
        (3, 0, True),
    ]
    said: list[list[Event]] = [list(take_figures(rows, each, NOW)) for each in messages]
    assert said[:-1] == [[]] * 7
    (raised,) = said[-1]
    assert isinstance(raised, AlertRaised)
    assert (raised.alert_id, raised.value, raised.first) == ("full", "9", date(2026, 12, 1))


def test_a_change_does_not_stand_for_all_that_a_partition_has(rows: WorkingRows) -> None:
    watches = [each for each in keep_alert(rows, EMPTY, NOW, 1) if isinstance(each, WatchFigures)]
    change = FiguresMoved(entity_id="hotel", partition=0, offset=8, figures={"2026-12-02": {"nights": {"EUR": 3}}})
    assert list(take_figures(rows, change, NOW)) == []
    (found,) = begin_watching(rows, watches[0], {}, NOW, (0, 7))
    assert isinstance(found, FiguresMoved)
    (raised,) = take_figures(rows, found, NOW)
    assert isinstance(raised, AlertRaised)
    assert raised.value == "3"
