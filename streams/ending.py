"""How a process ends that must not go on."""

from __future__ import annotations

import logging
import os
from typing import NoReturn

logger = logging.getLogger(__name__)


def end_process(error: BaseException) -> NoReturn:
    """Ends this process at once: what is not durable is decided again by whoever comes next (design 5.10)."""
    logger.critical("this process ends: %s: %s", type(error).__name__, error, exc_info=error)
    logging.shutdown()
    os._exit(70)
