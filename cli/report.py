"""The closing report of a demo run, from its tally: for a program as a dictionary, for a person as text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cli.tally import Tally

_OUTCOMES = ("CONFIRMED", "CANCELLED", "REJECTED", "EXPIRED")


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles in milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency | None:
        """None where nothing was measured."""
        if not seconds:
            return None
        ordered = sorted(seconds)
        return cls(*(round(percentile(ordered, share) * 1000, 2) for share in (50, 95, 99, 100)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run came to. `accept` is due time to 201, `confirm` due time to the outcome."""

    seed: int
    rate: float
    seconds: float
    bookings: int
    accepted: int
    kinds: Mapping[str, int]
    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]
    unresolved: int
    not_accepted: int
    retries: Mapping[str, int]
    races: Mapping[str, int]
    error_count: int
    errors: Sequence[str]
    accept_ms: Latency | None
    confirm_ms: Latency | None

    @property
    def clean(self) -> bool:
        """Every acknowledged booking has an outcome, and nothing unexpected happened."""
        return not self.unresolved and not self.error_count

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "clean": self.clean}


def report_of(tally: Tally, *, seed: int, rate: float, seconds: float) -> Report:
    """`seconds` is how long the run took, the waiting for the last outcomes included."""
    return Report(
        seed=seed,
        rate=rate,
        seconds=round(seconds, 2),
        bookings=tally.started,
        accepted=tally.accepted,
        kinds=dict(tally.kinds.most_common()),
        outcomes={
            status: tally.outcomes[status] for status in (*_OUTCOMES, *sorted(set(tally.outcomes) - {*_OUTCOMES}))
        },
        reasons=dict(tally.reasons.most_common()),
        unresolved=tally.unresolved,
        not_accepted=tally.not_accepted,
        retries=dict(tally.retries.most_common()),
        races=race_counts(tally.races),
        error_count=tally.error_count,
        errors=tuple(tally.errors),
        accept_ms=Latency.of(tally.accept),
        confirm_ms=Latency.of(tally.confirm),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that `share` percent of the values do not exceed (nearest rank); `ordered` is not empty."""
    return ordered[max(1, math.ceil(len(ordered) * share / 100)) - 1]


def race_counts(races: Mapping[int, Sequence[str]]) -> dict[str, int]:
    """How many races for a last unit had one winner, none (it was gone before), and more than one."""
    winners = [outcomes.count("CONFIRMED") for outcomes in races.values()]
    return {
        "one_winner": winners.count(1),
        "sold_before": winners.count(0),
        "sold_twice": sum(count > 1 for count in winners),
    }


def as_text(report: Report) -> str:
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    share = report.accepted / report.seconds if report.seconds else 0.0
    yield f"{report.accepted:,} bookings accepted in {report.seconds:.1f} s ({share:.1f}/s), seed {report.seed}"
    yield "  journeys    " + _counts(report.kinds)
    yield "  outcomes    " + _counts(report.outcomes)
    if report.reasons:
        yield "  reasons     " + _counts(report.reasons)
    if any(report.races.values()):
        yield "  last units  " + _counts(report.races)
    for name, latency in (("accept", report.accept_ms), ("confirm", report.confirm_ms)):
        if latency is not None:
            yield (
                f"  {name:<10}  p50 {latency.p50:,.1f} ms, p95 {latency.p95:,.1f} ms,"
                f" p99 {latency.p99:,.1f} ms, max {latency.max:,.1f} ms"
            )
    yield f"  unresolved  {report.unresolved:,}" + (
        f", never accepted {report.not_accepted:,}" if report.not_accepted else ""
    )
    yield "  retries     " + (_counts(report.retries) or "0")
    yield f"  errors      {report.error_count:,}"
    yield from (f"    {error}" for error in report.errors)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items() if count)
