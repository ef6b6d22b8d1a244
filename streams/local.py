"""The durable rows of one partition, in RocksDB: a row, the place it was decided at, and the position, written as one.

The local store is never ahead of the changelog (design 5.3), so it can be lost at any time: it is a cache of the log.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import msgspec
from rocksdict import (
    BlockBasedOptions,
    Cache,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
    WriteOptions,
)

from streams.ending import STORAGE

#: Keys beginning with a zero byte are the platform's own; rows begin with the letter of their kind.
POSITION_KEY = "\0position"
_CHANGELOG_KEY = b"\0changelog"
#: Blocks read from disk, and rows not written to it yet: of all databases of a process together.
_CACHE = Cache(16 * 1024 * 1024)
_UNWRITTEN = WriteBufferManager(64 * 1024 * 1024, False)
_STAMP = struct.Struct(">qq")
#: How RocksDB begins or words what only other files would mend.
_BROKEN = ("Corruption", "No such file")
_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


class StoreFailed(Exception):
    """The local store cannot be read or written: nothing may be decided on it, no process may go on with it."""

    ends_with = STORAGE


class StoreBroken(StoreFailed):
    """What is stored here is damaged, or not what the log says. The changelog has it all."""


def _telling(work: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
    """Names RocksDB's errors, which are bare exceptions: a decision must not take them for its own."""

    @wraps(work)
    def told(*args: _Given.args, **kwargs: _Given.kwargs) -> _Found:
        try:
            return work(*args, **kwargs)
        except Exception as error:
            raise _named(error) from error

    return told


def _named(error: Exception) -> Exception:
    if type(error) is not Exception:
        return error
    text = str(error)
    broken = any(word in text for word in _BROKEN)
    return (StoreBroken if broken else StoreFailed)(text)


class Position(msgspec.Struct, frozen=True):
    """The last inbox record whose outcome is durable, by its place and by what stands there.

    The record's time and checksum tell a topic that was re-created from the one the position was taken on.
    """

    offset: int
    timestamp: int
    checksum: int


class Row(msgspec.Struct, frozen=True, gc=False):
    """A row as stored: `source` is the inbox offset it was decided at, `written` its offset on the changelog."""

    payload: bytes | None
    source: int
    written: int


class LocalRows:
    """One partition's rows on disk."""

    @_telling
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Raw mode: keys and values are bytes, which the library's types cannot say.
        self._db: Any = Rdict(str(path), _options())
        self._db.set_write_options(_without_log())
        self._path = path
        raw = self._db.get(_CHANGELOG_KEY)
        #: The changelog is applied here below this offset.
        self.changelog_next = int(raw) if raw is not None else 0
        self.position = _position(self.get(POSITION_KEY))

    @_telling
    def close(self) -> None:
        self._db.flush()
        self._db.close()

    @_telling
    def get(self, key: str) -> Row | None:
        raw = self._db.get(key.encode())
        return _row(raw) if raw is not None else None

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """The rows whose keys begin with `prefix`, in key order."""
        start = prefix.encode()
        try:
            for key, raw in self._db.items(from_key=start):
                if not key.startswith(start):
                    return
                payload = _row(raw).payload
                if payload is not None:
                    yield key.decode(), payload
        except Exception as error:
            raise _named(error) from error

    @_telling
    def last(self, prefix: str, upto: str) -> bytes | None:
        """The row with the greatest key that begins with `prefix` and is at most `upto`."""
        for key, raw in self._db.items(backwards=True, from_key=upto.encode()):
            return _row(raw).payload if key.startswith(prefix.encode()) else None
        return None

    @_telling
    def write(self, rows: Mapping[str, Row], changelog_next: int) -> None:
        """Rows (a payload of None deletes) and how far the changelog is applied, in one write."""
        batch = WriteBatch(raw_mode=True)
        for key, row in rows.items():
            if row.payload is None:
                batch.delete(key.encode())
            else:
                batch.put(key.encode(), _STAMP.pack(row.source, row.written) + row.payload)
        batch.put(_CHANGELOG_KEY, str(changelog_next).encode())
        self._db.write(batch)
        self.changelog_next = changelog_next
        if POSITION_KEY in rows:
            self.position = _position(rows[POSITION_KEY])

    def keys(self) -> Iterable[str]:
        """All row keys, for audits and comparisons."""
        return [key.decode() for key, _ in self._db.items() if not key.startswith(b"\0")]


def _position(row: Row | None) -> Position | None:
    return msgspec.json.decode(row.payload, type=Position) if row is not None and row.payload else None


def _row(raw: bytes) -> Row:
    source, written = _STAMP.unpack_from(raw)
    return Row(raw[_STAMP.size :], source, written)


def _without_log() -> WriteOptions:
    """No write-ahead log: what a killed process had in memory only is on the changelog, and comes back from there.

    Rows, position and the changelog's offset lie in one family, so what is on the disk is always as of one moment.
    """
    options = WriteOptions()
    options.disable_wal = True  # type: ignore[method-assign, assignment]  # a property, which its stub takes for a method
    return options


def _options() -> Options:
    # Many small databases share one process, and so its memory (faust.md 1f, measured defaults: GiBs).
    blocks = BlockBasedOptions()
    blocks.set_block_cache(_CACHE)
    # Most rows that are looked for and are not on disk are new: nothing is read to find that out.
    blocks.set_bloom_filter(10, block_based=False)
    options = Options(raw_mode=True)
    options.set_block_based_table_factory(blocks)
    options.set_write_buffer_manager(_UNWRITTEN)
    options.set_write_buffer_size(8 * 1024 * 1024)
    options.set_max_write_buffer_number(2)
    options.set_max_open_files(64)
    options.set_keep_log_file_num(2)
    return options
