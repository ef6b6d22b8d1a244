"""`vacancy replay --from 0 --diff --json` of one service after the other in one process: starting one costs most of it.

`python -m tests.layouts.replays DATA INTO SERVICE...` prints a line for each; exit code 1 at the first that differs.
"""

from __future__ import annotations

import sys

from cli.main import group


def main() -> int:
    data, into, *services = sys.argv[1:]
    for service in services:
        asked = ["--service", service, "--from", "0", "--into", f"{into}/{service}", "--diff", "--json", "--data", data]
        if code := group()(["replay", *asked], prog_name="vacancy", standalone_mode=False):
            return int(code)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
