"""Do captions name the emotions that the scores say? Against captions dealt to other clips.

Scores of different emotions are not on one scale, so each emotion's scores are first ranked over the clips. Shapes: n
clips, e emotions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emonet.captions.whisper._ratio import Resampling, ratio
from emonet.captions.whisper._structure import parse_caption
from emonet.errors import UnknownNameError, UsageError
from emonet.statistics import Interval, mid_ranks
from emonet.taxonomy import Emotion, resolve

Floats = NDArray[np.float64]
_DEALS = 20  # permutations that the control averages over


@dataclass(frozen=True, slots=True)
class EmotionAgreement:
    """Agreement of captions with scores, each with its 95 % interval over clips (or `clusters`).

    `rank`: area under the curve, 0.5 by chance. `control`: that of captions dealt to other clips; `gain`: rank less
    control, on the same resamples. `precision`, `recall`: of the emotions spoken of, against the `top` of each clip.
    `control_precision`, `control_recall`: of the dealt captions. `clips`: with scores; `silent`: of these, how many
    captions name no emotion (they count as chance in `rank`, and in recall).
    """

    rank: Interval
    control: Interval
    gain: Interval
    precision: Interval
    recall: Interval
    control_precision: Interval
    control_recall: Interval
    clips: int
    silent: int


def emotion_agreement(
    captions: Mapping[str, str], scores: Mapping[str, Mapping[str, float]], resampling: Resampling, top: int, seed: int
) -> EmotionAgreement:
    """Agreement over the clips that have scores."""
    keys = [key for key in captions if scores.get(key)]
    table, names = _score_table([scores[key] for key in keys])
    said = np.array([[name in spoken for name in names] for spoken in map(emotions_of, (captions[k] for k in keys))])
    said = said.reshape(len(keys), len(names))
    ranks = np.column_stack([_share_of_ranks(column) for column in table.T])
    wanted = _top(ranks, top)
    deals = _deals(len(keys), seed)
    areas = _areas(ranks, said)
    dealt = np.mean([_areas(ranks, said[deal]) for deal in deals], axis=0)
    hits = [(said[deal] & wanted).sum(1) for deal in deals]
    own, others = (said & wanted).sum(1), np.mean(hits, axis=0)
    spoken, dealt_spoken = said.sum(1), np.mean([said[deal].sum(1) for deal in deals], axis=0)
    drawn = resampling(keys)
    one = np.ones(len(keys))
    return EmotionAgreement(
        rank=ratio(drawn, areas, one),
        control=ratio(drawn, dealt, one),
        gain=ratio(drawn, areas - dealt, one),
        precision=ratio(drawn, own, spoken),
        recall=ratio(drawn, own, wanted.sum(1)),
        control_precision=ratio(drawn, others, dealt_spoken),
        control_recall=ratio(drawn, others, wanted.sum(1)),
        clips=len(keys),
        silent=int((spoken == 0).sum()),
    )


def emotions_of(caption: str) -> frozenset[str]:
    """Taxonomy keys that a caption says are there."""
    return frozenset(tone.key for tone in parse_caption(caption).tone)


def _score_table(rows: Sequence[Mapping[str, float]]) -> tuple[Floats, list[str]]:
    """(scores [n, e] with NaN where none is given, taxonomy keys of the columns)."""
    keys: dict[str, str] = {}
    for name in {name for row in rows for name in row}:
        try:
            record = resolve(name)
        except UnknownNameError:
            continue
        if isinstance(record, Emotion):
            keys[name] = record.key
    names = sorted(set(keys.values()))
    if not names:
        raise UsageError("The scores name no emotion of the taxonomy; expected names as `emonet taxonomy list` shows.")
    table = np.full((len(rows), len(names)), np.nan)
    for at, row in enumerate(rows):
        for name, value in row.items():
            if name in keys:
                table[at, names.index(keys[name])] = value
    return table, names


def _share_of_ranks(column: Floats) -> Floats:
    """Mid-ranks over the clips as shares of them; NaN stays."""
    known = np.isfinite(column)
    out = np.full(len(column), np.nan)
    if known.any():
        out[known] = mid_ranks(column[known]) / known.sum()
    return out


def _top(ranks: Floats, top: int) -> NDArray[np.bool_]:
    """The `top` highest of each clip; ties at the edge go by the order of the emotions."""
    order = np.argsort(-np.nan_to_num(ranks, nan=-1.0), axis=1, kind="stable")[:, :top]
    wanted = np.zeros(ranks.shape, bool)
    np.put_along_axis(wanted, order, True, axis=1)
    return wanted & np.isfinite(ranks)


def _areas(ranks: Floats, said: NDArray[np.bool_]) -> Floats:
    """Per clip: the chance that an emotion spoken of ranks above one that is not; 0.5 where there is no such pair."""
    out = np.full(len(ranks), 0.5)
    for at, (row, spoken) in enumerate(zip(ranks, said, strict=True)):
        known = np.isfinite(row)
        high, low = row[known & spoken], row[known & ~spoken]
        if len(high) and len(low):
            gaps = high[:, None] - low[None]
            out[at] = float(((gaps > 0) + 0.5 * (gaps == 0)).mean())
    return out


def _deals(count: int, seed: int) -> list[NDArray[np.intp]]:
    """Permutations by which every clip gets another one's caption: a shuffled ring turned by one."""
    generator = np.random.default_rng(seed)
    deals = []
    for _ in range(_DEALS):
        ring = generator.permutation(count)
        deal = np.empty(count, np.intp)
        deal[ring] = np.roll(ring, 1)
        deals.append(deal)
    return deals
