"""Receipts as text files, one for each, named by the receipt's id."""

from __future__ import annotations

import uuid
from pathlib import Path

from adapters.files import write_whole


class ReceiptFiles:
    """The receipts in a directory, which is made when the first one is written. An id is a UUID, else ValueError."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, receipt_id: str, text: str) -> None:
        """Puts a receipt there; written again, it is the same file. Raises OSError."""
        write_whole(self._path(receipt_id), text.encode())

    def read(self, receipt_id: str) -> str | None:
        """The text of a receipt, None if there is none of that name. Raises OSError."""
        try:
            return self._path(receipt_id).read_text("utf-8")
        except (FileNotFoundError, ValueError):
            return None

    def _path(self, receipt_id: str) -> Path:
        if str(uuid.UUID(receipt_id)) != receipt_id:
            raise ValueError(f"{receipt_id!r} is not how a UUID is written")
        return self._directory / f"{receipt_id}.txt"
