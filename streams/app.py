"""The app factory: one Faust App for each service, with our processor behind its agents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from faust.types import TP

from streams.deciding import Decides, Language
from streams.group import GroupApp, Runtime, connect, faust_app
from streams.lease import Lease
from streams.mending import WELL_AFTER_S, Mender
from streams.processor import Batch, Processor
from streams.restore import Restorer
from streams.rows import NotOwner, RowStore
from streams.services import PATIENT, Service
from streams.settling import Settler


@dataclass(kw_only=True)
class ServiceApp(GroupApp):
    """A service's App, the rows it owns, and the processor that decides on them."""

    service: Service
    store: RowStore
    processor: Processor
    restorer: Restorer

    async def decide(self, batch: Batch) -> None:
        """Decides a batch of the inbox."""
        await self.guarded(self.processor.apply(batch))


def service_app(service: Service, table: Decides, runtime: Runtime, language: Language | None = None) -> ServiceApp:
    """The App of a service, without its agents. It speaks in canonical envelopes, if not in a language of its own."""
    layout, partitions = runtime.layout, runtime.layout.partitions
    store = RowStore(service.name, partitions, runtime.directory / service.name / "rows")
    lease, fail = Lease(runtime.session_timeout), Mender(runtime.directory / service.name, runtime.fail)
    store.may_serve, store.fail = lease.fresh, fail
    restorer = Restorer(runtime.bootstrap, service, store, runtime.publisher, lease, fail)

    def commit(partition: int, offset: int) -> None:
        built.commit(service.inbox, partition, offset)

    settler = Settler(service.rows, publisher=runtime.publisher, lease=lease, commit=commit, fail=fail)
    processor = Processor(
        service,
        table,
        voice=runtime.voice,
        group=layout.group(service),
        store=store,
        publisher=runtime.publisher,
        settler=settler,
        next_on_log=restorer.next_on_log,
        language=language,
    )
    built = ServiceApp(
        service.name,
        faust_app(service.name, runtime),
        lease,
        fail,
        patient=service.name in PATIENT,
        service=service,
        store=store,
        processor=processor,
        restorer=restorer,
    )
    _connect(built)

    def well() -> None:
        if built.ready:
            fail.well()

    async def well_in_a_while(partitions: set[int]) -> None:
        asyncio.get_running_loop().call_later(WELL_AFTER_S, well)

    built.on_ready.append(well_in_a_while)
    return built


def _connect(built: ServiceApp) -> None:
    app, service = built.app, built.service

    def start_at(tp: TP) -> int | None:
        if tp.topic != service.inbox:
            return None
        try:
            decided = built.store.assigned(tp.partition).decided
        except NotOwner:
            return None  # another rebalance has begun: nothing is handed over until its restore
        return decided + 1 if decided >= 0 else None

    built.on_revoked += [built.restorer.interrupt, built.store.withdraw]
    connect(built, start_at, built.restorer.restore)
    changelog = app.topic(service.rows, partitions=built.store.partitions, key_serializer="raw", value_serializer="raw")
    app.Table(service.name, partitions=built.store.partitions, changelog_topic=changelog)
    app.on_before_shutdown.connect(_closer(built))


def _closer(built: ServiceApp) -> Callable[..., Any]:
    async def close(*args: object, **kwargs: object) -> None:
        built.revoked()
        await built.restorer.stop()

    return close
