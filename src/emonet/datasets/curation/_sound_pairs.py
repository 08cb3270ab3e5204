"""Which recordings are copies of one another: looked up by equal bits, confirmed by the share of different ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emonet.datasets.curation._sound_signature import HOP_S, SoundSignature

_CROWD = 64
"""A word of bits that more frames have is no sign of a copy; it is left out of the look-up."""
_AT_ONCE = 4_000_000  # pairs of frames held together: bounds the memory
_NEAR = 1  # hops by which the best alignment may differ from that of the equal bits


@dataclass(frozen=True, slots=True)
class SoundMatch:
    """Recordings `a` < `b` by number. `offset_s`: where b starts in a, in seconds; negative when it starts before.
    `error`: share of different bits in the frames that both hold and where both are loud. `shared_s`: their length."""

    a: int
    b: int
    offset_s: float
    error: float
    shared_s: float


def matching_sounds(
    signatures: Sequence[SoundSignature], *, error: float = 0.25, shared_s: float = 1.0, part: float = 0.8
) -> list[SoundMatch]:
    """The best alignment of each pair of recordings that has at most `error` different bits over at least `shared_s`
    seconds, or over `part` of the loud frames of the shorter recording when that is less.

    Fewer frames agree more easily by chance: below `shared_s` the error allowed shrinks with the time compared.
    Two frames with the very same 32 bits make a candidate. A copy so damaged that it has none is not found.
    """
    best: dict[tuple[int, int], SoundMatch] = {}
    for a, b, offset in _candidates(signatures):
        needed = min(shared_s / HOP_S, part * min(signatures[a].loud.sum(), signatures[b].loud.sum()))
        for near in range(offset - _NEAR, offset + _NEAR + 1):
            share, frames = _error(signatures[a], signatures[b], near)
            if share > error * min(1.0, frames * HOP_S / shared_s) or frames < max(1.0, needed):
                continue
            held = best.get((a, b))
            # Of alignments of a steady sound the longest is taken: a copy matches in all of its length.
            if held is None or (round(held.shared_s / HOP_S), -held.error) < (frames, -share):
                best[a, b] = SoundMatch(a, b, near * HOP_S, share, frames * HOP_S)
    return [best[pair] for pair in sorted(best)]


def _candidates(signatures: Sequence[SoundSignature]) -> Iterator[tuple[int, int, int]]:
    """(a, b, offset in hops), a < b, wherever two loud frames have the same bits."""
    if not signatures:
        return
    words = np.concatenate([one.bits[one.loud] for one in signatures])
    owner = np.repeat(np.arange(len(signatures)), [int(one.loud.sum()) for one in signatures])
    place = np.concatenate([np.flatnonzero(one.loud) for one in signatures])
    order = np.argsort(words, kind="stable")
    words, owner, place = words[order], owner[order], place[order]
    starts = np.flatnonzero(np.concatenate([[True], words[1:] != words[:-1]])) if len(words) else np.empty(0, np.int64)
    sizes = np.diff(np.concatenate([starts, [len(words)]]))
    crowded = np.repeat(sizes > _CROWD, sizes)
    words, owner, place = words[~crowded], owner[~crowded], place[~crowded]
    found = [np.empty((0, 3), np.int64)]
    held = 0
    for step in range(1, _CROWD):
        if step >= len(words):
            break
        same = (words[step:] == words[:-step]) & (owner[step:] != owner[:-step])
        if not same.any():
            continue
        a, b = owner[:-step][same], owner[step:][same]
        # Sorting was stable and recordings came in order, so that a < b.
        found.append(np.stack([a, b, place[:-step][same] - place[step:][same]], axis=1))
        held += len(a)
        if held > _AT_ONCE:
            found, held = [np.unique(np.concatenate(found), axis=0)], 0
    for a, b, offset in np.unique(np.concatenate(found), axis=0):
        yield int(a), int(b), int(offset)


def _error(a: SoundSignature, b: SoundSignature, offset: int) -> tuple[float, int]:
    """Share of different bits and number of frames compared, when b starts `offset` hops after a."""
    start, end = max(0, offset), min(len(a.bits), len(b.bits) + offset)
    if end <= start:
        return 1.0, 0
    both = a.loud[start:end] & b.loud[start - offset : end - offset]
    frames = int(both.sum())
    if not frames:
        return 1.0, 0
    different: NDArray[np.uint8] = np.bitwise_count(a.bits[start:end] ^ b.bits[start - offset : end - offset])
    return float(different[both].sum()) / (32 * frames), frames
