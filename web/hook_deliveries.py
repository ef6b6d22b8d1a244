"""What became of the events that webhook endpoints want: the deliveries, their attempts, and one made anew."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import UTC

import msgspec
from aiohttp import web

from domain.hook_deliveries import Delivery, delivery_id_of
from domain.hook_load import DeliveryStatus
from domain.hooks import Endpoint
from streams.events.hooks import Deliver, Redeliver
from streams.services import WEBHOOK
from tables.hook_rows import deliveries_prefix, delivery_row
from web.context import SOURCE, Context, context_of, correlation_of
from web.hook_endpoints import known_endpoint
from web.hook_models import AttemptOut, DeliveriesOut, DeliveryDetailOut, DeliveryLinks, DeliveryOut, TestOut
from web.operations import Operation, Parameter
from web.owners import OwnerUnavailable
from web.paging import limit_of, limited
from web.problems import Problem, invalid, not_found
from web.shapes import as_json

_USUAL, _MOST = 50, 100
#: Rows looked through at a time for those of one status.
_PAGE = 200
_ID = re.compile(r"\d{15}\.[!-{}~]{1,100}", re.ASCII)
_STATUSES = [status.value for status in DeliveryStatus]
#: What a test says it is.
TEST = "webhook.test"
_delivery = msgspec.json.Decoder(Delivery)


async def list_deliveries(request: web.Request) -> web.Response:
    endpoint, limit = await known_endpoint(request), limit_of(request, _USUAL, _MOST)
    before, status = request.query.get("before"), request.query.get("status")
    if before is not None and not _ID.fullmatch(before):
        raise invalid("before", "should be the `next` of an earlier answer")
    if status is not None and status not in _STATUSES:
        raise invalid("status", f"should be one of {', '.join(_STATUSES)}")
    found = await _newest(context_of(request), endpoint.endpoint_id, limit, before, status)
    body = DeliveriesOut(
        deliveries=[DeliveryOut.model_validate(DeliveryOut.of(row)) for row in found],
        next=found[-1].delivery_id if len(found) == limit else None,
    )
    return as_json(body)


async def _newest(
    context: Context, endpoint_id: str, limit: int, before: str | None, status: str | None
) -> Sequence[Delivery]:
    """At most `limit` deliveries of a status, the newest first, of those before one."""
    prefix, found = deliveries_prefix(endpoint_id), list[Delivery]()
    page = limit if status is None else _PAGE
    while True:
        name = prefix + before if before is not None else None
        raw = await context.rows.list(WEBHOOK.name, endpoint_id, prefix, page, before=name)
        rows = [_delivery.decode(each) for each in raw]
        found += [row for row in reversed(rows) if status in (None, row.status.value)]
        if len(rows) < page or len(found) >= limit:
            return found[:limit]
        before = rows[0].delivery_id


async def get_delivery(request: web.Request) -> web.Response:
    endpoint = await known_endpoint(request)
    return _detail(await _known(request, endpoint))


async def redeliver(request: web.Request) -> web.Response:
    """Begins with it anew, also after it was delivered or given up. One that is under way stays so."""
    endpoint = await known_endpoint(request)
    _check_enabled(endpoint)
    row, context = await _known(request, endpoint), context_of(request)
    event = Redeliver(endpoint_id=endpoint.endpoint_id, deliveries=(row.delivery_id,), anyway=True)
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    return _detail(await _known(request, endpoint, after=appended.offset), 202)


async def send_test(request: web.Request) -> web.Response:
    """Sends a `webhook.test`, whatever the endpoint listens to; asked again, it sends another."""
    endpoint, context = await known_endpoint(request), context_of(request)
    _check_enabled(endpoint)
    event_id, at = str(uuid.uuid4()), context.clock()
    data = {"endpoint_id": endpoint.endpoint_id}
    said: dict[str, object] = {"type": TEST, "timestamp": at.astimezone(UTC).isoformat(), "data": data}
    if endpoint.format == "cloudevents":
        said = _as_cloud_event(event_id, said)
    event = Deliver(
        endpoint_id=endpoint.endpoint_id,
        event_id=event_id,
        news=TEST,
        at=at,
        body=msgspec.json.encode(said).decode(),
        test=True,
    )
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    name, key = delivery_id_of(at, event_id), endpoint.endpoint_id
    if await context.rows.row(WEBHOOK.name, key, delivery_row(key, name), after=appended.offset) is None:
        raise OwnerUnavailable(key)
    itself = f"/api/webhooks/{key}/deliveries/{name}"
    body = TestOut(id=name, links=DeliveryLinks(self=itself))
    return as_json(body, 202, {"Location": itself})


def _as_cloud_event(event_id: str, said: dict[str, object]) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "/vacancy/gateway",
        "type": said["type"],
        "time": said["timestamp"],
        "datacontenttype": "application/json",
        "data": said["data"],
    }


def _check_enabled(endpoint: Endpoint) -> None:
    if endpoint.reception != "ENABLED":
        detail = f'The endpoint is {endpoint.reception}: PATCH it with "enabled": true first.'
        raise Problem(409, "endpoint-not-enabled", "Nothing is sent there now", detail)


async def _known(request: web.Request, endpoint: Endpoint, after: int | None = None) -> Delivery:
    name, raw = request.match_info["delivery_id"], None
    if _ID.fullmatch(name):
        key = endpoint.endpoint_id
        raw = await context_of(request).rows.row(WEBHOOK.name, key, delivery_row(key, name), after=after)
    if raw is None:
        raise not_found("delivery of this endpoint")
    return _delivery.decode(raw)


def _detail(row: Delivery, status: int = 200) -> web.Response:
    log = [AttemptOut.model_validate(msgspec.structs.asdict(each)) for each in row.attempts]
    body = DeliveryDetailOut.model_validate({**DeliveryOut.of(row), "body": row.body, "log": log})
    return as_json(body, status)


_DELIVERIES = "/api/webhooks/{endpoint_id}/deliveries"
_DELIVERY = _DELIVERIES + "/{delivery_id}"

OPERATIONS = (
    Operation(
        "GET",
        _DELIVERIES,
        list_deliveries,
        "What was sent to an endpoint, the newest first",
        "webhooks",
        {200: DeliveriesOut},
        parameters=(
            limited(_USUAL, _MOST),
            Parameter("status", "Only those that stand so.", {"type": "string", "enum": _STATUSES}),
            Parameter("before", "Only older ones: the `next` of an earlier answer.", {"type": "string"}),
        ),
        problems=(404, 422, 503),
    ),
    Operation(
        "GET",
        _DELIVERY,
        get_delivery,
        "One delivery, with every attempt",
        "webhooks",
        {200: DeliveryDetailOut},
        problems=(404, 503),
    ),
    Operation(
        "POST",
        _DELIVERY + "/redeliver",
        redeliver,
        "Send one event again",
        "webhooks",
        {202: DeliveryDetailOut},
        problems=(404, 409, 503),
    ),
    Operation(
        "POST",
        "/api/webhooks/{endpoint_id}/test",
        send_test,
        "Send a test",
        "webhooks",
        {202: TestOut},
        problems=(404, 409, 503),
    ),
)
