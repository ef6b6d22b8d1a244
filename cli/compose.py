"""The composition root of a worker: every service's table and agents by name, and what they all work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import aiohttp
import mode

from adapters.hook_sender import HookSender
from adapters.provider import ProviderClient
from adapters.storage import storage_of
from agents import (
    analytics,
    availability,
    booking,
    gate,
    hooks,
    mail,
    notification,
    payment,
    rate,
    receipt,
    record,
    sinks,
    user,
)
from agents.tools import Tools
from cli.post import links_of, mailer_of, sms_of
from cli.slots import Slot
from config.secrets import Secrets
from config.settings import Settings
from streams.app import ServiceApp, service_app
from streams.breakers import Breakers
from streams.compacted import Compacted
from streams.deciding import Decides
from streams.events.availability import ResourceDeclared
from streams.events.control import UserKeyAdded
from streams.events.hooks import EndpointKnown
from streams.group import GroupApp, Runtime, consumer_app
from streams.keyring import Keyring
from streams.layout import Layout, load_layout
from streams.listening import Listener
from streams.log import Log
from streams.numbers import Numbers
from streams.profile import max_poll_records, others, session_timeout
from streams.publisher import KafkaPublisher
from streams.signing import Signer
from streams.voice import Voice
from tables.analytics import Analytics
from tables.availability import Availability
from tables.hooks import Hooks
from tables.notifications import Notifications
from tables.payments import Payments
from tables.rates import Rates
from tables.receipts import Receipts
from tables.records import Records
from tables.reservations import Reservations
from tables.users import Users

#: By service: the table its rows live in, and what attaches its agents.
STATEFUL: dict[str, tuple[Callable[[Layout], Decides], Callable[[ServiceApp, Tools], None]]] = {
    "booking": (lambda layout: Reservations(), booking.attach),
    "availability": (lambda layout: Availability(rates="rate" in layout.running), availability.attach),
    "payment": (lambda layout: Payments(), payment.attach),
    "user": (lambda layout: Users(), user.attach),
    "record": (lambda layout: Records(), record.attach),
    "notification": (lambda layout: Notifications(), notification.attach),
    "receipt": (lambda layout: Receipts(layout.partitions), receipt.attach),
    "rate": (lambda layout: Rates(), rate.attach),
    "analytics": (lambda layout: Analytics(layout.partitions), analytics.attach),
    "webhook": (lambda layout: Hooks(), hooks.attach),
}
#: Groups that keep no rows.
STATELESS: dict[str, Callable[[GroupApp, Tools], None]] = {
    "gate": gate.attach,
    "mail": mail.attach,
    "integration": sinks.attach_integration,
    "logging": sinks.attach_logging,
    "archive": sinks.attach_archive,
}


class Workshop(mode.Service):
    """What the Apps of a worker share, started before them and stopped after."""

    def __init__(self, settings: Settings, slot: Slot) -> None:
        super().__init__()
        secrets, layout = Secrets.of(settings), load_layout(settings)
        signer = Signer(secrets.derive("vacancy signature"))
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )
        self._publisher = KafkaPublisher(settings.bootstrap, others(settings, layout))
        self._log = Log(settings.bootstrap, layout)
        keys = Compacted(settings.bootstrap, layout.user_keys, UserKeyAdded)
        keyring = Keyring(secrets.secret, keys, self._log)
        voice = Voice(self._publisher, layout, signer, keyring)
        self.tools = Tools(
            settings=settings,
            runtime=Runtime(
                bootstrap=settings.bootstrap,
                layout=layout,
                directory=slot.directory,
                slot=slot.number,
                session_timeout=session_timeout(settings, layout),
                max_poll_records=max_poll_records(settings, layout),
                publisher=self._publisher,
                voice=voice,
            ),
            listener=Listener(layout, signer),
            keyring=keyring,
            rates=Compacted(settings.bootstrap, layout.rates, ResourceDeclared),
            numbers=Numbers(self._log, slot.name),
            breakers=Breakers(slot.name, voice.say),
            provider=ProviderClient(self.session, settings.provider_url or "", settings.provider_timeout),
            mailer=mailer_of(settings),
            sms=sms_of(settings, self.session, secrets),
            links=links_of(settings, secrets),
            receipts=storage_of(settings.data / "receipts", settings.receipts_store, settings.receipts_endpoint),
            endpoints=Compacted(settings.bootstrap, layout.route_table()[EndpointKnown.event_type], EndpointKnown),
            hooks=HookSender(private=settings.webhooks_allow_private),
        )

    async def on_start(self) -> None:
        for part in (self._publisher, self._log, self.tools.keyring, self.tools.rates):
            await part.start()

    async def on_stop(self) -> None:
        await self.tools.mailer.close()
        await self.session.close()
        await self.tools.hooks.close()
        for part in (self.tools.endpoints, self.tools.rates, self.tools.keyring, self._log, self._publisher):
            await part.stop()


def compose(workshop: Workshop, names: Iterable[str]) -> list[GroupApp]:
    """The Apps of the named services, with their agents."""
    return [_app(name, workshop.tools) for name in names]


def _app(name: str, tools: Tools) -> GroupApp:
    if name in STATELESS:
        group = consumer_app(name, tools.runtime)
        STATELESS[name](group, tools)
        return group
    table, attach = STATEFUL[name]
    built = service_app(tools.runtime.layout.services[name], table(tools.runtime.layout), tools.runtime)
    attach(built, tools)
    return built


def stateful(groups: Iterable[GroupApp]) -> list[ServiceApp]:
    """Those of the Apps that have rows."""
    return [group for group in groups if isinstance(group, ServiceApp)]
