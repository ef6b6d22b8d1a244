"""docs/notifications.md: the table of who is told what is what the layouts say."""

from __future__ import annotations

from collections.abc import Iterator

from config.settings import layouts
from streams.layout_file import read_layout
from tests.proofs import ROOT

PAGE = ROOT / "docs" / "notifications.md"


def rows() -> Iterator[str]:
    """A line for each type of news, a column for each layout: the channels it is told on."""
    names = layouts()
    notices = {name: read_layout(name).notices for name in names}
    kinds = sorted({kind for told in notices.values() for templates in told.values() for kind in templates})
    yield f"| news | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(names)}"
    for kind in kinds:
        told = [", ".join(channel for channel in notices[name] if kind in notices[name][channel]) for name in names]
        yield f"| `{kind}` | {' | '.join(each or '-' for each in told)} |"


def test_the_table_of_who_is_told_what_is_the_layouts() -> None:
    _, _, rest = PAGE.read_text("utf-8").partition("<!-- told -->\n")
    table, _, _ = rest.partition("<!-- end -->")
    assert table.strip().splitlines() == list(rows())
