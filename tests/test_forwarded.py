"""Whose address a request behind proxies is given."""

from __future__ import annotations

import pytest

from emonet.forwarded import client_address


@pytest.mark.parametrize(
    ("header", "proxies", "expected"),
    [
        ("6.6.6.6, 9.9.9.9", 0, "10.0.0.1"),
        ("6.6.6.6, 9.9.9.9", 1, "9.9.9.9"),
        ("6.6.6.6, 9.9.9.9", 2, "6.6.6.6"),
        ("9.9.9.9", 2, "10.0.0.1"),
        ("", 1, "10.0.0.1"),
        (" , 2001:db8::1 ,", 1, "2001:db8::1"),
    ],
)
def test_only_our_proxies_are_believed(header: str, proxies: int, expected: str) -> None:
    """What a client wrote into the header itself stands before what our proxies appended, and is not read."""
    assert client_address("10.0.0.1", header, proxies) == expected


def test_a_made_up_address_is_cut() -> None:
    """No more than 64 characters are kept of what a proxy passes on."""
    assert client_address("10.0.0.1", "x" * 1000, 1) == "x" * 64
