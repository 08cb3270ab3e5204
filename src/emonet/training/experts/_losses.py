"""Losses over partial labels: one number per head, the mean over what is known of it. Symbols: n items, h heads.

Heads share no weights, so no emotion's labels weigh against another's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from emonet.training.experts._records import Loss

_PAIRED = 32


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Targets of a batch: graded and present [n, h] with NaN where unknown, weight [n, h]; `present_at` [h], the score
    from which each emotion counts as present; `levels` [h, k], scores half-way between the levels; `sharpness` [h], per
    unit of score."""

    graded: Tensor
    present: Tensor
    weight: Tensor
    present_at: Tensor
    levels: Tensor
    sharpness: Tensor


def losses(scores: Tensor, labels: Labels, wanted: Mapping[Loss, float]) -> Tensor:
    """Loss of each head [h], 0 for a head without a label in the batch; differentiable."""
    total = torch.zeros(scores.shape[1], device=scores.device)
    for name, weight in wanted.items():
        if weight:
            total = total + weight * _LOSSES[name](scores, labels)
    return total


def _mae(scores: Tensor, labels: Labels) -> Tensor:
    return _mean((scores - _filled(labels.graded, scores)).abs(), labels.graded, labels.weight)


def _mse(scores: Tensor, labels: Labels) -> Tensor:
    return _mean((scores - _filled(labels.graded, scores)) ** 2, labels.graded, labels.weight)


def _huber(scores: Tensor, labels: Labels) -> Tensor:
    each = F.huber_loss(scores, _filled(labels.graded, scores), reduction="none")
    return _mean(each, labels.graded, labels.weight)


def _ordinal(scores: Tensor, labels: Labels) -> Tensor:
    """Cumulative logits with the thresholds fixed half-way between levels (proportional odds, McCullagh 1980): scores
    stay on the scale. A mean over raters that lies between two levels counts for both in proportion."""
    graded = _filled(labels.graded, scores)[..., None]  # [n, h, 1]
    step = labels.levels[:, 1:] - labels.levels[:, :-1] if labels.levels.shape[1] > 1 else labels.levels * 0 + 1
    width = step.mean(dim=1)[None, :, None]
    share = ((graded - labels.levels) / width + 0.5).clamp(0, 1)  # [n, h, k]
    logits = (scores[..., None] - labels.levels) * labels.sharpness[None, :, None]
    each = F.binary_cross_entropy_with_logits(logits, share, reduction="none").mean(dim=2)
    return _mean(each, labels.graded, labels.weight)


def _presence(scores: Tensor, labels: Labels) -> Tensor:
    logits = (scores - labels.present_at) * labels.sharpness
    share = torch.nan_to_num(labels.present, 0.0)
    each = F.binary_cross_entropy_with_logits(logits, share, reduction="none")
    return _mean(each, labels.present, labels.weight)


def _rank(scores: Tensor, labels: Labels) -> Tensor:
    """Logistic loss on pairs of items that people ordered (RankNet, Burges et al. 2005): each item with up to 32 others
    of the batch, whose order is random."""
    total = torch.zeros(scores.shape[1], device=scores.device)
    pairs = torch.zeros_like(total)
    for known in (labels.graded, labels.present):
        for shift in range(1, min(len(scores), _PAIRED + 1)):
            difference = known - known.roll(shift, 0)
            told = torch.isfinite(difference) & (difference != 0)
            margin = (scores - scores.roll(shift, 0)) * torch.nan_to_num(difference, 0.0).sign() * labels.sharpness
            total = total + torch.where(told, F.softplus(-margin), 0.0).sum(dim=0)
            pairs = pairs + told.sum(dim=0)
    return total / pairs.clamp(min=1)


_LOSSES = {"mae": _mae, "mse": _mse, "huber": _huber, "ordinal": _ordinal, "presence": _presence, "rank": _rank}


def _filled(known: Tensor, scores: Tensor) -> Tensor:
    """Unknown labels as the score itself: their gradient is 0, never NaN."""
    return torch.where(torch.isfinite(known), known, scores.detach())


def _mean(each: Tensor, known: Tensor, weight: Tensor) -> Tensor:
    counted = torch.where(torch.isfinite(known), weight, 0.0)
    return (each * counted).sum(dim=0) / counted.sum(dim=0).clamp(min=1e-9)
