"""Who may do what: every route and the least role it asks for. The middleware refuses whatever is not listed here.

A test walks the application's routes and fails for one without an entry, so that a new page cannot be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from starlette.routing import compile_path

from emonet.annotation.web._lead_routes import LEAD_ROUTES

Least = Literal["anyone", "rater", "lead", "admin"]
RANK: Mapping[str, int] = {"anyone": 0, "rater": 1, "lead": 2, "admin": 3}
"""Roles in rising order; each may do what the ones before it may."""

ACCESS: Mapping[tuple[str, str], Least] = {
    # Signing in
    ("GET", "/health"): "anyone",
    ("GET", "/sign-in"): "anyone",
    ("POST", "/sign-in"): "anyone",
    ("GET", "/join/{token}"): "anyone",
    ("POST", "/join/{token}"): "anyone",
    ("GET", "/static/{path:path}"): "anyone",
    ("POST", "/sign-out"): "rater",
    # Raters' pages
    ("GET", "/"): "rater",
    ("GET", "/rate"): "rater",
    ("GET", "/history"): "rater",
    ("GET", "/guide"): "rater",
    ("GET", "/account"): "rater",
    ("POST", "/account/password"): "rater",
    ("POST", "/account/leave"): "rater",
    ("GET", "/media/{item}"): "rater",
    # Raters' JSON interface
    ("GET", "/api/session"): "rater",
    ("POST", "/api/assignments"): "rater",
    ("POST", "/api/answers"): "rater",
    ("GET", "/api/answers"): "rater",
    ("POST", "/api/answers/{event}/undo"): "rater",
    ("POST", "/api/answers/{event}/correction"): "rater",
    ("GET", "/api/progress"): "rater",
    ("GET", "/api/items/{item}/peaks"): "rater",
    # The lead's desk
    **LEAD_ROUTES,
}


def least_role(method: str, path: str) -> Least | None:
    """The role that a request needs, None when no entry matches it."""
    asked = "GET" if method == "HEAD" else method
    for listed, pattern, least in _COMPILED:
        if listed == asked and pattern.match(path):
            return least
    return None


def allows(least: Least, role: str | None) -> bool:
    """Whether somebody with `role` (None: not signed in) may pass where `least` is asked."""
    return RANK.get(role or "anyone", 0) >= RANK[least]


_COMPILED: tuple[tuple[str, re.Pattern[str], Least], ...] = tuple(
    (method, compile_path(path)[0], least) for (method, path), least in ACCESS.items()
)
