"""Replies: rows of estimates, and what each model is and was measured to be worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emonet import __version__
from emonet.estimation import Estimates, Values, dimension_columns
from emonet.models import Card
from emonet.reports import NOTE


def model_document(card: Card) -> dict[str, Any]:
    """A card without what only the loader needs, with its measured reliability by dimension."""
    whole = card.model_dump(mode="json", exclude={"calibration", "encoder", "heads", "tiers", "preprocessing"})
    notes = list(dict.fromkeys(fitted.data for fitted in card.calibration.values()))
    more = {"reliability": reliability(card), "captions": captioned(card), "meaning": "perceived intensity"}
    return whole | {"calibration_notes": notes, **more}


def captioned(card: Card) -> bool:
    """Whether captions can be made of the model's scores: something must be known of what is usual for them."""
    from emonet.captions import baseline_of_model
    from emonet.errors import UsageError

    try:
        baseline_of_model(card.id, card.modality, card.dimensions)
    except UsageError:
        return False
    return True


def reliability(card: Card) -> dict[str, list[dict[str, Any]]]:
    """Dimension → its measured figures with 95 % intervals; an empty list where nothing was measured. "*": over all."""
    found: dict[str, list[dict[str, Any]]] = {key: [] for key in ("*", *card.dimensions)}
    for metric in card.metrics:
        found.setdefault(metric.dimension or "*", []).append(metric.model_dump(mode="json", exclude={"dimension"}))
    return found


def brief_model(card: Card) -> dict[str, Any]:
    """What every reply says of a model that took part."""
    return {
        "id": card.id,
        "revision": card.revision,
        "modality": card.modality,
        "licence": card.licence,
        "meaning": "perceived intensity",
        "scale": {key: scale.model_dump() for key, scale in card.scale.items()},
        "metrics": [metric.model_dump(mode="json") for metric in card.metrics if metric.dimension is None],
        "reliability": f"/v1/models/{card.id}",
    }


def document(found: Sequence[Estimates], values: Values, top: int) -> dict[str, Any]:
    """The reply of /v1/estimate: the document of `emonet estimate --output x.json`, and with `top` the strongest
    emotions of each file."""
    rows = Estimates(
        [row for estimates in found for row in estimates], {k: c for e in found for k, c in e.cards.items()}
    )
    columns = rows.dimensions
    body: dict[str, Any] = {
        "version": __version__,
        "values": values,
        "note": NOTE,
        "models": [brief_model(card) for card in rows.cards.values()],
        "columns": list(dimension_columns(columns, values)),
        "estimates": [plain_row(row.to_row(values=values, dimensions=columns)) for row in rows],
    }
    if top:
        body["top"] = [_strongest(estimates, top) for estimates in found]
    return body


def plain_row(row: dict[str, Any]) -> dict[str, Any]:
    """Rounded to what float32 holds, so that replies are short."""
    return {key: float(f"{value:.7g}") if isinstance(value, float) else value for key, value in row.items()}


def _strongest(estimates: Estimates, top: int) -> dict[str, Any]:
    source = estimates[0].source if len(estimates) else ""
    models = dict.fromkeys(row.model for row in estimates if row.ok)
    ranked = {
        model: [item._asdict() for item in Estimates(row for row in estimates if row.model == model).top(top)]
        for model in models
    }
    return {"source": source, "models": ranked}
