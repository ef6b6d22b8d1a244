"""Erases a user and proves it: reads what the log knows of the person, has the keys destroyed, and searches everything.

What is searched for is read before the keys go: afterwards nobody could say it.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import quote

import orjson

from adapters.belongings import Owner, belongings, remove_belongings
from cli.client import GatewayClient, Refused, Unreachable, open_session
from cli.erasure_person import Collector, Person
from cli.erasure_places import Place, records, search_files, search_topics, topics
from cli.erasure_search import Search
from cli.instance import Instance
from cli.post import links_of
from cli.problem import Problem
from config.secrets import Secrets
from config.settings import Settings
from streams.admin import admin, settings_of
from streams.compacted import Compacted
from streams.events.control import UserKeyAdded
from streams.identity import user_id_of
from streams.keyring import Keyring
from streams.layout import Layout, load_layout

_PATIENCE_S = 60.0
_PAUSE_S = 0.2


@dataclass
class Report:
    """What was found of a user, and where."""

    user_id: str
    #: None while the user is not erased.
    erased_at: datetime | None = None
    keys: int = 0
    #: When Kafka's files have lost the wrapped keys, too.
    keys_gone_by: datetime | None = None
    #: Confirmation numbers of bookings that are not over.
    bookings: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    #: The mails, text messages and receipts that an erasure would remove, as paths below the directory.
    to_remove: list[str] = field(default_factory=list)
    #: Whether there was anything to search for.
    searchable: bool = False
    places: list[Place] = field(default_factory=list)
    #: Places this command cannot look into.
    elsewhere: list[str] = field(default_factory=list)

    @property
    def is_unknown(self) -> bool:
        """Whether there is nothing of the user that could be read: no key, and no address that was given."""
        return not self.keys and not self.searchable

    @property
    def is_proven(self) -> bool:
        """Whether nothing is readable but where a document shows it, and only until a date."""
        return self.searchable and all(place.is_allowed for place in self.places)


class Erasure:
    """One user of one running instance."""

    def __init__(self, settings: Settings, target: Instance, user_id: str, address: str | None) -> None:
        """`address` is an e-mail address that is known to be the user's."""
        self._settings = settings
        self._target = target
        self._address = address
        self._layout: Layout = load_layout(settings)
        self.person = Person(user_id)
        self.report = Report(user_id, elsewhere=_elsewhere(settings))

    async def collect(self) -> None:
        """Reads the person from the log, as far as it can still be opened."""
        bootstrap, layout = self._settings.bootstrap, self._layout
        keys = Compacted(bootstrap, layout.user_keys, UserKeyAdded)
        keyring = Keyring(Secrets.of(self._settings).secret, keys)
        await keyring.start()
        try:
            collector = Collector(self.person.user_id, keyring, bookings=layout.services["booking"].rows)
            async for record in records(bootstrap, await topics(bootstrap, layout)):
                await collector.look_at(record)
        finally:
            await keyring.stop()
        self.person = collector.person
        if self._address is not None:
            self.person.emails.add(self._address)
        self.report.keys = len(collector.keys)
        self.report.bookings = sorted(self.person.bookings.values())
        self.report.searchable = self.person.is_known

    async def erase(self) -> None:
        """Has the gateway erase the user, and removes what lies here in clear. Raises Problem."""
        self.note_belongings()
        path = f"/api/users/{quote(self.person.user_id, safe='')}"
        async with open_session() as session:
            client = GatewayClient(session, self._target.url, self._target.api_key, patience=_PATIENCE_S)
            try:
                # Whether bookings are under way was seen on the log, which is ahead of the gateway's lists.
                answer = orjson.loads(await client.post(f"{path}/erasure", {"force": True}, key=str(uuid.uuid4())))
                erased_at = await until_erased(client, path, answer["erased_at"])
            except Unreachable as error:
                raise Problem(f"nothing answers at {self._target.url}: is `vacancy up` running? ({error})") from None
            except Refused as refusal:
                raise Problem(f"{self.person.user_id} is not erased: {refusal}") from None
        self.report.erased_at = datetime.fromisoformat(erased_at)
        self.report.keys_gone_by = await self._keys_gone_by(self.report.erased_at)
        # The worker has removed what it knew of; here every address that was ever the user's is known.
        left = remove_belongings(self._settings.data, self._owner())
        self.report.removed = sorted({*left, *self.report.to_remove})

    async def search(self) -> None:
        """Notes where the person can be read now."""
        bootstrap, data, search = self._settings.bootstrap, self._settings.data, Search(self.person)
        if not self.report.searchable:
            return
        places = await topics(bootstrap, self._layout)
        await search_topics(bootstrap, places, search)
        self.report.places = [*places, *await asyncio.to_thread(search_files, data, search)]

    def note_belongings(self) -> None:
        """Notes what an erasure would remove."""
        self.report.to_remove = belongings(self._settings.data, self._owner())

    def _owner(self) -> Owner:
        user_id, links = self.person.user_id, links_of(self._settings, Secrets.of(self._settings))
        return Owner(user_id=user_id, mark=links.mark(user_id), is_address=self._is_address, phones=self.person.phones)

    def _is_address(self, address: str) -> bool:
        known = {each.lower() for each in self.person.emails}
        return address.lower() in known or user_id_of(address) == self.person.user_id

    async def _keys_gone_by(self, erased_at: datetime) -> datetime:
        """When the broker has rewritten what was erased, as long as keys of other users are still added."""
        name = self._layout.user_keys.name
        async with admin(self._settings.bootstrap) as client:
            lag = (await settings_of(client, [name]))[name].get("max.compaction.lag.ms", "0")
        return erased_at + timedelta(milliseconds=int(lag))


class _Looks(Protocol):
    async def look(self, path: str) -> bytes: ...


async def until_erased(client: _Looks, path: str, erased_at: str | None, patience: float = _PATIENCE_S) -> str:
    """When the erasure ended, looked for at `path` for `patience` seconds. Raises Problem once that is over."""
    end = time.monotonic() + patience
    while erased_at is None:
        if time.monotonic() > end:
            raise Problem(
                f"the erasure was asked for and is not over after {patience:.0f} s. It goes on by itself: look for "
                "'user.effect.forget' in the log lines of `vacancy up`, which say what cannot be reached or removed "
                "(Kafka, the receipts' store, a file in mail/ or sms/), then ask again"
            )
        await asyncio.sleep(_PAUSE_S)
        erased_at = orjson.loads(await client.look(path))["erased_at"]
    return erased_at


def _elsewhere(settings: Settings) -> list[str]:
    """What the settings put where this command cannot look."""
    said = {
        "mails that were sent": settings.smtp_url,
        "text messages that were sent": settings.sms_url,
        "the SQL database of the projections (it has sealed texts only)": settings.database_url,
    }
    return [name for name, value in said.items() if value]
