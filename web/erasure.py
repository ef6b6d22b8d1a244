"""Erasing a user: every key of the user goes, and the answer says what can still be read where, and until when.

While bookings of the user are under way it is refused, as far as the lists of bookings can say so.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta

import msgspec
from aiohttp import web
from pydantic import ConfigDict

from domain.booking_state import BookingStatus
from domain.erasure import gone_by
from domain.users import User
from projections.listings import BookingsAsked, ListsUnavailable
from streams.events.users import EraseUser
from streams.services import USER
from streams.topics import Topic
from streams.wire import codec_of
from tables.users import row_key
from web.answers import Answer
from web.bodies import check, read_json
from web.context import SOURCE, Context, context_of, correlation_of, principal_of
from web.operations import IDEMPOTENCY_KEY, Operation
from web.owners import OwnerUnavailable
from web.problems import Problem
from web.requests import id_of_request, name_in_path
from web.shapes import Request, as_json

_user = msgspec.json.Decoder(User)
_PAUSE_S = 0.05
#: Lists that are older than this say nothing of now.
_STALE = timedelta(minutes=1)
#: Of each status so many bookings are named.
_MOST_NAMED = 20
_UNDER_WAY = tuple(status for status in BookingStatus if not status.terminal)
_WARNING = (
    "Bookings of this user go on, and nothing can be sent for them any more: their mails end with the error 'erased'. "
    "`vacancy users erase` looks for bookings under way, and proves what is left where."
)


class EraseRequest(Request):
    model_config = ConfigDict(json_schema_extra={"examples": [{"force": True}]})

    #: Although bookings are under way: nothing can be sent for them afterwards.
    force: bool = False


class ShownOut(Answer):
    """A documented topic that shows personal data, and the time by which retention has removed what is there now."""

    topic: str
    gone_by: datetime | None


class ErasureOut(Answer):
    """`status` is `erased`, or `under_way` while the keys are not gone yet."""

    user_id: str
    status: str
    asked_at: datetime
    erased_at: datetime | None
    documented_topics: list[ShownOut]
    warning: str


async def erase_user(request: web.Request) -> web.Response:
    """200 once the user's keys are gone, 202 where that takes longer: it is done then, whoever asks again or not."""
    user_id, context = name_in_path(request, "user_id"), context_of(request)
    # The key need not be kept: an erasure that is asked for again is the same one, or finds nothing more to do.
    id_of_request(request, principal_of(request))
    said = check(EraseRequest, await read_json(request)) if request.can_read_body else EraseRequest()
    if not said.force and (numbers := await _under_way(context, user_id)):
        raise _refused(numbers)
    asked = await context.log.append(EraseUser(user_id=user_id), source=SOURCE, correlation_id=correlation_of(request))
    row = await _row(context, user_id, asked.offset)
    asked_at = row.erasing or row.updated_at
    end = time.monotonic() + context.limits.patience
    while row.erasing is not None and time.monotonic() < end:
        await asyncio.sleep(_PAUSE_S)
        row = await _row(context, user_id, asked.offset)
    if row.erasing is None:
        await context.keyring.caught_up()  # so that nothing here opens a text of the user any more
    body = ErasureOut(
        user_id=user_id,
        status="erased" if row.erasing is None else "under_way",
        asked_at=asked_at,
        erased_at=row.erased_at if row.erasing is None else None,
        documented_topics=[_shown(topic, context.clock()) for topic in showing(context)],
        warning=_WARNING,
    )
    status = 200 if row.erasing is None else 202
    return as_json(body, status)


async def _under_way(context: Context, user_id: str) -> list[str]:
    """Confirmation numbers of bookings that are not over; none where there are no lists, or none of now."""
    found: list[str] = []
    try:
        for status in _UNDER_WAY:
            asked = BookingsAsked(user_id=user_id, status=status)
            page = await context.listings.bookings(asked, _MOST_NAMED, None)
            if context.clock() - page.as_of > _STALE:
                return []
            found += [str(row["confirmation_number"]) for row in page.rows]
    except ListsUnavailable:
        return []
    return sorted(found)


def _refused(numbers: list[str]) -> Problem:
    detail = (
        f"Bookings are under way: {', '.join(numbers)}. Cancel them first, or send "
        '{"force": true}: then nothing can be sent for them any more.'
    )
    return Problem(
        409, "bookings-under-way", "The user has bookings that are not over", detail, more={"bookings": numbers}
    )


def showing(context: Context) -> list[Topic]:
    """The documented topics that show something personal in clear."""
    shown = codec_of(context.layout.codec).reveals
    return [topic for topic in context.layout.topics.values() if any(issubclass(each, shown) for each in topic.carries)]


def _shown(topic: Topic, now: datetime) -> ShownOut:
    kept = None if topic.retention_ms < 0 else timedelta(milliseconds=topic.retention_ms)
    return ShownOut(topic=topic.name, gone_by=gone_by(now, kept))


async def _row(context: Context, user_id: str, after: int) -> User:
    found = await context.rows.row(USER.name, user_id, row_key(user_id), after=after)
    if found is None:  # decided and yet not there: the request itself was refused as poison, which is our fault
        raise OwnerUnavailable(user_id)
    return _user.decode(found)


OPERATIONS = (
    Operation(
        "POST",
        "/api/users/{user_id}/erasure",
        erase_user,
        "Erase a user: every key of the user's personal data",
        "users",
        {200: ErasureOut, 202: ErasureOut},
        request=EraseRequest,
        request_required=False,
        parameters=(IDEMPOTENCY_KEY,),
        problems=(409, 422, 503),
    ),
)
