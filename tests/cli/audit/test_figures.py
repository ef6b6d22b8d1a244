"""The auditor counts a property's figures by itself: it agrees with the services, and finds what does not."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from cli.audit import names
from cli.audit.figures import check_figures
from cli.audit.filing import add
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.wire import Record
from domain.counting import Known, decide
from domain.figures import NOTHING, Figures, changes, summed
from streams.codec import encode
from streams.envelope import originate
from streams.events.analytics import Observe
from tests.domain.month import hotel_of_march, noon

NOW = noon(4, 2)


def rows_of(observations: list[Observe]) -> dict[str, Figures]:
    """The rows that analytics makes of what it observes in this order."""
    known: dict[str, Known] = {}
    rows: dict[str, Figures] = {}
    for observed in observations:
        before = known.get(observed.entity_id, Known())
        after = known[observed.entity_id] = decide(before, observed, NOW).state
        for (property_id, day), change in changes(before.booking, after.booking).items():
            key = f"k|{property_id}|{day}"
            rows[key] = summed(rows.get(key, NOTHING), change)
    return rows


def audited(observations: list[Observe], rows: dict[str, Figures]) -> Verdict:
    history, at = History(), round(NOW.timestamp() * 1000)
    headers = [("source-offset", b"%d" % (len(observations) - 1))]
    for key, row in rows.items():
        add(history, Record("vacancy.analytics.rows", 0, 0, at, key.encode(), msgspec.json.encode(row), headers))
    for offset, observed in enumerate(observations):
        value = encode(originate(observed, source="analytics", now=NOW))
        add(history, Record(names.ANALYTICS_INBOX, 0, offset, at, b"key", value))
    verdict = Verdict("P6", "")
    check_figures(history, verdict)
    return verdict


@pytest.mark.parametrize("seed", range(20))
def test_it_counts_what_analytics_counts_in_any_order_and_twice(seed: int) -> None:
    observations = hotel_of_march().observed
    observations = [*observations, *Random(seed).sample(observations, 10)]
    Random(seed).shuffle(observations)
    if seed % 2:  # as those of before arrivals were counted
        observations = [msgspec.structs.replace(each, rules=0) for each in observations]
    verdict = audited(observations, rows_of(observations))
    assert verdict.findings == []
    assert verdict.checked > 25


def test_a_figure_that_is_not_what_was_observed_is_found() -> None:
    observations = hotel_of_march().observed
    rows = rows_of(observations)
    night = msgspec.structs.replace(rows["k|hotel|2026-03-02"], nights={"EUR": 3})
    (found,) = audited(observations, {**rows, "k|hotel|2026-03-02": night}).findings
    assert (found.subject, found.what) == (
        "figures hotel|2026-03-02#0",
        "nights EUR: its row has 3, the inbox 4",
    )
    del rows["k|hotel|2026-03-03"]
    (missing,) = audited(observations, rows).findings
    assert missing.subject == "figures hotel|2026-03-03#0"
    assert "its row has 0" in missing.what
    (more,) = audited([], {"k|hotel|2026-03-03": Figures(bookings=1)}).findings
    assert more.what == "bookings: its row has 1, the inbox 0"
