"""What the agents of one worker process work with, made once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.hook_sender import HookSender
from adapters.links import Links
from adapters.provider import ProviderClient
from adapters.sms import SmsClient
from adapters.smtp import Mailer
from adapters.storage import Storage
from config.settings import Settings
from streams.breakers import Breakers
from streams.compacted import Compacted
from streams.events.availability import ResourceDeclared
from streams.events.hooks import EndpointKnown
from streams.group import Runtime
from streams.keyring import Keyring
from streams.listening import Listener
from streams.numbers import Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    settings: Settings
    runtime: Runtime
    listener: Listener
    keyring: Keyring
    rates: Compacted[ResourceDeclared]
    numbers: Numbers
    breakers: Breakers
    provider: ProviderClient
    mailer: Mailer
    sms: SmsClient
    links: Links
    receipts: Storage
    #: Where news is sent; started by the service that sends it.
    endpoints: Compacted[EndpointKnown]
    hooks: HookSender
