"""Whatever the services really decide, the auditor finds nothing wrong with it, under every layout."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.audit.dialects import DIALECTS
from tests.cli.audit.recorder import Recorder
from tests.domain.messages import declare
from tests.domain.test_whole_run import LIMITS, Plan, cards_of, plans, shuffled_together


@pytest.mark.parametrize("layout", sorted(DIALECTS))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans=st.lists(plans, min_size=1, max_size=5), seed=st.integers(0, 2**32), rough=st.booleans())
def test_nothing_is_found_in_what_the_services_decide(layout: str, plans: list[Plan], seed: int, rough: bool) -> None:
    named = {f"b{number}": plan for number, plan in enumerate(plans)}
    random = Random(seed)
    world = Recorder(DIALECTS[layout], random, cards_of(named), unordered=rough, contrary=rough, slow=rough)
    for product, limit in LIMITS.items():
        world.declare(declare(limit, product=product))
    world.run(shuffled_together(random, [plan.events(name) for name, plan in named.items()]))
    world.expire()

    verdicts = world.remember().verdicts()

    found = [(verdict.promise, *each) for verdict in verdicts.values() for each in verdict.findings]
    # The world's clock goes as it likes: it says nothing of how long an answer may take.
    assert [finding for finding in found if "after its deadline" not in finding[2]] == []
    assert verdicts["P1"].checked == verdicts["P3"].checked == len(plans)
