"""Webhook endpoints: where other companies' programs want news sent. Secrets are sealed before they go anywhere.

Their deliveries are in `web.hook_deliveries`; what the payment provider sends to us is in `web.webhooks`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

import msgspec
from aiohttp import web

from adapters.addresses import objection_to
from domain.hooks import Endpoint
from streams.events import Event
from streams.events.hooks import AddEndpoint, ChangeEndpoint, RemoveEndpoint, RotateSecret
from streams.identity import webhook_owner
from streams.services import WEBHOOK
from tables.hook_rows import ENDPOINTS, endpoint_row
from web.bodies import check, read_json
from web.context import SOURCE, Context, context_of, correlation_of, principal_of
from web.hook_models import EndpointChange, EndpointOut, EndpointRequest, EndpointsOut, NewEndpointOut
from web.operations import IDEMPOTENCY_KEY, Operation
from web.owners import OwnerUnavailable
from web.problems import Problem, invalid, not_found
from web.requests import id_in_path, id_of_request
from web.shapes import as_json

#: Of an instance; every piece of news is held against each.
MOST_ENDPOINTS = 100
_SECRET_BYTES = 32
#: Rows of a partition that are asked for at a time.
_PAGE = 500
_canonical = msgspec.json.Encoder(order="sorted").encode
_endpoint = msgspec.json.Decoder(Endpoint)


async def add_endpoint(request: web.Request) -> web.Response:
    body = await read_json(request)
    asked, context = check(EndpointRequest, body), context_of(request)
    _check_url(context, asked.url)
    endpoint_id, _ = id_of_request(request, principal_of(request))
    standing = await _all(context)
    if len(standing) >= MOST_ENDPOINTS and all(each.endpoint_id != endpoint_id for each in standing):
        raise Problem(409, "too-many-endpoints", "No more endpoints", f"There are {MOST_ENDPOINTS}: delete one.")
    asked_for = hashlib.sha256(_canonical(body)).hexdigest()
    event = AddEndpoint(
        endpoint_id=endpoint_id,
        url=asked.url,
        types=tuple(asked.types),
        format=asked.format,
        secret=await _new_secret(context, endpoint_id),
        description=asked.description or "",
        property_id=asked.property_id,
        fingerprint=asked_for,
    )
    row = await _appended(request, event, endpoint_id)
    if row.fingerprint != asked_for:
        raise Problem(422, "idempotency-key-reused", "The Idempotency-Key was used for another request")
    if row.reception == "REMOVED":
        raise Problem(409, "endpoint-removed", "This endpoint was made and deleted", "Use another Idempotency-Key.")
    location = {"Location": f"/api/webhooks/{endpoint_id}"}
    return as_json(await _with_secret(context, row), 201, location)


async def list_endpoints(request: web.Request) -> web.Response:
    rows = sorted(await _all(context_of(request)), key=lambda row: row.created_at)
    return as_json(EndpointsOut(endpoints=[EndpointOut.model_validate(EndpointOut.of(row)) for row in rows]))


async def get_endpoint(request: web.Request) -> web.Response:
    row = await known_endpoint(request)
    return as_json(EndpointOut.model_validate(EndpointOut.of(row)))


async def change_endpoint(request: web.Request) -> web.Response:
    asked = check(EndpointChange, await read_json(request))
    named = asked.model_dump(exclude_unset=True)
    if not named:
        raise invalid("body", f"has nothing to change; send one of {', '.join(EndpointChange.model_fields)}")
    for field, value in named.items():
        if value is None:
            raise invalid(field, "cannot be taken away")
    if asked.url is not None:
        _check_url(context_of(request), asked.url)
    row = await known_endpoint(request)
    enabled = asked.enabled if asked.enabled is not None else row.reception == "ENABLED"
    if asked.redeliver_since is not None and not enabled:
        raise invalid("redeliver_since", 'the endpoint gets nothing now; send "enabled": true with it')
    event = ChangeEndpoint(
        endpoint_id=row.endpoint_id,
        url=asked.url,
        types=tuple(asked.types) if asked.types is not None else None,
        description=asked.description,
        enabled=asked.enabled,
        redeliver_since=asked.redeliver_since,
    )
    row = _standing(await _appended(request, event, row.endpoint_id))
    return as_json(EndpointOut.model_validate(EndpointOut.of(row)))


async def delete_endpoint(request: web.Request) -> web.Response:
    """Its deliveries are forgotten soon after, and nobody reads its secrets any more. Asked again: 404."""
    row = await known_endpoint(request)
    row = await _appended(request, RemoveEndpoint(endpoint_id=row.endpoint_id), row.endpoint_id)
    await context_of(request).keyring.forget(webhook_owner(row.endpoint_id))
    return as_json(EndpointOut.model_validate(EndpointOut.of(row)))


async def rotate_secret(request: web.Request) -> web.Response:
    """A new secret; for a day the one before signs, too, so that no delivery is refused meanwhile. A retry makes no
    other one, and is shown the one that is the newest by then.
    """
    row, context = await known_endpoint(request), context_of(request)
    request_id, _ = id_of_request(request, principal_of(request))
    secret = await _new_secret(context, row.endpoint_id)
    event = RotateSecret(endpoint_id=row.endpoint_id, request_id=request_id, secret=secret)
    row = _standing(await _appended(request, event, row.endpoint_id))
    if request_id not in row.rotations:
        until = row.overlapping(context.clock())
        when = until[-1].until.isoformat(timespec="seconds") if until else "now"
        detail = f"{len(until)} secrets before this one still sign. Ask again after {when}."
        raise Problem(409, "too-many-secrets", "No more secrets for now", detail)
    return as_json(await _with_secret(context, row))


async def known_endpoint(request: web.Request) -> Endpoint:
    """The endpoint of the path; 404 where there is none."""
    context, endpoint_id = context_of(request), id_in_path(request, "endpoint_id", "webhook endpoint")
    found = None
    if WEBHOOK.name in context.layout.running:
        found = await context.rows.row(WEBHOOK.name, endpoint_id, endpoint_row(endpoint_id))
    if found is None:
        raise not_found("webhook endpoint")
    return _standing(_endpoint.decode(found))


def _standing(row: Endpoint) -> Endpoint:
    if row.reception == "REMOVED":
        raise not_found("webhook endpoint")
    return row


async def _all(context: Context) -> list[Endpoint]:
    if WEBHOOK.name not in context.layout.running:
        return []
    found = [row for number in range(context.layout.partitions) for row in await _of_partition(context, number)]
    return [row for row in found if row.reception != "REMOVED"]


async def _of_partition(context: Context, number: int) -> list[Endpoint]:
    """Page by page: removed ones are among them for a while, and must not hide others."""
    found, last = list[Endpoint](), ""
    while True:
        page = await context.rows.scan(WEBHOOK.name, number, ENDPOINTS, _PAGE, beyond=last)
        found += [_endpoint.decode(raw) for _, raw in page]
        if len(page) < _PAGE:
            return found
        last = page[-1][0]


def _check_url(context: Context, url: str) -> None:
    objection = objection_to(url, private=context.private_webhooks)
    if objection is not None:
        raise invalid("url", objection)


async def _new_secret(context: Context, endpoint_id: str) -> str:
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"
    return await context.keyring.seal(webhook_owner(endpoint_id), secret)


async def _with_secret(context: Context, row: Endpoint) -> NewEndpointOut:
    """The answer with the secret as the row has it: in a retry the same."""
    secret = await context.keyring.unseal(webhook_owner(row.endpoint_id), row.secret)
    return NewEndpointOut.model_validate({**EndpointOut.of(row), "secret": secret or ""})


async def _appended(request: web.Request, event: Event, endpoint_id: str) -> Endpoint:
    """The row once it has decided on `event`."""
    context = context_of(request)
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    found = await context.rows.row(WEBHOOK.name, endpoint_id, endpoint_row(endpoint_id), after=appended.offset)
    if found is None:  # decided and yet not there: the request itself was refused as poison, which is our fault
        raise OwnerUnavailable(endpoint_id)
    return _endpoint.decode(found)


_ENDPOINTS = "/api/webhooks"
_ENDPOINT = "/api/webhooks/{endpoint_id}"

OPERATIONS = (
    Operation(
        "POST",
        _ENDPOINTS,
        add_endpoint,
        "Have news sent to a URL; the answer shows the secret that signs it, once",
        "webhooks",
        {201: NewEndpointOut},
        request=EndpointRequest,
        parameters=(IDEMPOTENCY_KEY,),
        problems=(409, 503),
    ),
    Operation(
        "GET", _ENDPOINTS, list_endpoints, "Where news is sent", "webhooks", {200: EndpointsOut}, problems=(503,)
    ),
    Operation(
        "GET", _ENDPOINT, get_endpoint, "A webhook endpoint", "webhooks", {200: EndpointOut}, problems=(404, 503)
    ),
    Operation(
        "PATCH",
        _ENDPOINT,
        change_endpoint,
        "Change an endpoint, disable it, or end its pause",
        "webhooks",
        {200: EndpointOut},
        request=EndpointChange,
        problems=(404, 503),
    ),
    Operation(
        "DELETE",
        _ENDPOINT,
        delete_endpoint,
        "Send nothing there any more, and forget its deliveries",
        "webhooks",
        {200: EndpointOut},
        problems=(404, 503),
    ),
    Operation(
        "POST",
        _ENDPOINT + "/rotate",
        rotate_secret,
        "A new secret; those before sign beside it for 24 hours each",
        "webhooks",
        {200: NewEndpointOut},
        parameters=(IDEMPOTENCY_KEY,),
        problems=(404, 409, 503),
    ),
)
