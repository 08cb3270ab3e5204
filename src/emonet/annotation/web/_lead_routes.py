"""The lead's routes and the least role each asks for; `_access.py` takes them up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

LEAD_ROUTES: Mapping[tuple[str, str], Literal["lead", "admin"]] = {
    ("GET", "/lead"): "lead",
    ("GET", "/lead/state"): "lead",
    ("GET", "/lead/agreement"): "lead",
    ("GET", "/lead/raters"): "lead",
    ("GET", "/lead/raters/{code}"): "lead",
    ("POST", "/lead/raters/{code}/set-aside"): "lead",
    ("GET", "/lead/consensus"): "lead",
    ("GET", "/lead/disagreements"): "lead",
    ("GET", "/lead/unit"): "lead",
    ("POST", "/lead/unit"): "lead",
    ("GET", "/lead/people"): "lead",
    ("POST", "/lead/people/invite"): "lead",
    ("POST", "/lead/people/{person}/active"): "lead",
    ("POST", "/lead/people/{person}/role"): "admin",
    ("GET", "/lead/export"): "lead",
    ("GET", "/lead/export/{name}"): "lead",
    ("GET", "/lead/log"): "lead",
}
