"""What the agents of one worker process work with, made once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.provider import ProviderClient
from adapters.sms import SmsClient
from config.settings import Settings
from streams.compacted import Compacted
from streams.events.availability import ResourceDeclared
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
    provider: ProviderClient
    sms: SmsClient
