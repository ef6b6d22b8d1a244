"""Which addresses a webhook may go to: those of the public internet, and nothing that only this network can reach.

An endpoint's URL is input. Who may name one must not make us speak to machines they could not reach themselves: the
cloud's metadata service, a database, this very gateway.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Addresses that stand for an IPv4 address behind a translator (RFC 6052): the last 32 bits are it.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
#: How a C library reads a number as an address: "2130706433", "0x7f.1", "0177.0.0.1".
_NUMBER = re.compile(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+)){0,3}\.?", re.ASCII | re.IGNORECASE)
#: Special ranges that the standard library still calls global: documentation (RFC 9637), and the anycast of relays
#: from 6to4, which is withdrawn (RFC 7526).
_SPECIAL = (ipaddress.ip_network("3fff::/20"), ipaddress.ip_network("192.88.99.0/24"))
#: An authority with a zone, or with letters that are read as others.
_PERCENT = re.compile(r"[^/?#]*//[^/?#]*%")
_LONGEST = 2_000


class Forbidden(OSError):
    """An address that webhooks do not go to."""


def is_public(address: str) -> bool:
    """Whether an address is of the public internet, also where it is wrapped into another one."""
    try:
        found: _Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return _is_public(found)
    if found in _TRANSLATED:
        return _is_public(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
    inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo is not None else None)
    return _is_public(found if inner is None else inner) and not found.is_site_local


def _is_public(address: _Address) -> bool:
    special = any(address in network for network in _SPECIAL)
    return address.is_global and not (special or address.is_multicast or address.is_reserved or address.is_unspecified)


def objection_to(text: str, *, private: bool) -> str | None:
    """What is wrong with an endpoint's URL as it is written; None for nothing. `private`: any address may be meant.

    Where a name leads is looked at each time something is sent (`Resolver`).
    """
    if len(text) > _LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        return f"should be a URL of at most {_LONGEST} printable ASCII characters"
    try:
        url = URL(text)
        host, _ = url.host, url.port
    except ValueError:
        return "is not a URL"
    schemes = ("https", "http") if private else ("https",)
    if url.scheme not in schemes or not host:
        return f"should begin with {' or '.join(f'{scheme}://' for scheme in schemes)} and name a host"
    if _PERCENT.match(text):
        return "should name its host without percent signs"
    if url.user is not None or url.password is not None or url.fragment:
        return "should have neither a user nor a fragment"
    return None if private else _objection_to_host(host)


def _objection_to_host(host: str) -> str | None:
    literal = ":" in host or _NUMBER.fullmatch(host)
    if (literal and not is_public(host)) or host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
        return "leads to an address that is not of the public internet"
    return None


class Resolver(AbstractResolver):
    """Looks names up and gives public addresses only; the connection is made to exactly what it gives."""

    def __init__(self, names: AbstractResolver) -> None:
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises Forbidden where any of the addresses is not public: a name that leads to both is not to be trusted."""
        found: Sequence[ResolveResult] = await self._names.resolve(host, port, family)
        if not all(is_public(each["host"]) for each in found):
            raise Forbidden("the name leads to an address that is not of the public internet")
        return list(found)

    async def close(self) -> None:
        await self._names.close()
