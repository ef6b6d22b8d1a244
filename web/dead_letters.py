"""Dead letters over HTTP: listed, shown, edited, replayed and dropped by the operator, a bounded number at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, get_args

import orjson
from aiohttp import web

from streams.dead_letters import Class, Letter
from streams.events.control import LetterAction
from streams.letter_desk import Desk, Found, Outcome
from streams.letters import STATUSES, BadEdit, Filter, place_of, with_changes
from web.bodies import check, read_json
from web.context import context_of, principal_of
from web.dead_letter_models import (
    ActedOut,
    Action,
    BulkRequest,
    CopyOut,
    CountOut,
    EditRequest,
    LetterOut,
    LettersOut,
    RefusedOut,
    WholeLetterOut,
)
from web.paging import limit_of
from web.problems import Problem, invalid, not_found, unavailable
from web.shapes import as_json

#: Letters that one request reads at most, wanted or not: the next goes on from there.
_MOST_READ = 20_000
#: And how much of what is wanted is held at a time: letters may be of 4 MiB.
_MOST_BYTES = 16 * 1024 * 1024


async def list_letters(request: web.Request) -> web.Response:
    desk, wanted, limit = _desk(request), _filter(request), limit_of(request, 50, 200)
    _check_topic(desk, wanted)
    found, last = await _page(desk.look_through(wanted, _place(request.query.get("after"))), limit)
    counts, counted = await desk.counts(_MOST_READ)
    handled = desk.handled()
    body = LettersOut(
        letters=[LetterOut.model_validate(LetterOut.of(each)) for each in found],
        next=last,
        counts=[
            CountOut(topic=topic, kind=kind, letters=count, unhandled=max(0, count - handled[topic, kind]))
            for (topic, kind), count in sorted(counts.items())
        ],
        counted=counted,
    )
    return _as_json(body)


async def get_letter(request: web.Request) -> web.Response:
    found = await _known(request)
    return _as_json(WholeLetterOut.model_validate(WholeLetterOut.of(found)))


async def replay_letter(request: web.Request) -> web.Response:
    return await _act_on_one(request, "replayed")


async def drop_letter(request: web.Request) -> web.Response:
    return await _act_on_one(request, "dropped")


async def edit_letter(request: web.Request) -> web.Response:
    asked, found, desk = check(EditRequest, await read_json(request)), await _known(request), _desk(request)
    _refuse_if(desk.objection(found.letter, "edited", force=asked.force))
    copy = await desk.edit(found.letter, _edited(found.letter, asked), by=principal_of(request).name, note=asked.note)
    return as_json(CopyOut(id=found.letter.id, copied_to=copy), 201, {"Location": f"/api/dead-letters/{copy}"})


async def replay_letters(request: web.Request) -> web.Response:
    return await _act_on_many(request, "replayed")


async def drop_letters(request: web.Request) -> web.Response:
    return await _act_on_many(request, "dropped")


async def _act_on_one(request: web.Request, action: LetterAction) -> web.Response:
    asked = check(Action, await read_json(request)) if request.can_read_body else Action()
    found, desk = await _known(request), _desk(request)
    _refuse_if(desk.objection(found.letter, action, force=asked.force))
    by = principal_of(request).name
    done = [each async for each in desk.answer(_these([found]), action, by=by, note=asked.note, force=asked.force)]
    return _as_json(_acted(done))


async def _act_on_many(request: web.Request, action: LetterAction) -> web.Response:
    asked, desk = check(BulkRequest, await read_json(request)), _desk(request)
    wanted = asked.wanted()
    _check_topic(desk, wanted)
    chosen, last = await _page(desk.look_through(wanted, _place(asked.after)), asked.limit)
    if asked.dry_run:
        done = [Outcome(each.letter, desk.objection(each.letter, action, force=asked.force)) for each in chosen]
    else:
        by = principal_of(request).name
        answers = desk.answer(_these(chosen), action, by=by, note=asked.note, force=asked.force)
        done = [each async for each in answers]
    return _as_json(_acted(done, dry_run=asked.dry_run, last=last))


async def _page(letters: AsyncGenerator[Found, None], limit: int) -> tuple[list[Found], str | None]:
    """So many letters that are wanted, and the place to go on from where there may be more."""
    found: list[Found] = []
    read, size = 0, 0
    async with aclosing(letters):
        async for each in letters:
            read += 1
            if each.wanted:
                found.append(each)
                size += len(each.letter.value or b"")
            if len(found) >= limit or size > _MOST_BYTES or read >= _MOST_READ:
                return found, each.letter.id
    return found, None


async def _these(found: list[Found]) -> AsyncGenerator[Letter, None]:
    for each in found:
        yield each.letter


async def _known(request: web.Request) -> Found:
    """The letter of the path; 404 where there is none."""
    found = await _desk(request).get(f"{request.match_info['topic']}/{request.match_info['offset']}")
    if found is None:
        raise not_found("dead letter")
    return found


def _desk(request: web.Request) -> Desk:
    desk = context_of(request).letters
    if desk is None:
        raise unavailable("This gateway does not read dead letters.")
    return desk


def _check_topic(desk: Desk, wanted: Filter) -> None:
    if wanted.topic is not None and wanted.topic not in desk.topics:
        raise invalid("topic", "no topic of this instance has letters under this name")


def _refuse_if(why: str | None) -> None:
    if why is not None:
        raise Problem(409, "letter-refused", "Nothing is done to this letter", why)


def _edited(letter: Letter, asked: EditRequest) -> bytes:
    given = [name for name in ("set", "value", "value_base64") if getattr(asked, name) is not None]
    if len(given) != 1:
        raise invalid("set", "send exactly one of set, value and value_base64")
    try:
        if asked.set is not None:
            return with_changes(letter.value, [(path, _plain(value)) for path, value in asked.set.items()])
        if asked.value is not None:
            return orjson.dumps(_plain(asked.value))
        return base64.b64decode(asked.value_base64 or "", validate=True)
    except BadEdit as error:
        raise invalid(f"set.{error.path}" if error.path else "set", str(error)) from None
    except binascii.Error:
        raise invalid("value_base64", "is not base64") from None
    except (TypeError, OverflowError) as error:
        raise invalid(given[0], str(error)) from None


def _plain(value: Any) -> Any:
    """Numbers as any JSON has them: bodies are read with decimals."""
    return orjson.loads(orjson.dumps(value, default=float))


def _filter(request: web.Request) -> Filter:
    query = request.query
    kind, status = query.get("class"), query.get("status", "open")
    if kind is not None and kind not in get_args(Class):
        raise invalid("class", f"should be one of {', '.join(get_args(Class))}")
    standing = next((each for each in STATUSES if each == status), None)
    if standing is None and status != "all":
        raise invalid("status", f"should be one of {', '.join(STATUSES)}, all")
    return Filter(
        topic=query.get("topic"),
        kind=kind,
        reason=query.get("reason"),
        group=query.get("group"),
        key=query.get("key"),
        since=_time(request, "since"),
        until=_time(request, "until"),
        status=standing,
    )


def _time(request: web.Request, name: str) -> datetime | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(name, "should be a time like 2026-12-24T15:00:00Z") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _place(text: str | None) -> tuple[str, int] | None:
    place = place_of(text) if text is not None else None
    if text is not None and place is None:
        raise invalid("after", "should be the `next` of an earlier answer")
    return place


def _acted(outcomes: list[Outcome], *, dry_run: bool = False, last: str | None = None) -> ActedOut:
    return ActedOut(
        dry_run=dry_run,
        done=[each.letter.id for each in outcomes if each.refused is None],
        refused=[RefusedOut(id=each.letter.id, why=each.refused) for each in outcomes if each.refused is not None],
        more=last is not None,
        next=last,
    )


def _as_json(body: LettersOut | WholeLetterOut | ActedOut) -> web.Response:
    """By their names outside: `class` is a word of Python's."""
    return web.Response(text=body.model_dump_json(by_alias=True), content_type="application/json")
