"""EmoNet: 40 graded emotions estimated in faces and voices.

>>> import emonet
>>> emonet.load("voice")("interview.mp3").top(5)  # doctest: +SKIP

The import is light: models, media libraries and tables are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emonet.estimation import Estimate, Estimates, Estimator, load

__version__ = "0.1.0"

__all__ = ["Estimate", "Estimates", "Estimator", "__version__", "load"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("emonet.estimation"), name)
    raise AttributeError(f"module 'emonet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
