"""Blocks: units of a unit type that are not for sale, e.g. out of order, or kept for a group."""

from __future__ import annotations

import msgspec
from aiohttp import web

from domain.night_rules import Block
from domain.property_calendar import MOST_BLOCKS
from streams.events.availability import ResourceDeclared
from streams.events.night_rules import RemoveBlock, SetBlock
from streams.keys import resource_key
from streams.services import AVAILABILITY
from tables.availability import block_prefix
from web.bodies import check, read_json
from web.calendar_models import BlockOut, BlockRequest, BlocksOut
from web.calendars import by_night, nights_of, unit_in_path
from web.context import SOURCE, Context, context_of, correlation_of
from web.operations import Operation
from web.problems import Problem, invalid, not_found
from web.requests import name_in_path
from web.shapes import as_json
from web.units import readable

#: How many blocks a unit type's list shows.
_MOST = 1_000
#: What a request says of a block.
_SAID = ("from_date", "to_date", "units", "reason", "release_at")
_block = msgspec.json.Decoder(Block)


async def put_block(request: web.Request) -> web.Response:
    context, unit, block_id = context_of(request), unit_in_path(request), name_in_path(request, "block_id")
    asked = check(BlockRequest, await read_json(request))
    nights_of(asked.from_date, asked.to_date)
    if asked.units > unit.capacity:
        raise invalid("units", f"should be at most {unit.capacity}, which is all there are")
    event = SetBlock(
        provider_id=unit.provider_id,
        product_id=unit.product_id,
        block_id=block_id,
        **{name: getattr(asked, name) for name in _SAID},
    )
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    by_night(await readable(context, unit.provider_id, unit.product_id, appended.offset))
    found = await _found(context, unit, block_id, after=appended.offset)
    if found is None or any(getattr(found, name) != getattr(event, name) for name in _SAID):
        detail = f"Another request was faster, or one of its nights has {MOST_BLOCKS} blocks, which is all that may be."
        raise Problem(
            409, "block-refused", "The block is not as asked for", f"{detail} Look at the blocks, and ask again."
        )
    return _answer(context, found)


async def delete_block(request: web.Request) -> web.Response:
    """Ends it, and answers with what it was."""
    context, unit, block_id = context_of(request), unit_in_path(request), name_in_path(request, "block_id")
    block = await _found(context, unit, block_id)
    if block is None:
        raise not_found("block of this unit type")
    event = RemoveBlock(provider_id=unit.provider_id, product_id=unit.product_id, block_id=block_id)
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    await readable(context, unit.provider_id, unit.product_id, appended.offset)
    return _answer(context, block)


async def get_blocks(request: web.Request) -> web.Response:
    context, unit = context_of(request), unit_in_path(request)
    resource = resource_key(unit.provider_id, unit.product_id)
    rows = await context.rows.list(AVAILABILITY.name, resource, block_prefix(resource), _MOST)
    now = context.clock()
    body = BlocksOut(
        property_id=unit.provider_id,
        unit_type=unit.product_id,
        blocks=[BlockOut.of(_block.decode(row), now) for row in rows],
    )
    return as_json(body)


async def _found(context: Context, unit: ResourceDeclared, block_id: str, after: int | None = None) -> Block | None:
    resource = resource_key(unit.provider_id, unit.product_id)
    name = f"{block_prefix(resource)}{block_id}"
    row = await context.rows.row(AVAILABILITY.name, resource, name, after=after)
    return _block.decode(row) if row is not None else None


def _answer(context: Context, block: Block) -> web.Response:
    return as_json(BlockOut.of(block, context.clock()))


_BLOCKS = "/api/properties/{property_id}/units/{unit_type}/blocks"

OPERATIONS = (
    Operation(
        "GET",
        _BLOCKS,
        get_blocks,
        "The blocks of a unit type, by their ids; of more than 1000 the last ones",
        "calendar",
        {200: BlocksOut},
        problems=(404, 409, 422, 503),
    ),
    Operation(
        "PUT",
        f"{_BLOCKS}/{{block_id}}",
        put_block,
        "Keep units of some nights out of sale, for maintenance or a group",
        "calendar",
        {200: BlockOut},
        request=BlockRequest,
        problems=(404, 409, 503),
    ),
    Operation(
        "DELETE",
        f"{_BLOCKS}/{{block_id}}",
        delete_block,
        "Put what was blocked on sale again",
        "calendar",
        {200: BlockOut},
        problems=(404, 409, 422, 503),
    ),
)
