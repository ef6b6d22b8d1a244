"""What a demo run has seen so far: counts and latencies, added to by journeys, read by the display and the report."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field

_ERRORS_KEPT = 20


@dataclass
class Tally:
    """Counts of one run. Latencies are in seconds, counted from when a booking was due, not from when it was sent."""

    started: int = 0
    accepted: int = 0
    settled: int = 0
    #: Journeys that began, by kind.
    kinds: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    accept: array[float] = field(default_factory=lambda: array("d"))
    confirm: array[float] = field(default_factory=lambda: array("d"))
    error_count: int = 0
    #: The first few, in full.
    errors: list[str] = field(default_factory=list)
    races: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def unresolved(self) -> int:
        """Bookings that were acknowledged and have no outcome."""
        return self.accepted - self.settled

    @property
    def not_accepted(self) -> int:
        """Requests that never got their 201."""
        return self.started - self.accepted

    def settle(self, status: str, reason: str | None) -> None:
        self.settled += 1
        self.outcomes[status] += 1
        if status != "CONFIRMED" and reason:
            self.reasons[reason] += 1

    def retried(self, why: str) -> None:
        self.retries[why] += 1

    def wrong(self, what: str) -> None:
        self.error_count += 1
        if len(self.errors) < _ERRORS_KEPT:
            self.errors.append(what)

    def finished(self, race: int, status: str) -> None:
        """One runner of a race has its outcome. Two winners of one last unit are an error."""
        outcomes = self.races[race]
        outcomes.append(status)
        if outcomes.count("CONFIRMED") > 1:
            self.wrong(f"race {race}: the last unit was sold {outcomes.count('CONFIRMED')} times")
