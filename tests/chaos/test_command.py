"""What `vacancy chaos` refuses before it starts anything."""

from __future__ import annotations

from typing import Any

import pytest

from bench.chaos.command import command
from cli.problem import Misuse


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"seconds": 5.0}, "at least 20"),
        ({"minutes": 1.0, "seconds": 60.0}, "one of them"),
        ({"layout": "motel"}, "there is no 'motel'"),
        ({"faults": "earthquake"}, "no fault of such a name"),
        ({"seconds": 20.0, "faults": "database: takes"}, "no fault of such a name fits"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_starts(asked: dict[str, Any], why: str) -> None:
    with pytest.raises(Misuse, match=why):
        command(**{"faults": None, "layout": "catalogue", "seed": 1, "rate": 5.0, **asked})
