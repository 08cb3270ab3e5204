"""The web application of an annotation project: raters' pages, the lead's desk and the JSON interface beneath them.

`create_app` makes the application from an open store; any ASGI server runs it (`emonet annotate serve` uses uvicorn).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emonet.annotation.web._app import create_app
    from emonet.annotation.web._settings import WebSettings

__all__ = ["WebSettings", "create_app"]


def __getattr__(name: str) -> Any:
    """Load FastAPI only when the application is wanted."""
    if name == "WebSettings":
        from emonet.annotation.web._settings import WebSettings

        return WebSettings
    if name == "create_app":
        from emonet.errors import require

        require("fastapi", extra="annotation", feature="The annotation web application")
        from emonet.annotation.web._app import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
