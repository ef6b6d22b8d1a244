"""When what was said can no longer be read."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.erasure import SWEEP, gone_by
from tests.domain.messages import NOW


def test_a_record_goes_with_the_youngest_of_its_segment() -> None:
    assert gone_by(NOW, timedelta(days=7), timedelta(days=1)) == NOW + timedelta(days=8) + SWEEP


def test_what_is_kept_for_ever_has_no_date() -> None:
    assert gone_by(NOW, None) is None
    assert gone_by(NOW, datetime.max.replace(tzinfo=NOW.tzinfo) - NOW) is None
