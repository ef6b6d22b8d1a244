"""Every flow, killed at every point each time it passes it: it ends as if nothing had happened (CAT-23, HTL-36)."""

from __future__ import annotations

import pytest

from tests.crash import page, runs
from tests.crash.flows import BY_NAME, FLOWS, Flow
from tests.crash.process import layout_of


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_flow_without_a_crash_ends_as_it_should(flow: Flow) -> None:
    run, layout = runs.reference(flow.name), layout_of(flow.layout)
    assert flow.ends in set(runs.ends(layout, run.end))
    assert list(runs.compared(flow, run.end, run.end)) == []
    assert {topic.removesuffix(".dlq") for topic, _ in runs.letters(run.end)} == flow.letters
    assert len(run.end.outside.mails) == len(dict(run.end.outside.mails))
    assert {point for point, passed in run.passed.items() if passed} == set(page.points(flow))


_CASES = [(flow.name, point) for flow in FLOWS for point in page.points(flow)]


@pytest.mark.proves("CAT-23", "HTL-36")
@pytest.mark.parametrize(("flow", "point"), _CASES)
def test_a_kill_changes_nothing(flow: str, point: str) -> None:
    """In turn with the local rows as the kill left them, and without any."""
    versions = dict.fromkeys(runs.reference(flow).passed[point])
    found = {version: runs.differences(flow, version, disk_lost=version % 2 == 0) for version in versions}
    assert {version: different for version, different in found.items() if different} == {}


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("flow", BY_NAME)
def test_a_kill_changes_nothing_with_and_without_the_local_rows(flow: str) -> None:
    moments = [(version, lost) for version in runs.reference(flow).left for lost in (False, True)]
    found = {moment: runs.differences(flow, *moment) for moment in moments}
    assert {moment: different for moment, different in found.items() if different} == {}


def test_the_page_lists_every_flow_and_point() -> None:
    assert page.PAGE.read_text("utf-8") == page.page(), "run `python -m tests.crash.page`"
