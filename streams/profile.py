"""How documented topics are written and read, where a document or a setting wants it otherwise than we do (C9, C10)."""

from __future__ import annotations

import logging

from config.settings import Settings
from streams.layout import Layout
from streams.publisher import Others

logger = logging.getLogger(__name__)
#: What a fetch hands on at once; an agent's queue takes sixteen of them (docs/decisions/0028).
MAX_POLL_RECORDS = 400


def others(settings: Settings, layout: Layout) -> Others | None:
    """The producer of documented topics; None where ours writes them. Warns of one that promises less."""
    made = _chosen(settings, layout)
    if made is not None and made.acks != "all":
        logger.warning("documented topics are written with acks=%s: an acknowledged event may be lost (P7)", made.acks)
    return made


def _chosen(settings: Settings, layout: Layout) -> Others | None:
    profile = layout.profile if settings.profile == "document" else None
    chosen = (settings.producer_acks, settings.producer_compression, settings.producer_batch_bytes)
    if profile is None and settings.producer_linger_ms is None and not any(chosen):
        return None
    acks = settings.producer_acks or (profile.acks if profile is not None else "all")
    compression = settings.producer_compression or (profile.compression if profile is not None else None)
    return Others(
        topics=frozenset(layout.topics),
        acks=acks if acks == "all" else int(acks),
        compression=None if compression == "none" else compression,
        batch_bytes=settings.producer_batch_bytes or (profile.batch_bytes if profile is not None else 1024 * 1024),
        linger_ms=_first(settings.producer_linger_ms, profile.linger_ms if profile is not None else None),
    )


def weakens(settings: Settings, layout: Layout) -> bool:
    """Whether documented topics are written with fewer acknowledgements than every promise needs."""
    found = _chosen(settings, layout)
    return found is not None and found.acks != "all"


def max_poll_records(settings: Settings, layout: Layout) -> int:
    """How many records a consumer takes at once."""
    profile = layout.profile if settings.profile == "document" else None
    documented = profile.max_poll_records if profile is not None else None
    return settings.consumer_max_poll_records or documented or MAX_POLL_RECORDS


def session_timeout(settings: Settings, layout: Layout) -> float:
    """After how many seconds without a heartbeat a worker counts as gone."""
    profile = layout.profile if settings.profile == "document" else None
    return profile.session_timeout if profile is not None else settings.session_timeout


def _first(*values: int | None) -> int:
    return next((value for value in values if value is not None), 0)
