"""Where the mails and text messages of an instance go: its servers as set, else the inbox that `vacancy up` keeps."""

from __future__ import annotations

import aiohttp

from adapters.links import Links
from adapters.sms import SmsClient
from adapters.smtp import Mailer, Server
from cli import instance
from config.secrets import Secrets
from config.settings import Settings, SettingsError
from streams import ports

#: The names of the inbox's ports in DIR/run/ports.json.
SMTP_PORT, HTTP_PORT = "inbox-smtp", "inbox"


def kept_here(settings: Settings) -> frozenset[str]:
    """The channels whose messages go to the inbox of this instance."""
    servers = {"mail": settings.smtp_url, "sms": settings.sms_url}
    return frozenset(channel for channel, server in servers.items() if server is None)


def mailer_of(settings: Settings) -> Mailer:
    """What hands mails over. Raises SettingsError for an address that is none."""
    if settings.smtp_url is not None:
        try:
            return Mailer(Server.of(settings.smtp_url.get_secret_value()))
        except ValueError as error:
            raise SettingsError(str(error)) from None
    port = ports.noted(settings.data / "run" / "ports.json", SMTP_PORT)
    return Mailer(None if port is None else Server("127.0.0.1", port))


def sms_of(settings: Settings, session: aiohttp.ClientSession, secrets: Secrets) -> SmsClient:
    """What hands text messages over."""
    if settings.sms_url is not None:
        key = settings.sms_key.get_secret_value() if settings.sms_key is not None else ""
        return SmsClient(session, settings.sms_url, key)
    # No port, no provider: a call to port 0 fails as one to a provider that is down.
    port = ports.noted(settings.data / "run" / "ports.json", HTTP_PORT) or 0
    return SmsClient(session, f"http://127.0.0.1:{port}", sandbox_key(secrets))


def sandbox_key(secrets: Secrets) -> str:
    """What the sandbox for text messages asks for."""
    return secrets.derive("vacancy sms sandbox").hex()


def links_of(settings: Settings, secrets: Secrets) -> Links:
    """The links that letters carry, under the public address, or the one on this machine."""
    here = (instance.part(settings.data, "gateway") or {}).get("url") or f"http://127.0.0.1:{settings.port}"
    return Links(settings.public_url or str(here), secrets.derive("vacancy links"))
