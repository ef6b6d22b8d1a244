"""The instance's own secrets: its id, the key everything is derived from, and the operator's API key.

Made once, kept in DIR/secret.json for the owner's eyes only. Values given as settings win over the file's.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets as random
import uuid
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from config.directories import private
from config.settings import Settings, SettingsError

FILE_NAME = "secret.json"


@dataclass(frozen=True)
class Secrets:
    """What one instance knows and nobody else. `secret` is 32 bytes."""

    instance_id: str
    secret: bytes = field(repr=False)
    api_key: str = field(repr=False)
    #: As it was given; see `webhook_secret`.
    given_webhook_secret: bytes | None = field(default=None, repr=False)

    @classmethod
    def load_or_create(cls, data: Path) -> Secrets:
        """The secrets of DIR; made by whoever comes first. Raises SettingsError when the file is damaged."""
        path = data / FILE_NAME
        if not path.exists():
            _create(path)
        return _read(path)

    @classmethod
    def of(cls, settings: Settings) -> Secrets:
        """The secrets an instance works with: those of its directory, a given secret or key before them."""
        found = cls.load_or_create(settings.data)
        if settings.secret is not None:
            found = replace(found, secret=hashlib.sha256(settings.secret.get_secret_value().encode()).digest())
        if settings.api_key is not None:
            found = replace(found, api_key=settings.api_key.get_secret_value())
        if settings.webhook_secret is not None:
            found = replace(found, given_webhook_secret=settings.webhook_secret.get_secret_value().encode())
        return found

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose; knowing it tells nothing of the secret or of other purposes."""
        return hmac.new(self.secret, purpose.encode(), hashlib.sha256).digest()

    @cached_property
    def webhook_secret(self) -> bytes:
        """What the payment provider signs its events with: as it was given, or as the sandbox derives it, too."""
        return self.given_webhook_secret or self.derive("vacancy provider webhooks").hex().encode()

    @cached_property
    def internal_token(self) -> str:
        """What the parts of this instance show each other in `X-Vacancy-Internal`."""
        return self.derive("vacancy internal token").hex()


def _create(path: Path) -> None:
    private(path.parent)
    text = json.dumps(
        {
            "instance_id": str(uuid.uuid4()),
            "secret": base64.b64encode(random.token_bytes(32)).decode(),
            "api_key": f"op{random.token_hex(4)}.{random.token_urlsafe(32)}",
        }
    )
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    # A link, not a rename: of two processes that start at once the first one's secrets stay.
    with contextlib.suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()


def _read(path: Path) -> Secrets:
    try:
        found = json.loads(path.read_text("utf-8"))
        secret = base64.b64decode(found["secret"], validate=True)
        if len(secret) != 32:
            raise ValueError("the secret is not 32 bytes")
        return Secrets(instance_id=str(found["instance_id"]), secret=secret, api_key=str(found["api_key"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path}: damaged or not readable ({error}); restore it from a backup") from None
