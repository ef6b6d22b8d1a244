"""The documents of the gateway's interfaces, made once at start."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from aiohttp import web

from web import asyncapi, openapi
from web.context import Context
from web.operations import Operation

OPENAPI = web.AppKey("openapi", bytes)
ASYNCAPI = web.AppKey("asyncapi", bytes)


async def openapi_document(request: web.Request) -> web.Response:
    return web.Response(body=request.app[OPENAPI], content_type="application/json")


async def asyncapi_document(request: web.Request) -> web.Response:
    return web.Response(body=request.app[ASYNCAPI], content_type="application/json")


OPERATIONS = (
    Operation(
        "GET", "/openapi.json", openapi_document, "This interface", "documents", {200: "application/json"}, open=True
    ),
    Operation(
        "GET", "/asyncapi.json", asyncapi_document, "The topics", "documents", {200: "application/json"}, open=True
    ),
)


def install(app: web.Application, operations: Sequence[Operation], context: Context) -> None:
    app[OPENAPI] = orjson.dumps(openapi.document(operations, context.version))
    app[ASYNCAPI] = orjson.dumps(asyncapi.document(context.layout, context.version, context.bootstrap))
