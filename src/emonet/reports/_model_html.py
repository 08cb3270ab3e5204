"""What a model is and how well it was measured to work, for the top of a report."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from emonet.models import Card, Metric
from emonet.reports._sections import calibration_notes, not_judged
from emonet.taxonomy import display_name

_HEADLINES = 3  # overall figures shown at once; a card lists the most important first
_EVIDENCE = {
    "direct": "labels of this emotion",
    "teacher": "a teacher model's scores (weaker)",
    "published": "as published by its authors",
}


def model_section(card: Card, describe: str = "") -> str:
    """A block with the headline figures, and the rest folded away."""
    overall = [metric for metric in card.metrics if metric.dimension is None]
    first, rest = _list(overall[:_HEADLINES]), _list(overall[_HEADLINES:])
    more = f"<details><summary>{len(overall) - _HEADLINES} more figures</summary>{rest}</details>" if rest else ""
    measured = (
        first + more
        if overall
        else '<p class="soft">This model comes without measured figures; treat its scores as untested.</p>'
    )
    judged = len(card.dimensions) - len(card.missing)
    return (
        f'<article class="model"><h3>{escape(card.title)}</h3>'
        f'<p class="soft"><code>{escape(card.id)}</code>, revision <code>{escape(card.revision)}</code>; judges '
        f"{judged} of {len(card.dimensions)} dimensions in {escape(card.modality)}s; {escape(card.licence)}</p>"
        f"<p>{escape(describe)}</p>{measured}{_calibration(card)}{_limits(card)}{_by_dimension(card)}{_missing(card)}{_training(card)}</article>"
    )


def _list(metrics: Sequence[Metric]) -> str:
    items = "".join(f"<li>{_figure(metric)}</li>" for metric in metrics)
    return f'<ul class="figures">{items}</ul>' if items else ""


def _calibration(card: Card) -> str:
    return "".join(f"<p>Percentages: {escape(note)}</p>" for note in calibration_notes(card))


def _metric_name(name: str) -> str:
    """For people: macro_auc → macro AUC."""
    words = name.replace("_", " ").split()
    return " ".join(word.upper() if word in ("auc", "uar") else word for word in words)


def _figure(metric: Metric) -> str:
    note = f"; {escape(metric.note)}" if metric.note else ""
    return (
        f"<strong>{escape(_metric_name(metric.name))} {metric.value:.2f}</strong> "
        f'<span class="soft">[{metric.low:.2f}, {metric.high:.2f}], n = {metric.n}, {escape(metric.data)}{note}</span>'
    )


def _limits(card: Card) -> str:
    if not card.limits:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in card.limits)
    return f"<details><summary>Limits ({len(card.limits)})</summary><ul>{items}</ul></details>"


def _by_dimension(card: Card) -> str:
    judged = [key for key in card.dimensions if key not in card.missing]
    metrics: dict[str, list[Metric]] = {}
    for metric in card.metrics:
        if metric.dimension:
            metrics.setdefault(metric.dimension, []).append(metric)
    rows = []
    for key in judged:
        evidence = card.evidence.get(key)
        kind = _EVIDENCE[evidence.kind] if evidence else "not stated"
        detail = escape(evidence.detail) if evidence else ""
        found = "<br>".join(_figure(metric) for metric in metrics.get(key, ()))
        found = found or '<span class="soft">not measured</span>'
        rows.append(
            f'<tr><th scope="row">{escape(display_name(key, card.modality))}</th><td>{found}</td>'
            f'<td>{escape(kind)}<br><span class="soft">{detail}</span></td></tr>'
        )
    return (
        f"<details><summary>Measured quality of each of the {len(judged)} judged dimensions</summary>"
        '<p class="soft">Brackets: 95 % interval. Measured on people that training never saw.</p>'
        '<div class="scroll"><table class="quality"><thead><tr><th scope="col">Dimension</th><th scope="col">Measured'
        f'</th><th scope="col">Learned from</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div></details>'
    )


def _missing(card: Card) -> str:
    missing = not_judged(card)
    if not missing:
        return ""
    reasons: dict[str, list[str]] = {}
    for name, reason in missing:
        reasons.setdefault(reason, []).append(name)
    items = "".join(
        f"<li><strong>{escape(', '.join(names))}</strong>: {escape(reason)}</li>" for reason, names in reasons.items()
    )
    return f"<details><summary>Not judged, and why ({len(missing)})</summary><ul>{items}</ul></details>"


def _training(card: Card) -> str:
    if not card.training_data:
        return ""
    items = "".join(
        f"<li><strong>{escape(data.name)}</strong>: {data.items} items, {escape(data.licence)}; {escape(data.use)}</li>"
        for data in card.training_data
    )
    return f"<details><summary>Trained on</summary><ul>{items}</ul></details>"
