"""Scores over the time of a recording or video, as an SVG drawing with its numbers for screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from emonet.estimation import Estimate, Estimates, clock
from emonet.taxonomy import display_name

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 860, 230, 44, 14, 12, 30
_DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 4")
_COLORS = ("#d0643b", "#3b7fc4", "#4c9a52", "#9a5fb5", "#b3892a")
_LINES = 5
_SHORTEST = 3


def timeline(estimates: Sequence[Estimate], label: str) -> str:
    """SVG of the emotions that vary or rise most over the regions of one voice or face, or "" for under 3 regions.

    One point at the middle of each region; a line is broken where nothing was scored for over twice the usual step.
    """
    items = [item for item in estimates if item.ok and item.region.start_s is not None]
    if len(items) < _SHORTEST:
        return ""
    items.sort(key=lambda item: item.region.start_s or 0.0)
    times = np.array([_middle(item) for item in items])  # [r]
    keys = _chosen(items)
    if not keys:
        return ""
    values = np.array([[item.scores().get(key, np.nan) for key in keys] for item in items])  # [r, k]
    low, high = min(0.0, float(np.nanmin(values))), max(0.5, float(np.nanmax(values)))
    end = max(max(item.region.end_s or 0.0 for item in items), float(times[-1]), 1e-3)
    x = _LEFT + times / end * (_WIDTH - _LEFT - _RIGHT)
    y = _TOP + (high - values) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)
    gaps = np.diff(times) > 2.5 * np.median(np.diff(times)) + 0.5
    lines, legend = [], []
    for k, key in enumerate(keys):
        name, color, dash = escape(display_name(key)), _COLORS[k], _DASHES[k]
        path = "".join(f"{'M' if r == 0 or gaps[r - 1] else 'L'}{x[r]:.1f} {y[r, k]:.1f}" for r in range(len(items)))
        lines.append(f'<path d="{path}" stroke="{color}" stroke-dasharray="{dash}"><title>{name}</title></path>')
        lines += [
            f'<circle cx="{x[r]:.1f}" cy="{y[r, k]:.1f}" r="2.6" fill="{color}">'
            f"<title>{name} {values[r, k]:+.2f} at {clock(float(times[r]))}</title></circle>"
            for r in (range(len(items)) if len(items) <= 200 else ())
        ]
        legend.append(
            f'<li><svg width="26" height="8" aria-hidden="true"><path d="M0 4H26" stroke="{color}" stroke-width="2.5" '
            f'stroke-dasharray="{dash}"/></svg> {name} <span class="soft">{np.nanmin(values[:, k]):+.2f} to '
            f"{np.nanmax(values[:, k]):+.2f}</span></li>"
        )
    summary = f"{label}: scores over time from 0 to {clock(end)}; the strongest are listed below the drawing."
    return (
        f'<figure class="timeline"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(summary)}">'
        f'{_axes(low, high, end)}<g fill="none" stroke-width="2" stroke-linejoin="round">{"".join(lines)}</g></svg>'
        f'<ul class="legend">{"".join(legend)}</ul></figure>'
    )


def _chosen(items: Sequence[Estimate]) -> list[str]:
    """The emotions with the highest peaks."""
    peaks: dict[str, float] = {}
    for item in items:
        for ranked in item.top(40):
            peaks[ranked.key] = max(peaks.get(ranked.key, -np.inf), ranked.value)
    return sorted(peaks, key=lambda key: -peaks[key])[:_LINES]


def _axes(low: float, high: float, end: float) -> str:
    parts = []
    for value in _ticks(low, high, 5):
        y = _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)
        kind = "zero" if abs(value) < 1e-9 else "grid"
        parts.append(f'<path class="{kind}" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for second in _time_ticks(end):
        x = _LEFT + second / end * (_WIDTH - _LEFT - _RIGHT)
        anchor = "end" if x > _WIDTH - _RIGHT - 12 else "middle"
        text = clock(second).removesuffix(".0")
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{text}</text>')
    return "".join(parts)


def _ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers within low..high, zero included when it lies there."""
    rough = max(high - low, 1e-6) / about
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = np.ceil(low / step - 1e-9)
    return [round(float(first + i) * step, 6) for i in range(int((high - first * step) / step + 1e-9) + 1)]


def _time_ticks(end: float) -> list[float]:
    """At most nine times from 0 to `end` seconds in steps that clocks know."""
    steps = (0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((step for step in steps if end / step <= 8), 3600.0 * np.ceil(end / 3600 / 8))
    return [float(i * step) for i in range(int(end / step + 1e-9) + 1)]


def _middle(item: Estimate) -> float:
    start = item.region.start_s or 0.0
    return start if item.region.end_s is None else (start + item.region.end_s) / 2


def strongest_frame(items: Sequence[Estimate]) -> Estimate:
    """The region the detector is most certain of, to stand for a face that was followed."""
    return max(Estimates(items), key=lambda item: item.region.score or 0.0)
