"""Results of every part, as small as they can be: made up, and no two figures of a part alike by chance."""

from __future__ import annotations

from typing import Any

from bench.waterfall import AFTERWARDS, HOPS

MACHINE = {"processor": "Abacus", "cores": 2, "memory_gib": 23.5, "system": "Linux 6", "python": "3.11.7"}


def measured(result: dict[str, Any], **other: Any) -> dict[str, Any]:
    """A part of performance.json."""
    about = {"machine": MACHINE, "measured": "2026-11-21", "load_before": 0.37, "took_s": 417}
    return {**about, "short": False, "repeats": 3, "seed": 5, "result": result, **other}


def spread(median: float) -> dict[str, float]:
    return {"min": median * 0.9, "median": median, "max": median * 1.1, "runs": 3}


def system(cpu: float, **other: Any) -> dict[str, Any]:
    return {
        "guarantee": "as it says",
        "events": 1_000_003,
        "seconds": spread(17.3),
        "events_per_second": spread(61_234.0),
        "cpu_seconds_per_million": spread(cpu),
        "broker_cpu_seconds_per_million": spread(3.17),
        "start_up_cpu_seconds": spread(0.83),
        "resident_mib": spread(82.7),
        "correct": True,
        **other,
    }


def micro(ours: float = 10.0, quix: float = 33.0, streams: float = 44.0) -> dict[str, Any]:
    return {
        "events": {"events": 1_000_007, "seed": 11},
        "systems": {
            "vacancy": system(ours, does_more="all of it"),
            "quix-exactly-once": system(quix),
            "kafka-streams-exactly-once": system(streams),
        },
        "skipped": {"faust": "it was out for lunch"},
        "latency": {
            "vacancy": {"events_per_second": 5_000, "ms": {"p50": 4.13, "p95": 9.31, "p99": 14.7, "max": 33.9}}
        },
    }


def load(rate: float, *, confirm: float = 41.7, lag: int = 31, cpu: float = 0.55, held: bool = True) -> dict[str, Any]:
    return {
        "rate": rate,
        "seconds": 60.0,
        "took_s": 62.9,
        "offered": 1_201,
        "accepted": 1_201,
        "unresolved": 0,
        "errors": 0,
        "outcomes": {"CONFIRMED": 1_201},
        "accept_ms": {"p50": 5.1, "p95": 12.3, "p99": 19.7, "max": 71.9},
        "confirm_ms": {"p50": 21.4, "p95": confirm, "p99": 77.7, "max": 3_107.0},
        "lag": {
            "samples": 60,
            "total_p50": 23,
            "total_p95": 63,
            "total_max": 93,
            "worst_p50": 13,
            "worst_p95": lag,
            "worst_max": 57,
            "worst_group": "vacancy-booking",
        },
        "cpu_share": cpu,
        "machine_busy": 0.72,
        "generator_cpu_share": 0.08,
        "cpu_us_per_booking": {"broker": 1_511, "worker-1": 4_823},
        "resident_mib": {"broker": 318, "worker-1": 302},
        "held": held,
    }


def waterfall() -> dict[str, Any]:
    def hop(number: int, what: str, by: str) -> dict[str, Any]:
        return {"hop": what, "by": by, "begins_ms": number + 0.3, "p50_ms": number + 1.4, "p95_ms": number + 7.6}

    return {
        "bookings": 1_097,
        "hops": [hop(number, each.what, each.by) for number, each in enumerate(HOPS)],
        "whole": hop(20, "request to confirmed", ""),
        "afterwards": [hop(30 + number, each.what, each.by) for number, each in enumerate(AFTERWARDS)],
    }


def journey(at_target: dict[str, Any] | None = None, highest: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "bounds": {"accept_p95_ms": 100.0, "confirm_p95_ms": 500.0, "lag_worst_p95": 100, "cpu_share": 0.7},
        "rates": [load(20.0) | {"waterfall": waterfall()}, at_target or load(167.0)],
        "highest": highest,
        "probes": [load(334.0, held=False) | {"seconds": 15.0}],
        "audit_exit": 0,
        "services": {
            "rate": 20.0,
            "seconds": 30,
            "bookings": 601,
            "cpu_us_per_booking": {"broker": 3_019, "booking": 2_027},
            "at_rest_us": {"broker": 307, "booking": 29},
            "resident_mib": {"broker": 311, "booking": 103},
        },
    }


def drain(bookings: int = 100_000, per_second: float = 2_003.0, mib: int = 211) -> dict[str, Any]:
    return {
        "workers": 1,
        "bookings": bookings,
        "outcomes": {"confirmed": bookings - 7, "rejected": 7},
        "start_s": 6.13,
        "outcome_s": 49.7,
        "rest_s": 53.9,
        "bookings_per_s": per_second,
        "bookings_per_s_to_rest": 1_857.0,
        "records_per_booking": 41.2,
        "progress": [[0.0, 0], [0.5, 977]],
        "cpu_ms_per_booking": {"broker": 2.13},
        "resident_mib": {"worker-1": mib},
        "peak_mib": {"worker-1": 241},
    }


def log(**other: Any) -> dict[str, Any]:
    return {"resources": 1_009, "pilot": None, "drain": drain(**other), "audit_exit": 0}


def table(rows: int, cold: float) -> dict[str, Any]:
    return {"rows": rows, "row_bytes": 263, "cold_s": spread(cold), "warm_s": spread(0.19), "decisions_per_s": None}


def growth(cold: float = 8.9) -> dict[str, Any]:
    tables = [table(1_000, 0.21), table(1_000_000, cold) | {"decisions_per_s": spread(5_417.0)}]
    hot = [{"case": "one unit type", **drain(2_011)}]
    larger = [{"padding_bytes": 3_001, "row_bytes": 4_409, **drain(2_017)}]
    return {"tables": tables, "row_sizes": [], "workers": [drain(2_027)], "hot": hot, "bookings": larger}


def synchronous() -> dict[str, Any]:
    latency = {"p50": 9.13, "p95": 20.7, "p99": 31.9, "max": 3_011.0}
    side = {"bookings": 211, "errors": 0, "answer_ms": latency, "confirm_ms": latency}
    return {
        "commit_ms": latency,
        "rates": [{"rate": 20, "seconds": 10, "synchronous": side, "vacancy": side}],
        "held": {"synchronous": {"rate": 96, "p95_ms": 311, "tried": [[48, 101, True]]}},
        "slow": [{"rate": 50, "share": 0.13, "synchronous": {"others": side, "slow": side}}],
    }


def everything() -> dict[str, Any]:
    parts = {"micro": micro(), "journey": journey(highest=load(214.0)), "log": log(), "growth": growth()}
    return {name: measured(result) for name, result in {**parts, "synchronous": synchronous()}.items()}
