"""Where webhooks may go: the public internet, however an address is written."""

from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from adapters.addresses import Forbidden, Resolver, is_public, objection_to

PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822", "::ffff:1.1.1.1"]
NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "3fff::1",
    "3fff:fff:ffff::1",
    "192.88.99.1",
    "::ffff:192.88.99.1",
    "2002:c058:6301::",
    "not an address",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]:8443/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost./",
        "https://api.localhost/",
        "https://user@example.com/",
        "https://example.com/#here",
        "https:///nowhere",
        "https://example.com:99999/",
        "ftp://example.com/",
        "https://exa mple.com/",
        "https://bücher.example/",
        "https://" + "a" * 2_000,
        "nonsense",
        "https://[fe80::1%25eth0]/",
        "https://127.0.0%2e1/",
        "https://%65xample.com/",
        "https://[3fff::1]/",
    ],
)
def test_urls_that_are_refused_as_they_are_written(url: str) -> None:
    assert objection_to(url, private=False) is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hooks?x=1",
        "https://93.184.216.34:8443/",
        "https://[2606:2800::1]/",
        "https://example.com/a%20b?c=%2f",
    ],
)
def test_urls_that_are_taken(url: str) -> None:
    assert objection_to(url, private=False) is None


def test_where_private_addresses_are_allowed_so_is_plain_http() -> None:
    assert objection_to("http://127.0.0.1:8080/", private=True) is None
    assert objection_to("http://user@127.0.0.1/", private=True) is not None


class Names(AbstractResolver):
    """A name server of a test."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in self._addresses
        ]

    async def close(self) -> None:
        self.closed = True


async def test_a_name_leads_to_the_addresses_that_were_looked_at() -> None:
    names = Names("1.1.1.1", "93.184.216.34")
    resolver = Resolver(names)
    assert [each["host"] for each in await resolver.resolve("example.com", 443)] == ["1.1.1.1", "93.184.216.34"]
    await resolver.close()
    assert names.closed


async def test_a_name_that_leads_inside_too_is_not_followed() -> None:
    with pytest.raises(Forbidden):
        await Resolver(Names("93.184.216.34", "127.0.0.1")).resolve("rebound.example", 443)
