"""The number a guest is given, when the year turns while they ask."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.web.conftest import Gateway, stay

EVE = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
NIGHTS = {"check_in": "2027-01-10", "check_out": "2027-01-11"}


@pytest.mark.proves("HTL-16", "HTL-17")
async def test_a_retry_after_new_year_is_given_the_number_of_the_old_one(gateway: Gateway) -> None:
    """The year is that of the request, in UTC, wherever the property is: it was 2027 on Kiritimati for hours."""
    await gateway.unit(time_zone="Pacific/Kiritimati")
    given = []
    for now in (EVE, NEW_YEAR):
        gateway.instance.now = now
        answer = await gateway.call("POST", "/api/reservations", stay(**NIGHTS), Idempotency_Key="the-same")
        assert answer.status == 201
        given.append((await answer.json())["confirmation_number"])
    answer = await gateway.call("POST", "/api/reservations", stay(**NIGHTS), Idempotency_Key="another")
    given.append((await answer.json())["confirmation_number"])
    assert given[0] == given[1] == "RSV-2026-000001"
    assert given[2] == "RSV-2027-000003"  # the retry's own number is nobody's
