"""One storage, two places: what a directory does, a bucket does."""

from __future__ import annotations

import socket
import stat
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from adapters.storage import Storage, StorageUnavailable, storage_of


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture
def endpoint(credentials: None) -> Iterator[str]:
    """A server that speaks S3, with one bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    bucket = urllib.request.Request(f"http://{host}:{port}/receipts", method="PUT")
    urllib.request.urlopen(bucket).close()
    yield f"http://{host}:{port}"
    server.stop()


async def check(storage: Storage) -> None:
    """What any storage keeps to."""
    assert await storage.read("ada/1.pdf") is None
    assert await storage.delete("ada") == 0
    for name, content in (("ada/1.pdf", b"first"), ("ada/2.pdf", b"second"), ("adam/3.pdf", b"third")):
        await storage.write(name, content)
    await storage.write("ada/1.pdf", b"first, again")
    assert await storage.read("ada/1.pdf") == b"first, again"
    assert sorted([name async for name in storage.names()]) == ["ada/1.pdf", "ada/2.pdf", "adam/3.pdf"]
    assert sorted([name async for name in storage.names("ada")]) == ["ada/1.pdf", "ada/2.pdf"]
    assert await storage.delete("ada") == 2
    assert [await storage.read(name) for name in ("ada/1.pdf", "ada/2.pdf", "adam/3.pdf")] == [None, None, b"third"]


async def test_a_directory_keeps_documents_for_its_owner_only(tmp_path: Path) -> None:
    await check(storage_of(tmp_path / "receipts"))
    (file,) = (path for path in (tmp_path / "receipts").rglob("*.pdf"))
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent, tmp_path / "receipts")]
    assert modes == [0o600, 0o700, 0o700]


async def test_a_bucket_keeps_documents(endpoint: str) -> None:
    await check(storage_of(Path("unused"), "s3://receipts/hotel", endpoint))
    plain = storage_of(Path("unused"), "s3://receipts", endpoint)
    assert [name async for name in plain.names()] == ["hotel/adam/3.pdf"]


@pytest.mark.usefixtures("credentials")
async def test_a_store_that_is_away_is_said_to_be() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        away = storage_of(Path("unused"), "s3://receipts", f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(StorageUnavailable):
            await away.read("ada/1.pdf")
        with pytest.raises(StorageUnavailable):
            await away.write("ada/1.pdf", b"page")
        with pytest.raises(StorageUnavailable):
            await away.delete("ada")


async def test_a_directory_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    storage = storage_of(tmp_path / "receipts")
    (tmp_path / "receipts" / "ada").write_text("in the way")
    with pytest.raises(StorageUnavailable):
        await storage.write("ada/1.pdf", b"page")


@pytest.mark.parametrize("wicked", ["../secret.json", "ada/../../secret.json"])
async def test_nothing_outside_is_read(tmp_path: Path, wicked: str) -> None:
    (tmp_path / "secret.json").write_text("secret")
    with pytest.raises(ValueError, match="illegal character sequence"):
        await storage_of(tmp_path / "receipts").read(wicked)
