"""A file that says what runs, while the disk is full and after."""

from __future__ import annotations

import asyncio
import errno
import os

from cli.notice import Notice


class Disk:
    """Takes a write when it has space."""

    def __init__(self) -> None:
        self.full = True
        self.asked = 0
        self.written = asyncio.Event()

    def write(self) -> None:
        self.asked += 1
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.written.set()


async def test_it_says_so_once_and_writes_as_soon_as_it_can() -> None:
    disk, said = Disk(), list[str]()
    notice = Notice("vacancy.json", disk.write, said.append, pause=0.01)
    notice.renew()
    notice.renew()
    while disk.asked < 4:  # noqa: ASYNC110  # it is asked in pauses
        await asyncio.sleep(0.01)
    assert said == ["vacancy.json cannot be written (No space left on device); trying again every 0.01 s"]
    disk.full = False
    await disk.written.wait()
    await asyncio.sleep(0)
    assert said[1:] == ["vacancy.json is written again"]
    asked = disk.asked
    notice.renew()
    assert disk.asked == asked + 1


async def test_its_end_does_not_wait_for_space() -> None:
    disk, said = Disk(), list[str]()
    notice = Notice("vacancy.json", disk.write, said.append, pause=600)
    notice.renew()
    notice.end()
    assert said[1:] == ["vacancy.json could not be written (No space left on device); the next start writes it anew"]
