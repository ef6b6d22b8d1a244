"""Logging of every process: one line per record on stderr, quiet by default, no message bodies.

The supervisor turns a part's stderr into DIR/log/PART.log; nothing here opens files.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

from config.settings import LogLevel

_FORMAT = "%(asctime)s %(levelname)s {part} %(name)s: %(message)s"
_LONGEST = 2000

#: Libraries that repeat themselves while a broker is away; their word counts from this level on.
_CHATTY = {"aiokafka": logging.ERROR, "kafka": logging.ERROR, "faust.topics": logging.ERROR, "asyncio": logging.ERROR}

#: What a broker answers that has only just started, and what its clients then ask again.
_SETTLING = ("GroupCoordinatorNotAvailable", "GroupLoadInProgress", "NotCoordinator", "NotLeaderForPartition")
_SETTLES_WITHIN = 30.0

#: What says the same for every request or connection while something is away.
_REPEATING = ("aiokafka", "streams.log", "web.room")
_EVERY_S = 10.0

_FAUST_RECOVERY = "faust.tables.recovery"
_STILL_RESTORING = "rows are still being restored; /readyz names the services that wait"


class Settled(logging.Filter):
    """Leaves out what Kafka's clients say of a broker that is starting, in this process's first 30 seconds only."""

    def __init__(self) -> None:
        super().__init__()
        self._from = time.monotonic() + _SETTLES_WITHIN

    def filter(self, record: logging.LogRecord) -> bool:
        if time.monotonic() >= self._from or not record.name.startswith("aiokafka"):
            return True
        text = record.getMessage()
        return not any(name in text for name in _SETTLING)


class Seldom(logging.Filter):
    """Of what is said again and again, such as of a broker that is away, once in ten seconds, and how often it was."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.CRITICAL or not record.name.startswith(_REPEATING):
            return True
        now, place = self._clock(), (record.pathname, record.lineno)
        last, unsaid = self._said.get(place, (-_EVERY_S, 0))
        if now - last < _EVERY_S:
            self._said[place] = (last, unsaid + 1)
            return False
        self._said[place] = (now, 0)
        if unsaid:
            record.msg, record.args = f"{record.getMessage()} (and {unsaid} times like it)", ()
        return True


class Discreet(logging.Filter):
    """Cuts what libraries log of messages: Faust writes keys and values whole when a send fails."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("faust.topics") and record.args:
            record.msg, record.args = f"{record.msg!s:.80} (arguments left out)", ()
        if record.name.startswith(_FAUST_RECOVERY) and "POSSIBLE INTERNAL ERROR" in str(record.msg):
            # Faust watches a restore of its own; ours (`streams.restore`) it does not know.
            record.msg, record.args = _STILL_RESTORING, ()
        text = record.getMessage()
        if len(text) > _LONGEST:
            record.msg, record.args = f"{text[:_LONGEST]}... ({len(text)} characters)", ()
        return True


def configure(part: str, level: LogLevel = "warning") -> None:
    """Sets up the root logger of this process for the part's name; called again, it replaces what was set."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_FORMAT.format(part=part)))
    handler.addFilter(Discreet())
    if level != "debug":
        handler.addFilter(Settled())
        handler.addFilter(Seldom())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name, at_least in _CHATTY.items():
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else at_least)
