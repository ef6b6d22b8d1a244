"""What is said of plans and nights on the topic the gateways keep in mind (HTL-10)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from streams.codec import decode
from streams.envelope import originate
from streams.events.rate_plans import NightStepped, PlanNews, RatePlanDeclared
from streams.keys import rate_key
from streams.layout import load_layout
from streams.signing import Signer
from streams.voice import Voice
from tests.domain.plans import FLEX
from tests.memory_log import MemoryLog

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def stepped(begins: int) -> NightStepped:
    return NightStepped(
        provider_id="a/b", product_id="c", rate_plan="f/x", slot="2026-12-24", from_percent=Decimal(begins)
    )


@pytest.mark.proves("HTL-10")
async def test_a_night_on_no_step_leaves_the_topic() -> None:
    log = MemoryLog()
    voice = Voice(log, load_layout("catalogue"), Signer(b"key"))
    plan = RatePlanDeclared(provider_id="a/b", product_id="c", rate_plan="f/x", plan=FLEX, price_currency="EUR")
    said: tuple[PlanNews, ...] = (plan, stepped(50), stepped(0))
    for news in said:
        await voice.say(originate(news, source="rate", now=NOW))
    declared, reached, left = log.read("vacancy.rates")
    assert declared.key == rate_key("a/b", "c", "f/x").encode() == b"a%2Fb/c/f%2Fx"
    assert reached.key == left.key == b"a%2Fb/c/f%2Fx/2026-12-24"
    assert [decode(each.value).data for each in (declared, reached)] == [plan, stepped(50)]
    assert left.value is None
