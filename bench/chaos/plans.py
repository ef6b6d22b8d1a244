"""Which faults a run deals: as many of each as its weight says and its time allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bench.chaos.faults import Due, Fault, length, schedule
from bench.chaos.machines import Clock, FullDisk
from bench.chaos.mess import Again, Poison
from bench.chaos.outages import Outage, Webhooks
from bench.chaos.signals import Kill, Pause, Storm, Terminate

#: Seconds from the beginning of the load until the first fault may strike, and from the last one to the load's end.
FIRST, LAST = 4.0, 5.0
#: After the load has ended, until nothing is open: what a webhook that failed twice waits for, and a little more.
_REST = 420.0
#: How long the demo may go on after its load: for as long as it waits for an outcome, and a little more.
DEMO_END = 75.0
#: For all that is done once: to bring back what was killed, and to read the log.
_BESIDE = 75.0


class Kind(NamedTuple):
    """A fault and how often it strikes, compared with the others of its list."""

    fault: Fault
    weight: float


#: What hits our own processes, one after the other. A short run deals the first of them once each.
INSIDE = (
    Kind(Kill("worker"), 14),
    Kind(Kill("broker"), 6),
    Kind(Pause("worker", 9), 3),
    Kind(Kill("projector"), 14),
    Kind(Pause("projector", 7.5), 3),
    Kind(Kill("gateway", rests=4), 3),
    Kind(Terminate("broker"), 2),
    Kind(Kill("worker", both=True), 5),
    Kind(Kill("worker", times=2), 5),
    Kind(Kill("projector", both=True), 3),
    Kind(Kill("projector", times=2), 3),
    Kind(Terminate("worker"), 3),
    Kind(Kill("provider", rests=4), 3),
    Kind(Kill("inbox", rests=4), 2),
    Kind(Kill("projections", rests=4), 2),
    Kind(Storm(), 2),
    Kind(Clock(), 2),
    Kind(FullDisk(), 2),
    Kind(Pause("worker", 14), 1),
    Kind(Pause("projector", 12), 1),
)
#: What happens outside meanwhile, and to the log. An outage of the receiver is over before a webhook fails twice: then
#: it would rest for minutes.
OUTSIDE = (
    Kind(Outage("payment provider", "deaf", 3), 4),
    Kind(Outage("receiver", "down", 3), 2),
    Kind(Poison(), 4),
    Kind(Outage("payment provider", "down", 4), 4),
    Kind(Outage("mail", "down", 3), 2),
    Kind(Outage("SMS", "down", 3), 2),
    Kind(Outage("database", "down", 3), 2),
    Kind(Outage("cache", "down", 3), 2),
    Kind(Again(), 4),
    Kind(Webhooks("twice"), 2),
    Kind(Outage("payment provider", "overloaded", 3), 3),
    Kind(Outage("payment provider", "busy", 3), 3),
    Kind(Outage("payment provider", "hung", 7), 3),
    Kind(Webhooks("late"), 2),
    Kind(Outage("payment provider", "slow", 8), 3),
    Kind(Outage("mail", "hung", 12), 2),
    Kind(Outage("SMS", "hung", 12), 2),
    Kind(Outage("database", "hung", 12), 2),
    Kind(Outage("database", "slow", 8), 2),
    Kind(Outage("cache", "hung", 8), 2),
    Kind(Webhooks("shuffled"), 2),
    Kind(Outage("receiver", "hung", 4), 2),
    Kind(Outage("payment provider", "down", 30), 2),
    Kind(Outage("mail", "down", 30), 1),
    Kind(Outage("database", "down", 30), 1),
)


@dataclass(frozen=True)
class Plan:
    """What to do: `rate` bookings a second for `duration` seconds, the faults at moments drawn from `seed`."""

    seed: int
    rate: float
    duration: float
    #: One after the other, and those that happen meanwhile.
    faults: Sequence[Fault]
    meanwhile: Sequence[Fault] = ()
    workers: int = 2
    brokers: int = 1
    settings: dict[str, str] = field(default_factory=dict)
    layout: str = "catalogue"
    first: float = FIRST
    #: Seconds that it may take after the load until nothing is open.
    rest: float = 60.0
    #: The share of requests that are sent two to five times.
    again: float = 0.0

    @property
    def limit(self) -> float:
        """Seconds after which even a run that does not come to rest has its report: no test of it may end sooner."""
        return self.duration + length(self.faults) + DEMO_END + self.rest + _BESIDE

    @property
    def due(self) -> list[Due]:
        return schedule(self.faults, seed=self.seed, first=self.first)

    @property
    def due_meanwhile(self) -> list[Due]:
        return schedule(self.meanwhile, seed=self.seed + 1, first=self.first)


def plan(
    seconds: float,
    *,
    seed: int = 1,
    rate: float = 8.0,
    layout: str = "catalogue",
    workers: int = 2,
    brokers: int = 1,
    only: Sequence[str] = (),
) -> Plan:
    """A run of so many seconds of load. `only`: the faults in whose names one of these words stands."""
    time = seconds - FIRST - LAST
    return Plan(
        seed=seed,
        rate=rate,
        duration=seconds,
        faults=fill(_named(INSIDE, only), time),
        meanwhile=fill(_named(OUTSIDE, only), time),
        workers=workers,
        brokers=brokers,
        layout=layout,
        rest=_REST,
        again=0.2,
    )


def fill(kinds: Sequence[Kind], time: float) -> list[Fault]:
    """Each kind once, as long as there is time; then whichever is furthest behind its weight and still fits."""
    chosen: list[Fault] = []
    counts = dict.fromkeys(range(len(kinds)), 0)
    left = time
    while fitting := [n for n in counts if length([kinds[n].fault]) <= left]:
        unseen = [n for n in fitting if not counts[n]]
        best = unseen[0] if unseen else max(fitting, key=lambda n: kinds[n].weight / (counts[n] + 1))
        counts[best] += 1
        left -= length([kinds[best].fault])
        chosen.append(kinds[best].fault)
    return chosen


def _named(kinds: Sequence[Kind], only: Sequence[str]) -> list[Kind]:
    return [kind for kind in kinds if not only or any(word in kind.fault.name for word in only)]
