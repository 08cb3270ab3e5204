"""Synthetic portraits: prompts that are balanced by construction, pictures from any model, checks, an audit.

`design_portraits` lays factors over portraits, `synthesize_portraits` makes and checks them and writes shards that the
data-set readers and the annotation platform take. docs/portraits.md. Extra `synthesis`; `diffusers` for local models.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emonet.synthesis.portraits._audit import Audit, Rejection, Share, audit_design, audit_document, audit_text
    from emonet.synthesis.portraits._checks import Checked, CheckRules, check_portrait
    from emonet.synthesis.portraits._design import Balance, Design, design_portraits, measure_balance
    from emonet.synthesis.portraits._factors import Factor, Level, read_factors
    from emonet.synthesis.portraits._generators import (
        DiffusersGenerator,
        FolderGenerator,
        Generator,
        Made,
        Order,
        ServiceGenerator,
    )
    from emonet.synthesis.portraits._prompts import Prompt, write_prompts
    from emonet.synthesis.portraits._provenance import Provenance, mark_picture, read_provenance
    from emonet.synthesis.portraits._run import Portraits, synthesize_portraits, write_prompt_files

_HOME = {
    "_audit": "Audit Rejection Share audit_design audit_document audit_text",
    "_checks": "CheckRules Checked check_portrait",
    "_design": "Balance Design design_portraits measure_balance",
    "_factors": "Factor Level read_factors",
    "_generators": "DiffusersGenerator FolderGenerator Generator Made Order ServiceGenerator",
    "_prompts": "Prompt write_prompts",
    "_provenance": "Provenance mark_picture read_provenance",
    "_run": "Portraits synthesize_portraits write_prompt_files",
}
_WHERE = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "Audit",
    "Balance",
    "CheckRules",
    "Checked",
    "Design",
    "DiffusersGenerator",
    "Factor",
    "FolderGenerator",
    "Generator",
    "Level",
    "Made",
    "Order",
    "Portraits",
    "Prompt",
    "Provenance",
    "Rejection",
    "ServiceGenerator",
    "Share",
    "audit_design",
    "audit_document",
    "audit_text",
    "check_portrait",
    "design_portraits",
    "mark_picture",
    "measure_balance",
    "read_factors",
    "read_provenance",
    "synthesize_portraits",
    "write_prompt_files",
    "write_prompts",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
