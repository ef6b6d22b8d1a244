"""The correlation id of a request: taken from the caller or made here, and given back with the answer."""

from __future__ import annotations

import re
import uuid

from aiohttp import web

from domain.card_numbers import has_card_number
from web.problems import CORRELATION_ID, Handler

HEADER = "X-Correlation-Id"
_ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)


@web.middleware
async def correlate(request: web.Request, handler: Handler) -> web.StreamResponse:
    given = request.headers.get(HEADER, "")
    taken = _ACCEPTED.fullmatch(given) and not has_card_number(given)
    request[CORRELATION_ID] = given if taken else str(uuid.uuid4())
    answer = await handler(request)
    answer.headers[HEADER] = request[CORRELATION_ID]
    return answer
