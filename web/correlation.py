"""The correlation id of a request: taken from the caller or made here, and given back with the answer."""

from __future__ import annotations

import re
import uuid

from aiohttp import web

from web.problems import CORRELATION_ID, Handler

HEADER = "X-Correlation-Id"
_ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)


@web.middleware
async def correlate(request: web.Request, handler: Handler) -> web.StreamResponse:
    given = request.headers.get(HEADER, "")
    request[CORRELATION_ID] = given if _ACCEPTED.fullmatch(given) else str(uuid.uuid4())
    answer = await handler(request)
    answer.headers[HEADER] = request[CORRELATION_ID]
    return answer
