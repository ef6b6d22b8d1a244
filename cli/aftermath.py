"""What a worker looks at before it begins: the disk, and how the one before it in its slot ended."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from prometheus_client import Counter

from cli.slots import Slot
from cli.space import check_room
from config.settings import Settings
from streams.ending import end_process
from streams.mending import wipe

logger = logging.getLogger(__name__)
_UNCLEAN = Counter("vacancy_unclean_starts_total", "Starts of this process whose predecessor did not end in order")


def check_before(settings: Settings, slot: Slot, names: Iterable[str]) -> None:
    """Looks at what the one before us left. Ends the process where the disk is full."""
    try:
        check_room(settings)
        if slot.before == "clean":
            return
        _UNCLEAN.inc()
        logger.warning("%s starts after an unclean stop", slot.name)
        if slot.before == "machine":
            # The machine went down: Kafka may have lost more than the files here, which would then be ahead of it.
            logger.warning("the machine was started since: rows are restored from the changelogs")
            for name in names:
                wipe(slot.directory / name)
    except Exception as error:
        end_process(error)
