"""The proxy that Go's client takes for a URL, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY.

It reads them otherwise than requests does: capitals win over the names in lower case, ALL_PROXY
says nothing, this machine is never reached through a proxy, and `example.com` in NO_PROXY is not
`badexample.com`.
Source: golang.org/x/net/http/httpproxy, which `net/http` uses (`specs/driver-compat.md` §1.2).
"""

import os
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address

_PORTS = {"http": 80, "https": 443}


def proxy_for(url: str) -> str | None:
    """The URL of the proxy for *url*, None when there is none."""
    parts = urlsplit(url)
    proxy = _variable(f"{parts.scheme}_proxy") if parts.scheme in _PORTS else ""
    host = parts.hostname or ""
    if not proxy or not _is_proxied(host, parts.port or _PORTS[parts.scheme]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(name: str) -> str:
    return os.environ.get(name.upper()) or os.environ.get(name, "")


def _is_proxied(host: str, port: int) -> bool:
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return False
    exempt = (each.strip().lower() for each in _variable("no_proxy").split(","))
    return not any(_exempts(each, host, port, address) for each in exempt if each)


def _exempts(exempt: str, host: str, port: int, address: Address | None) -> bool:
    """Whether an entry of NO_PROXY is about *host*: a network, or an address or name and a port."""
    if exempt == "*":
        return True
    if "/" in exempt:
        return address is not None and _is_within(address, exempt)
    name, colon, stated = exempt.rpartition(":")
    if colon and ("]" in name or ":" not in name):
        if stated != str(port):
            return False
        exempt = name.strip("[]")
    if address is not None:
        return _address(exempt) == address
    if exempt.startswith((".", "*.")):
        return host.endswith(exempt.removeprefix("*"))
    return host == exempt or host.endswith(f".{exempt}")


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_within(address: Address, network: str) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False
