"""Whether the gateway lives and is ready, and what it counts."""

from __future__ import annotations

from typing import Literal

from aiohttp import ClientSession, web
from pydantic import Field

from web.answers import Answer
from web.context import context_of
from web.metrics import Metrics
from web.operations import Operation
from web.shapes import as_json

METRICS = web.AppKey("metrics", Metrics)
HTTP = web.AppKey("http", ClientSession)


class Health(Answer):
    status: Literal["ok", "starting"]
    #: What is still missing, empty when ready.
    waiting_for: list[str] = Field(default_factory=list)


async def livez(request: web.Request) -> web.Response:
    return _health(200, Health(status="ok"))


async def readyz(request: web.Request) -> web.Response:
    context = context_of(request)
    missing = await context.readiness.missing()
    if context.hindrance():
        missing = ["space on the disk", *missing]
    if missing:
        return _health(503, Health(status="starting", waiting_for=missing))
    return _health(200, Health(status="ok"))


async def metrics(request: web.Request) -> web.Response:
    page = await request.app[METRICS].page(request.app[HTTP], context_of(request).readiness.owners())
    return web.Response(body=page, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def _health(status: int, body: Health) -> web.Response:
    headers = {"Retry-After": "1"} if status == 503 else None
    return as_json(body, status, headers)


OPERATIONS = (
    Operation("GET", "/livez", livez, "Whether the process lives", "operation", {200: Health}, open=True),
    Operation(
        "GET", "/readyz", readyz, "Whether requests can be served", "operation", {200: Health, 503: Health}, open=True
    ),
    Operation("GET", "/metrics", metrics, "Prometheus metrics", "operation", {200: "text/plain"}, open=True),
)
