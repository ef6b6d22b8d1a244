"""The gateway's application: every endpoint of the public API, named here one by one, behind the same middlewares."""

from __future__ import annotations

from aiohttp import ClientSession, web

from adapters.cache import Cache
from web import (
    alerts,
    analytics,
    appointments,
    availability,
    blocks,
    bookings,
    calendars,
    dashboard,
    dead_letter_operations,
    documents,
    erasure,
    forecast,
    health,
    hook_deliveries,
    hook_endpoints,
    inbox,
    listings,
    notifications,
    orders,
    payments,
    practitioners,
    preferences,
    rate_plans,
    rates,
    receipts,
    records,
    reports,
    reservations,
    settlements,
    stock,
    trends,
    units,
    unsubscribe,
    users,
    waitlist,
    webhooks,
)
from web.auth import Keys, authenticate
from web.cache import Cached
from web.card_numbers import refuse_cards_beside_the_body
from web.context import CONTEXT, Context
from web.correlation import correlate
from web.metrics import Metrics
from web.operations import Operation
from web.problems import explain_failures
from web.room import refuse_without_room
from web.watch import Watch

OPERATIONS: tuple[Operation, ...] = (
    *units.OPERATIONS,
    *calendars.OPERATIONS,
    *blocks.OPERATIONS,
    *rate_plans.OPERATIONS,
    *rates.OPERATIONS,
    *reservations.OPERATIONS,
    *bookings.OPERATIONS,
    *orders.OPERATIONS,
    *stock.OPERATIONS,
    *practitioners.OPERATIONS,
    *appointments.OPERATIONS,
    *records.OPERATIONS,
    *availability.OPERATIONS,
    *waitlist.OPERATIONS,
    *payments.OPERATIONS,
    *listings.OPERATIONS,
    *receipts.OPERATIONS,
    *users.OPERATIONS,
    *erasure.OPERATIONS,
    *notifications.OPERATIONS,
    *preferences.OPERATIONS,
    *unsubscribe.OPERATIONS,
    *inbox.OPERATIONS,
    *settlements.OPERATIONS,
    *webhooks.OPERATIONS,
    *hook_endpoints.OPERATIONS,
    *hook_deliveries.OPERATIONS,
    *dead_letter_operations.OPERATIONS,
    *analytics.OPERATIONS,
    *trends.OPERATIONS,
    *alerts.OPERATIONS,
    *forecast.OPERATIONS,
    *reports.OPERATIONS,
    *health.OPERATIONS,
    *documents.OPERATIONS,
    *dashboard.OPERATIONS,
)


def build(
    context: Context,
    keys: Keys,
    http: ClientSession,
    *,
    body_limit: int,
    cache: Cache | None = None,
    watch: Watch | None = None,
) -> web.Application:
    """The application. `http` is for the workers' metrics; whoever calls this closes it, the cache and the watch."""
    metrics = Metrics(watch)
    open_paths = frozenset(operation.path for operation in OPERATIONS if operation.open)
    app = web.Application(
        client_max_size=body_limit,
        middlewares=[
            correlate,
            metrics.middleware(),
            explain_failures,
            authenticate(keys, open_paths),
            refuse_without_room,
            refuse_cards_beside_the_body,
            *([Cached(cache, metrics.registry).middleware()] if cache is not None else []),
        ],
    )
    app[CONTEXT] = context
    app[health.METRICS] = metrics
    app[health.HTTP] = http
    documents.install(app, OPERATIONS, context)
    app.add_routes(operation.route() for operation in OPERATIONS)
    app.on_response_prepare.append(_say_less)
    return app


async def _say_less(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer says to browsers and caches, unless it said so itself."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "vacancy"
