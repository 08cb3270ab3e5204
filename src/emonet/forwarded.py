"""Who a request comes from when reverse proxies stand in front of a server of ours."""

from __future__ import annotations


def client_address(direct: str, forwarded_for: str, proxies: int) -> str:
    """Address of the client: `direct`, the connection's other end, or what the proxies say.

    `forwarded_for`: the header X-Forwarded-For, "" without one. Each proxy appends whom it saw, and what stands before
    may have been sent by anybody: only as many entries as there are `proxies` of ours can be believed.
    """
    said = [part.strip() for part in forwarded_for.split(",") if part.strip()]
    return said[-proxies][:64] if 0 < proxies <= len(said) else direct
