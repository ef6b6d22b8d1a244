"""The journey through HTTP at the hotel document's target: 10,000 bookings a minute, everything on this machine.

Run by `make bench`; starts a fresh `vacancy up`, warms it up, drives `vacancy demo` at 167 bookings a second for 60 s,
and writes docs/performance.json and docs/performance.md (HTL-41, HTL-44, C19).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bench.machine import describe

ROOT = Path(__file__).resolve().parent.parent
WARM_UP_S = 20


def main() -> None:
    arguments = _arguments()
    machine = {**describe(), "load_before": round(os.getloadavg()[0], 2)}
    with tempfile.TemporaryDirectory(prefix="vacancy-bench-") as data:
        up = _start(Path(data), arguments.workers)
        try:
            result = _measure(Path(data), arguments)
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(20)
    result = {"machine": machine, "workers": arguments.workers, **result}
    if arguments.write:
        (ROOT / "docs" / "performance.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
        (ROOT / "docs" / "performance.md").write_text(render(result), "utf-8")
    print(json.dumps(result, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=167)
    parser.add_argument("--duration", type=float, default=60)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write docs/performance.*")
    return parser.parse_args()


def _start(data: Path, workers: int) -> subprocess.Popen[bytes]:
    log = (data / "up.log").open("wb")
    command = _vacancy("up", "--data", str(data), "--port", "0", "--workers", str(workers))
    up = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    until = time.monotonic() + 180
    while b"ready http" not in (data / "up.log").read_bytes():
        if up.poll() is not None or time.monotonic() > until:
            raise SystemExit((data / "up.log").read_text("utf-8", "replace"))
        time.sleep(0.1)
    return up


def _measure(data: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    # The broker's just-in-time compiler and the connections are part of any first minute, not of a minute at rest.
    _demo(data, arguments.rate / 2, WARM_UP_S, arguments.seed + 1_000)
    before = _cpu(data)
    report = _demo(data, arguments.rate, arguments.duration, arguments.seed)
    after = _cpu(data)
    lag = asyncio.run(_lag(data))
    audit = subprocess.run(_vacancy("audit", "--data", str(data), "--json"), capture_output=True, check=False)
    bookings = max(report["accepted"], 1)
    return {
        "demo": report,
        "lag_at_the_end": lag,
        "audit_exit": audit.returncode,
        "cpu_ms_per_booking": {name: round((after[name] - before[name]) / bookings * 1000, 2) for name in before},
        "resident_mib": _memory(data),
    }


def _demo(data: Path, rate: float, duration: float, seed: int) -> dict[str, Any]:
    command = _vacancy("demo", "--data", str(data), "--rate", str(rate), "--duration", str(duration))
    done = subprocess.run([*command, "--seed", str(seed), "--json"], stdout=subprocess.PIPE, check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _vacancy(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "cli.main", *arguments]


def _instance(data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data / "vacancy.json").read_text("utf-8"))
    return found


def _cpu(data: Path) -> dict[str, float]:
    times = {name: psutil.Process(pid).cpu_times() for name, pid in _instance(data)["pids"].items()}
    return {name: spent.user + spent.system for name, spent in times.items()}


def _memory(data: Path) -> dict[str, int]:
    return {name: psutil.Process(pid).memory_info().rss // 2**20 for name, pid in _instance(data)["pids"].items()}


async def _lag(data: Path) -> dict[str, int]:
    """Records that each group has not committed yet, a second after the load has ended."""
    await asyncio.sleep(1)
    servers = _instance(data)["bootstrap_servers"]
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    reader = AIOKafkaConsumer(bootstrap_servers=servers)
    await admin.start()
    await reader.start()
    try:
        lag: dict[str, int] = {}
        for group, _ in await admin.list_consumer_groups():
            committed = await admin.list_consumer_group_offsets(group)
            ends = await reader.end_offsets([TopicPartition(tp.topic, tp.partition) for tp in committed])
            lag[group] = sum(end - committed[tp].offset for tp, end in ends.items() if committed[tp].offset >= 0)
        return lag
    finally:
        await reader.stop()
        await admin.close()


def render(result: dict[str, Any]) -> str:
    """The page a person reads; every figure in it is from the JSON beside it."""
    machine, demo = result["machine"], result["demo"]
    accept, confirm = demo["accept_ms"], demo["confirm_ms"]
    goals = [
        ("accept p95", f"{accept['p95']:.0f} ms", "< 100 ms", accept["p95"] < 100),
        ("confirm p95", f"{confirm['p95']:.0f} ms", "< 500 ms", confirm["p95"] < 500),
        (
            "lag at the end",
            str(sum(result["lag_at_the_end"].values())),
            "< 100",
            sum(result["lag_at_the_end"].values()) < 100,
        ),
        ("audit", "clean" if result["audit_exit"] == 0 else "NOT clean", "clean", result["audit_exit"] == 0),
    ]
    rows = "\n".join(f"| {name} | {seen} | {goal} | {'yes' if met else '**no**'} |" for name, seen, goal, met in goals)
    shares = "\n".join(
        f"| {name} | {spent} | {result['resident_mib'][name]} |" for name, spent in result["cpu_ms_per_booking"].items()
    )
    outcomes = ", ".join(f"{count} {name}" for name, count in demo["outcomes"].items() if count)
    return f"""# Performance

Written by `make bench` from [performance.json](performance.json); nothing here is typed by hand.

Machine: {machine["processor"]}, {machine["cores"]} cores, {machine["memory_gib"]} GiB, {machine["system"]}, Python
{machine["python"]}. The load average before the run was {machine["load_before"]}: the machine is shared, so times vary
between runs. Everything ran on it: Kafka, {result["workers"]} worker(s), gateway, payment provider and the load itself.

## 10,000 bookings a minute, for a minute

`vacancy demo --rate {demo["rate"]:g}`: {demo["accepted"]} bookings accepted in {demo["seconds"]:.1f} s ({outcomes};
{demo["unresolved"]} without an outcome, {demo["error_count"]} errors). Latency counts from the moment a booking was
due, so waiting in a queue counts too (HTL-41, HTL-44, C19).

| | measured | goal | met |
|---|---|---|---|
{rows}

| | p50 | p95 | p99 | max |
|---|---|---|---|---|
{_latencies("accept (due to 201)", accept)}
{_latencies("confirm (due to outcome seen)", confirm)}

Some payments of the traffic are slow on purpose (3 s at the provider); they make the maximum.

## Where the time goes

{_limits(result)}

| process | CPU ms per booking | resident MiB |
|---|---|---|
{shares}
"""


def _limits(result: dict[str, Any]) -> str:
    spent = sum(result["cpu_ms_per_booking"].values())
    busy = spent * result["demo"]["rate"] / 1000
    worker = max(cost for name, cost in result["cpu_ms_per_booking"].items() if name.startswith("worker"))
    cores, loop = result["machine"]["cores"], worker * result["demo"]["rate"] / 10
    return f"""The instance spends {spent:.1f} ms of CPU time on a booking: twelve messages with their rows and outputs,
two calls to the provider, about three requests at the gateway. At this rate that is {busy:.2f} of {cores} cores beside
the load generator, and {loop:.0f} % of one core in the busiest worker. Where a latency goal is missed, bookings wait
for a processor."""


def _latencies(name: str, found: dict[str, float]) -> str:
    return f"| {name} | " + " | ".join(f"{found[share]} ms" for share in ("p50", "p95", "p99", "max")) + " |"


if __name__ == "__main__":
    main()
