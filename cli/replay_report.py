"""What a replay came to, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from streams.rebuild import Comparison, shown

#: Fields of one row that are listed for people.
_FIELDS = 8


@dataclass(slots=True)
class Report:
    """What a replay came to. `undecided` are records that the live service has not decided yet."""

    service: str
    into: str
    first: dict[int, int] = field(default_factory=dict)
    records: int = 0
    decided: int = 0
    dead: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    partial: bool = False
    undecided: int = 0
    seconds: float = 0.0
    comparison: Comparison | None = None


def as_json_object(report: Report) -> dict[str, object]:
    """The report as `--json` prints it."""
    said = asdict(report)
    if report.comparison is not None:
        said["comparison"]["differences"] = [
            {
                "partition": each.partition,
                "key": each.key,
                "fields": {name: {"live": shown(a), "rebuilt": shown(b)} for name, (a, b) in each.fields.items()},
            }
            for each in report.comparison.differences
        ]
    return said


def print_report(report: Report) -> None:
    """The report in lines on stdout."""
    print(f"{report.service}: {report.records:,} records decided again in {report.seconds:g} s into {report.into}")
    dead = ", ".join(f"{count:,} {kind}" for kind, count in sorted(report.dead.items()))
    print(f"{report.rows:,} rows; dead letters: {dead or 'none'}")
    if report.partial:
        begins = ", ".join(f"{number}: {first}" for number, first in sorted(report.first.items()))
        print(f"the rows are partial: they lack what came before the first record read (by partition: {begins})")
    if report.comparison is not None:
        _print_comparison(report, report.comparison)


def _print_comparison(report: Report, found: Comparison) -> None:
    for each in found.differences:
        print(f"differs: {each.partition} {each.key}")
        for name, (live, rebuilt) in list(each.fields.items())[:_FIELDS]:
            print(f"  {name}: live {shown(live)}, rebuilt {shown(rebuilt)}")
        if len(each.fields) > _FIELDS:
            print(f"  and {len(each.fields) - _FIELDS} more fields")
    counts = (
        f"{found.same:,} rows the same, {len(found.differences):,} different, {found.moved_on:,} decided again since"
    )
    waiting = f"; {report.undecided:,} records are not decided yet" if report.undecided else ""
    print(counts + waiting)
