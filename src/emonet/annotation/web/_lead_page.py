"""What every page of the lead's desk gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from emonet.annotation.web import _charts
from emonet.annotation.web._deps import page
from emonet.annotation.web._lead_state import State
from emonet.annotation.web._lead_words import WORDS

TABS = (
    ("/lead", "Overview"),
    ("/lead/agreement", "Agreement"),
    ("/lead/raters", "Raters"),
    ("/lead/consensus", "Consensus"),
    ("/lead/disagreements", "Disagreements"),
    ("/lead/people", "People"),
    ("/lead/export", "Export"),
    ("/lead/log", "Log"),
)


def desk_page(
    request: Request,
    name: str,
    state: State,
    context: Mapping[str, Any],
    *,
    done: str = "",
    fault: str = "",
    status: int = 200,
) -> HTMLResponse:
    """Render `templates/lead/<name>.html`. `done` and `fault`: a line above the page, told to screen readers."""
    shared = {
        "tabs": TABS,
        "f": WORDS,
        "charts": _charts,
        "desk": state.desk,
        "event": state.event,
        "waiting": len(state.desk.undecided),
        "done": done,
        "fault": fault,
    }
    return page(request, f"lead/{name}.html", {**shared, **context}, status=status)
