"""A part of the bench that measures nothing: what it does depends on where it is told to."""

from __future__ import annotations

import os
import subprocess
import time
from typing import Any

from rich.progress import Progress

from bench.parts import CannotMeasure, Options


def run(options: Options, progress: Progress) -> dict[str, Any]:
    progress.add_task("pretending", total=4, completed=1)
    (options.scratch / "something").write_text("x", "utf-8")
    match os.environ.get("FAKE_PART"):
        case "cannot":
            raise CannotMeasure("there is no fairy dust here")
        case "endless":
            child = subprocess.Popen(["sleep", "600"], cwd=options.scratch, start_new_session=True)
            print(f"{child.pid} {options.scratch}", flush=True)
            time.sleep(600)
    return {"seed": options.seed, "repeats": options.repeats, "short": options.short, "scratch": str(options.scratch)}
