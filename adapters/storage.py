"""Documents by name: in a directory of the instance, or in a bucket of any store that speaks S3. One code path."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from config.directories import private

#: How long one request may take, and how long it is repeated; in seconds. Whoever waits has something better to do.
_REQUEST_S, _RETRIES_S = 3, 5


class StorageUnavailable(Exception):
    """The store does not answer, or refuses us."""


class Storage:
    """Names are paths of plain segments, e.g. "3f2a/20a1.pdf". One with ".." is a ValueError.

    Every method raises StorageUnavailable.
    """

    def __init__(self, store: ObjectStore, directory: Path | None = None) -> None:
        self._store = store
        self._directory = directory

    async def read(self, name: str) -> bytes | None:
        """The document of that name, None where there is none."""
        try:
            return bytes(await (await obstore.get_async(self._store, name)).bytes_async())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise _unavailable(error) from None

    async def write(self, name: str, content: bytes) -> None:
        """Puts a document there as a whole, instead of one that is there."""
        try:
            if self._directory is not None:
                private((self._directory / name).parent)
            await obstore.put_async(self._store, name, content)
            if self._directory is not None:
                (self._directory / name).chmod(0o600)
        except (BaseError, OSError) as error:
            raise _unavailable(error) from None

    async def names(self, folder: str | None = None) -> AsyncIterator[str]:
        """The names of all documents, or of those in one folder."""
        try:
            async for page in obstore.list(self._store, folder):
                for each in page:
                    yield each["path"]
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise _unavailable(error) from None

    async def delete(self, folder: str) -> int:
        """Removes every document of a folder; how many there were."""
        found = [name async for name in self.names(folder)]
        try:
            if found:
                await obstore.delete_async(self._store, found)
        except FileNotFoundError:  # somebody else removed it meanwhile
            pass
        except (BaseError, OSError) as error:
            raise _unavailable(error) from None
        return len(found)


def storage_of(directory: Path, url: str | None = None, endpoint: str | None = None) -> Storage:
    """The store at "s3://bucket[/prefix]", else the directory, which is made with mode 0700.

    `endpoint` is where the bucket is, unless it is Amazon's. Credentials come from the environment, as for any AWS
    client; nothing is asked before the first document is.
    """
    if url is None:
        return Storage(LocalStore(private(directory)), directory)
    parts = urlsplit(url)
    store = S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        endpoint=endpoint,
        virtual_hosted_style_request=endpoint is None,
        client_options={
            "allow_http": endpoint is not None and endpoint.startswith("http://"),
            "timeout": timedelta(seconds=_REQUEST_S),
            "connect_timeout": timedelta(seconds=1),
        },
        retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=_RETRIES_S)},
    )
    return Storage(store)


def receipts_folder(user_id: str) -> str:
    """Where a user's receipts lie, so that they can be removed together; it does not show the user's id."""
    return hashlib.sha256(f"vacancy receipts {user_id}".encode()).hexdigest()[:32]


def receipt_name(user_id: str, receipt_id: str) -> str:
    """A receipt's name in the storage."""
    return f"{receipts_folder(user_id)}/{receipt_id}.pdf"


def _unavailable(error: Exception) -> StorageUnavailable:
    # The store's own words name addresses and keys' ids: only what kind of failure it is goes further.
    return StorageUnavailable(type(error).__name__)
