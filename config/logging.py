"""Logging of every process: one line per record on stderr, quiet by default, no message bodies.

The supervisor turns a part's stderr into DIR/log/PART.log; nothing here opens files.
"""

from __future__ import annotations

import logging
import sys

from config.settings import LogLevel

_FORMAT = "%(asctime)s %(levelname)s {part} %(name)s: %(message)s"
_LONGEST = 2000

#: Libraries that repeat themselves while a broker is away; their word counts from this level on.
_CHATTY = {"aiokafka": logging.ERROR, "kafka": logging.ERROR, "faust.topics": logging.ERROR, "asyncio": logging.ERROR}


class Discreet(logging.Filter):
    """Cuts what libraries log of messages: Faust writes keys and values whole when a send fails."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("faust.topics") and record.args:
            record.msg, record.args = f"{record.msg!s:.80} (arguments left out)", ()
        text = record.getMessage()
        if len(text) > _LONGEST:
            record.msg, record.args = f"{text[:_LONGEST]}... ({len(text)} characters)", ()
        return True


def configure(part: str, level: LogLevel = "warning") -> None:
    """Sets up the root logger of this process for the part's name; called again, it replaces what was set."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_FORMAT.format(part=part)))
    handler.addFilter(Discreet())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name, at_least in _CHATTY.items():
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else at_least)
