"""How good captions are: do they name what the scores say, do they match references, are they sound text.

*Emotion agreement* is the main figure. Scores of different emotions are not on one scale, so each emotion's scores are
first ranked over the clips; then, for each clip, do the emotions that its caption speaks of stand higher than the
others (area under the curve, 0.5 by chance)? Precision and recall compare the emotions spoken of with the `top` highest
of the clip. The same figures of captions dealt to other clips are the control: what a captioner reaches that says
likely things without listening.

BLEU and chrF come from sacrebleu, word errors from jiwer. CIDEr is left out: it weighs words by how rare they are over
the references, so that its scale changes with the set, its implementations are unmaintained, and for one or two
sentences chrF says as much.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.captions.whisper._checkpoint import EXTRA
from emonet.captions.whisper._structure import parse_caption
from emonet.errors import UsageError, require
from emonet.statistics import Interval, Resampler, mid_ranks, percentile_interval
from emonet.taxonomy import resolve

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


@dataclass(frozen=True, slots=True)
class TextQuality:
    """What the texts are like.

    `words`: mean length. `repetition`: mean share of a caption's word triples that it has said before. `distinct`:
    share of different captions. With references: `bleu` and `chrf` 0..100 over all clips, `wer`: word errors against
    the nearest reference, per word; `exact`: share of captions that are a reference word for word.
    """

    words: float
    repetition: float
    distinct: float
    bleu: float | None = None
    chrf: float | None = None
    wer: Interval | None = None
    exact: float | None = None


@dataclass(frozen=True, slots=True)
class CaptionEvaluation:
    """`agreement`: None without scores."""

    clips: int
    text: TextQuality
    agreement: EmotionAgreement | None

    def as_json(self) -> dict[str, Any]:
        """Figures as JSON values; intervals are [value, low, high], undefined ones None."""
        return {name: plain(value) for name, value in asdict(self).items()}


def evaluate_captions(
    captions: Mapping[str, str],
    *,
    references: Mapping[str, Sequence[str]] | None = None,
    scores: Mapping[str, Mapping[str, float]] | None = None,
    clusters: Mapping[str, str] | None = None,
    top: int = 3,
    seed: int = 0,
    resamples: int = 1000,
) -> CaptionEvaluation:
    """Measure captions, clip → text.

    references: clip → one or more good captions. scores: clip → emotion (any spelling) → number, higher is more; names
    that are no emotion are passed over. clusters: clip → speaker or recording, whose clips are resampled together.
    Clips without references or scores are left out of those figures. Raises `UsageError` without captions, or when
    references or scores name none of the clips; `MissingExtraError` without the extra `caption` when references are
    given.
    """
    if not captions:
        raise UsageError("There are no captions to evaluate.")
    if top < 1:
        raise UsageError(f"top is {top}; expected 1 or more.")
    keys = list(captions)
    for name, given in (("references", references), ("scores", scores)):
        if given is not None and not any(given.get(key) for key in keys):
            raise UsageError(f"{name} name none of the {len(keys)} captioned clips; expected the same keys.")

    def resampler(chosen: Sequence[str]) -> Resampler:
        groups = [clusters.get(key, key) for key in chosen] if clusters is not None else None
        return Resampler(len(chosen), groups, seed=seed, resamples=resamples)

    text = _text_quality(captions, references, resampler)
    agreement = _agreement(captions, scores, resampler, top, seed) if scores is not None else None
    return CaptionEvaluation(len(keys), text, agreement)


def _agreement(captions: Any, scores: Any, resampler: Any, top: int, seed: int) -> EmotionAgreement:
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
    drawn = resampler(keys)
    one = np.ones(len(keys))
    return EmotionAgreement(
        rank=_ratio(drawn, areas, one),
        control=_ratio(drawn, dealt, one),
        gain=_ratio(drawn, areas - dealt, one),
        precision=_ratio(drawn, own, spoken),
        recall=_ratio(drawn, own, wanted.sum(1)),
        control_precision=_ratio(drawn, others, dealt_spoken),
        control_recall=_ratio(drawn, others, wanted.sum(1)),
        clips=len(keys),
        silent=int((spoken == 0).sum()),
    )


def emotions_of(caption: str) -> frozenset[str]:
    """Taxonomy keys that a caption says are there."""
    return frozenset(tone.key for tone in parse_caption(caption).tone)


def _score_table(rows: Sequence[Mapping[str, float]]) -> tuple[Floats, list[str]]:
    """(scores [n, e] with NaN where none is given, taxonomy keys of the columns)."""
    from emonet.errors import UnknownNameError
    from emonet.taxonomy import Emotion

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


def _ratio(resampler: Resampler, above: Any, below: Any) -> Interval:
    """Sum over sum, resampled."""
    above, below = np.asarray(above, np.float64), np.asarray(below, np.float64)
    if not below.sum():
        return Interval(math.nan, math.nan, math.nan)
    drawn = []
    for counts in resampler.blocks():
        bottom = counts @ below
        drawn.append(np.divide(counts @ above, bottom, out=np.full(len(bottom), np.nan), where=bottom > 0))
    return percentile_interval(np.concatenate(drawn), float(above.sum() / below.sum()))


def _text_quality(captions: Any, references: Any, resampler: Any) -> TextQuality:
    texts = list(captions.values())
    own: dict[str, Any] = {
        "words": float(np.mean([len(text.split()) for text in texts])),
        "repetition": float(np.mean([repetition(text) for text in texts])),
        "distinct": len(set(texts)) / len(texts),
    }
    if references is None:
        return TextQuality(**own)
    sacrebleu = require("sacrebleu", extra=EXTRA, feature="Comparing captions with references")
    jiwer = require("jiwer", extra=EXTRA, feature="Comparing captions with references")
    keys = [key for key in captions if references.get(key)]
    # sacrebleu takes one list per place of a reference; missing ones are None.
    most = max(len(references[key]) for key in keys)
    columns = [[references[key][at] if at < len(references[key]) else None for key in keys] for at in range(most)]
    said = [captions[key] for key in keys]
    errors, words = zip(*(_nearest(jiwer, captions[key], references[key]) for key in keys), strict=True)
    return TextQuality(
        **own,
        bleu=float(sacrebleu.corpus_bleu(said, columns, force=True).score),
        chrf=float(sacrebleu.corpus_chrf(said, columns).score),
        wer=_ratio(resampler(keys), errors, words),
        exact=float(np.mean([captions[key] in references[key] for key in keys])),
    )


def _nearest(jiwer: Any, caption: str, references: Sequence[str]) -> tuple[int, int]:
    """(word errors, words) of the reference with the lowest rate; case and punctuation do not count."""
    best: tuple[float, int, int] | None = None
    for reference in references:
        wanted, said = _words(reference), _words(caption)
        if not wanted:
            continue
        result = jiwer.process_words(" ".join(wanted), " ".join(said))
        errors = result.substitutions + result.deletions + result.insertions
        if best is None or errors / len(wanted) < best[0]:
            best = (errors / len(wanted), errors, len(wanted))
    return (0, 0) if best is None else best[1:]


def repetition(text: str) -> float:
    """Share of a text's word triples that it has already said, 0..1; 0 for fewer than two triples."""
    words = _words(text)
    triples = Counter(zip(words, words[1:], words[2:], strict=False))
    total = sum(triples.values())
    return 1 - len(triples) / total if total > 1 else 0.0


def _words(text: str) -> list[str]:
    return [word for raw in text.lower().split() if (word := raw.strip(".,;:!?\"'()[]"))]


def plain(value: Any) -> Any:
    """JSON values: tuples as lists, what is not finite as None."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
