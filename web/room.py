"""Nothing new is taken while the disk is full: what is answered then may not be kept, and what is left is the log's."""

from __future__ import annotations

import logging

from aiohttp import web

from web.context import context_of
from web.problems import Handler, unavailable

logger = logging.getLogger(__name__)
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


@web.middleware
async def refuse_without_room(request: web.Request, handler: Handler) -> web.StreamResponse:
    """503 for whatever would be written; reading goes on for as long as its owners do."""
    if request.method not in _READS and (hindrance := context_of(request).hindrance()):
        logger.warning("%s %s is refused: %s", request.method, request.path, hindrance)
        raise unavailable("The disk is full, nothing new is kept. The request did nothing and is safe to retry.")
    return await handler(request)
