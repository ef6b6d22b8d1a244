"""Hearing public topics: whose a record is and what it says, found out once for all groups of a process.

A record is read by several groups at about the same time. Reading it costs more than anything they do with it.
"""

from __future__ import annotations

from collections import OrderedDict

from streams.codec import Undecodable
from streams.events import Envelope
from streams.layout import Layout
from streams.reader import Raw
from streams.signing import Signer
from streams.wire import Codec, codec_of
from streams.wire.reading import read

#: Records remembered: those that some group of the process has still to read.
_REMEMBERED = 2_000


class Heard:
    """One record, read when it is first asked for."""

    __slots__ = ("_codec", "_found", "_layout", "_ours", "_record", "_signer")

    def __init__(self, record: Raw, codec: Codec, layout: Layout, signer: Signer) -> None:
        self._record = record
        self._codec = codec
        self._layout = layout
        self._signer = signer
        self._ours: bool | None = None
        self._found: Envelope | Undecodable | None = None

    @property
    def is_ours(self) -> bool:
        """Whether this instance said it."""
        if self._ours is None:
            self._ours = self._signer.is_ours(self._record.headers, self._record.value)
        return self._ours

    @property
    def news(self) -> Envelope:
        """What it says. Raises Undecodable."""
        if self._found is None:
            self._found = self._read()
        if isinstance(self._found, Undecodable):
            raise self._found
        return self._found

    def _read(self) -> Envelope | Undecodable:
        try:
            return read(self._codec, self._layout, self._record)
        except Undecodable as error:
            return error


class Listener:
    """Hears records for one process."""

    def __init__(self, layout: Layout, signer: Signer) -> None:
        self._layout = layout
        self._signer = signer
        self._codec = codec_of(layout.codec)
        self._heard: OrderedDict[tuple[str, int, int], Heard] = OrderedDict()

    def hear(self, record: Raw) -> Heard:
        place = (record.topic, record.partition, record.offset)
        heard = self._heard.get(place)
        if heard is None:
            heard = self._heard[place] = Heard(record, self._codec, self._layout, self._signer)
            if len(self._heard) > _REMEMBERED:
                self._heard.popitem(last=False)
        return heard

    def afresh(self, record: Raw) -> Heard:
        """Hears a record that may be another one than stood at its place: it is not remembered."""
        return Heard(record, self._codec, self._layout, self._signer)
