"""`vacancy gateway` listens on loopback only."""

from __future__ import annotations

import pytest

from cli.gateway import check_host
from cli.problem import Misuse


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_listened_on(host: str) -> None:
    check_host(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "example.com", ""])
def test_anything_else_is_refused_with_a_clear_line(host: str) -> None:
    with pytest.raises(Misuse, match="loopback"):
        check_host(host)
