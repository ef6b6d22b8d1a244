"""docs/crash-points.md, written from the flows and the points: `python -m tests.crash.page`, or `make docs`."""

from __future__ import annotations

from collections.abc import Iterator

from tests.crash.flows import FLOWS, HOOK, KEYS, MAIL, MONEY, REFUSAL, Flow
from tests.crash.runs import THINGS
from tests.proofs import ROOT

PAGE = ROOT / "docs" / "crash-points.md"
_OUTSIDE = (MONEY, MAIL, REFUSAL, HOOK, KEYS)

INTRODUCTION = """# Crash points

*Written by `make docs` from `tests/crash`.*

Every flow below is killed (`kill -9`: nothing in memory survives) before and after each of the points, each time it
passes it, in `tests/crash/test_crash_points.py`. It runs once without a crash; at every point what a kill would leave
there is copied: the logs, the committed offsets, the local rows, and what was done outside. From each copy a new
process starts, in turn with the local rows and without any, and the flow goes on to its end. Then

- the flow has the same outcome, and every row of every service is the same;
- the public topics hold the same messages: the same ids with the same content, none more;
- the provider's books are the same, the users whose keys are gone too; every mail went out at least once, under the
  same Message-ID with the same text, and every webhook with the same id and body;
- the rows are what the inbox makes from nothing, and what the changelog holds; the same is among the dead letters, in
  most flows nothing;
- `vacancy audit` finds no promise broken.

The Apps, agents, processors, tables and effects are the real ones; Faust, Kafka, RocksDB and the outside are in memory.
Outputs are acknowledged some turns of the loop after they were sent, so whoever does not wait for them is found.

"""


def points(flow: Flow) -> tuple[str, ...]:
    """The points that a flow passes."""
    things = [thing for thing in THINGS if thing in flow.outside or thing not in _OUTSIDE]
    both = [f"{side} {thing}" for thing in things for side in ("before", "after")]
    return tuple(point for point in both if point != f"after {REFUSAL}")


def page() -> str:
    return INTRODUCTION + "\n".join(_table()) + "\n"


def _table() -> Iterator[str]:
    yield f"| flow | layout | ends | {' | '.join(THINGS)} |"
    yield f"|---|---|---|{'---|' * len(THINGS)}"
    for flow in FLOWS:
        passed = [_sides(thing, points(flow)) for thing in THINGS]
        yield f"| {flow.name} | {flow.layout} | {flow.ends} | {' | '.join(passed)} |"


def _sides(thing: str, passed: tuple[str, ...]) -> str:
    sides = [side for side in ("before", "after") if f"{side} {thing}" in passed]
    return {2: "both sides", 1: "before", 0: "-"}[len(sides)]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
