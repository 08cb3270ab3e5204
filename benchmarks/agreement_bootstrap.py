"""Bootstrap of rank correlations: this package against the loop one would write with pandas and scipy.

    python benchmarks/agreement_bootstrap.py

20 raters, 40 emotions, 2,500 items, 1,000 resamples of the items; gold is the median of four people on 0 to 7. Half
of the raters give continuous scores, half whole numbers. The loop is timed on a few resamples and scaled. `pandas` is
a package for development only.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from numpy.typing import NDArray

from emonet.statistics import Resampler, bootstrap_spearman, spearman_columns

Floats = NDArray[np.float64]


def made(items: int, raters: int, emotions: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Raters [r, n, d] and gold [n, d] that share a common signal."""
    draw = np.random.default_rng(seed)
    truth = np.maximum(draw.normal(0, 2, (items, emotions)), 0)
    people = np.clip(np.rint(truth + draw.normal(0, 1.5, (4, items, emotions))), 0, 7)
    values = truth + draw.normal(0, 2, (raters, items, emotions))
    values[raters // 2 :] = np.clip(np.rint(values[raters // 2 :]), 0, 7)
    return values, np.median(people, axis=0)


def loop(values: Floats, gold: Floats, resampler: Resampler, resamples: int) -> tuple[Floats, float]:
    """The obvious way: draw rows, correlate columns by name, for every rater; and its seconds."""
    import pandas as pd

    frames = [pd.DataFrame(rater) for rater in values]
    truth = pd.DataFrame(gold)
    counts = next(resampler.blocks())[:resamples].astype(int)
    out = np.full((resamples, len(values), gold.shape[1]), np.nan)
    start = time.perf_counter()
    for number, row in enumerate(counts):
        drawn = np.repeat(np.arange(len(gold)), row)
        reference = truth.iloc[drawn].reset_index(drop=True)
        for rater, frame in enumerate(frames):
            here = frame.iloc[drawn].reset_index(drop=True)
            out[number, rater] = here.corrwith(reference, method="spearman")
    return out, time.perf_counter() - start


def main() -> None:
    """Time both, compare their values, print a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=2500)
    parser.add_argument("--raters", type=int, default=20)
    parser.add_argument("--emotions", type=int, default=40)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--looped", type=int, default=2, help="resamples that the loop is timed on")
    given = parser.parse_args()
    values, gold = made(given.items, given.raters, given.emotions)
    resampler = Resampler(given.items, seed=1, resamples=given.resamples)
    start = time.perf_counter()
    drawn = bootstrap_spearman(values, gold, resampler)
    ours = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    expected, seconds = loop(values, gold, resampler, given.looped)
    theirs = seconds / given.looped * given.resamples
    difference = np.abs(drawn[: given.looped] - expected).max()
    print(f"this package: {ours:.1f} s, peak memory {peak:.0f} MB")
    print(f"the loop: {theirs:.0f} s ({given.looped} resamples timed, scaled)")
    print(f"ratio {theirs / ours:.0f}; largest difference {difference:.1e}")
    spread = drawn.std(axis=0).mean()
    print(f"mean rho {spearman_columns(values[0], gold).mean():.3f}, mean standard error {spread:.4f}")


if __name__ == "__main__":
    main()
