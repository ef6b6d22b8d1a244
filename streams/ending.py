"""How a process ends that must not go on. Its exit code says to a supervisor, and to people, what kind of end it is."""

from __future__ import annotations

import errno
import logging
import os
from typing import NoReturn

#: It must not go on, and its successor may: a lost lease, a gap, a broker that did not acknowledge.
MUST_NOT_GO_ON = 70
#: What it stores on cannot be written or read (EX_IOERR): a full disk, a broken local store.
STORAGE = 74
#: It has work and makes no progress (EX_TEMPFAIL).
STALLED = 75

logger = logging.getLogger(__name__)


def end_process(error: BaseException) -> NoReturn:
    """Ends this process at once: what is not durable is decided again by whoever comes next (design 5.10)."""
    logger.critical("this process ends: %s: %s", type(error).__name__, error, exc_info=error)
    logging.shutdown()
    os._exit(code_of(error))


def code_of(error: BaseException) -> int:
    """The exit code of a process that ends for this reason; an error says its own by an attribute `ends_with`."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS):
        return STORAGE
    return int(getattr(error, "ends_with", MUST_NOT_GO_ON))
