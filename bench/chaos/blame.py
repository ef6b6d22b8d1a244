"""Which faults a finding may come of: those during or soon after which its booking was accepted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bench.chaos.faults import Struck

#: A booking of a moment before was still under way, and one of soon after met what was not yet as it should be.
_BEFORE, _AFTER = 5.0, 20.0


def accepted(journal: Path, wall: float) -> dict[str, float]:
    """When each booking was accepted, in seconds after the load began, which was at `wall` (Unix time)."""
    lines = [json.loads(line) for line in journal.read_bytes().splitlines() if line.endswith(b"}")]
    return {line["booking_id"]: datetime.fromisoformat(line["time"]).timestamp() - wall for line in lines}


def blamed(subjects: Iterable[str], accepted: Mapping[str, float], faults: Sequence[Struck]) -> dict[str, int]:
    """Findings by fault; one whose subject is no booking of the journal is nobody's."""
    counts: dict[str, int] = {}
    for subject in subjects:
        if (at := accepted.get(subject)) is None:
            continue
        near = {each.fault for each in faults if each.at - _BEFORE <= at <= each.at + each.lasted + _AFTER}
        for fault in near:
            counts[fault] = counts.get(fault, 0) + 1
    return counts
