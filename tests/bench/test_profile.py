"""Stacks as py-spy writes them become shares that add up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import profile
from bench.parts import CannotMeasure

_FAUST = "run (cli/worker.py:1);Agent._execute_actor (faust/agents/agent.py:7)"
_DECIDE = f"{_FAUST};attach.<locals>.decide_bookings (agents/booking.py:33)"
RAW = f"""{_DECIDE};Processor.apply (streams/processor.py:70) 6
{_DECIDE};Processor.apply (streams/processor.py:91) 1
run (cli/worker.py:1);Settler._settle (streams/settling.py:100);Rdict.write (rocksdict) 2
run (cli/worker.py:1) 1
"""


def test_shares_are_of_all_samples() -> None:
    found = profile.described(profile.stacks_of(RAW))
    assert found["samples"] == 10
    assert found["by_place"] == [
        {"what": "deciding, and saying what follows", "percent": 70.0},
        {"what": "making slices durable", "percent": 20.0},
        {"what": "the event loop, and all else", "percent": 10.0},
    ]
    assert found["by_agent"] == [{"agents": "booking", "percent": 70.0}, {"agents": "none", "percent": 30.0}]
    assert found["functions"][0] == {"function": "Processor.apply (streams/processor.py)", "percent": 70.0}


def test_without_samples_nothing_is_said() -> None:
    with pytest.raises(CannotMeasure, match="no Python code"):
        profile.described(profile.stacks_of(""))


def test_the_first_place_that_fits_counts() -> None:
    inner = "a (streams/effects.py:1);b (aiokafka/producer/sender.py:2)"
    assert profile.place_of(inner) == "calls to the provider, mails and receipts"
    assert profile.place_of("b (aiokafka/producer/sender.py:2)") == "producing"
    assert profile.place_of("c (somewhere.py:3)") == "the event loop, and all else"


def test_a_process_that_cannot_be_looked_at_is_no_measurement(tmp_path: Path) -> None:
    spy = Path(sys.executable).with_name("py-spy")
    if not spy.exists():
        pytest.skip("needs py-spy: pip install 'vacancy[bench]'")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with pytest.raises(CannotMeasure, match="py-spy"):
        profile.recorded(str(spy), gone.pid, 1, tmp_path / "stacks.txt")
