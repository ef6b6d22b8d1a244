"""Files of lines that follow a topic: each record leaves at most one line, however often it is handed over.

`DIRECTORY/{topic}/{partition}/{day}.jsonl`, a JSON object on each line with the record's `offset` in it, in the order
of the partition. The day is the record's own, so that a record always belongs to the same file. Nothing is remembered
beside the files: what was written last stands on the last line.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from config.directories import private

_BLOCK = 64 * 1024


class JournalDamaged(Exception):
    """A file whose last line nobody here wrote. The text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """What is written of one record, by its place on the partition and its day (in UTC)."""

    offset: int
    day: date
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _End:
    """Where a file ended when it was last looked at, and the last offset in it; -1 while it is empty."""

    path: Path
    size: int
    offset: int


class Journal:
    """The files of one directory. Several processes may write them: each looks whether another did so before."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        #: By the folder of a partition: where its newest file ends.
        self._ends: dict[Path, _End] = {}

    def append(self, topic: str, partition: int, lines: Sequence[Line]) -> None:
        """Writes what is not there yet and returns once it is on the disk. Blocks; lines come in rising offsets.

        Raises:
            OSError: it cannot be written, wholly or in part; what is missing is written when it is handed over again.
            JournalDamaged: the file's last line is not one of ours.
        """
        by_day: defaultdict[date, list[Line]] = defaultdict(list)
        for line in lines:
            by_day[line.day].append(line)
        folder = self._directory / topic / str(partition)
        with self._lock:
            for day, of_day in by_day.items():
                self._write(folder / f"{day.isoformat()}.jsonl", of_day)

    def forget(self) -> None:
        """Others may write these files from now on: they are looked at again before the next line."""
        with self._lock:
            self._ends.clear()

    def _write(self, path: Path, lines: Sequence[Line]) -> None:
        with _opened(path) as file:
            known = self._ends.get(path.parent)
            if known is None or known.path != path or known.size != os.fstat(file).st_size:
                known = _end_of(file, path)
            fresh = b"".join(_encoded(line) for line in lines if line.offset > known.offset)
            _write_whole(file, fresh)
            # Even without a fresh line: what a killed process left may not be on the disk yet.
            os.fsync(file)
            last = max(known.offset, lines[-1].offset)
            self._ends[path.parent] = _End(path, known.size + len(fresh), last)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The file, ours alone for as long as it is open. Its directory entry is durable before a line is in it."""
    private(path.parent)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_size == 0:
            _sync_directory(path.parent)
        yield file
    finally:
        os.close(file)


def _end_of(file: int, path: Path) -> _End:
    """Where the file ends, without a torn last line, which is cut off: it was never committed."""
    size = os.fstat(file).st_size
    whole = _newline_before(file, size) + 1
    if whole < size:
        os.ftruncate(file, whole)
    if whole == 0:
        return _End(path, 0, -1)
    start = _newline_before(file, whole - 1) + 1
    try:
        return _End(path, whole, int(orjson.loads(os.pread(file, whole - start, start))["offset"]))
    except (ValueError, KeyError, TypeError):
        raise JournalDamaged(f"{path}: the last line has no offset; move the file away or cut that line off") from None


def _newline_before(file: int, end: int) -> int:
    """The place of the last newline before `end`, -1 if there is none."""
    while end > 0:
        start = max(end - _BLOCK, 0)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found
        end = start
    return -1


def _encoded(line: Line) -> bytes:
    return orjson.dumps({"offset": line.offset, **line.content}, option=orjson.OPT_APPEND_NEWLINE)


def _write_whole(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
