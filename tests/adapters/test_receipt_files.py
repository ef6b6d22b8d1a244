"""Receipts as files."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from adapters.receipt_files import ReceiptFiles

ID = str(uuid.UUID(int=7))


def test_a_receipt_is_read_as_it_was_written(tmp_path: Path) -> None:
    files = ReceiptFiles(tmp_path / "receipts")
    assert files.read(ID) is None
    files.write(ID, "Receipt RCP-2026-000001\n")
    files.write(ID, "Receipt RCP-2026-000001\n")
    assert files.read(ID) == "Receipt RCP-2026-000001\n"
    assert [path.name for path in (tmp_path / "receipts").iterdir()] == [f"{ID}.txt"]


@pytest.mark.parametrize("wicked", ["../secret", "/etc/passwd", "", "x"])
def test_only_an_id_names_a_receipt(tmp_path: Path, wicked: str) -> None:
    files = ReceiptFiles(tmp_path)
    assert files.read(wicked) is None
    with pytest.raises(ValueError, match="badly formed"):
        files.write(wicked, "Receipt")
    assert list(tmp_path.iterdir()) == []
