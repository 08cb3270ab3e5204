"""Bootstrap of rank correlations: this package against the loops one would write with pandas and scipy.

    python -m benchmarks.agreement_bootstrap

20 raters, 40 emotions, 2,500 items, 1,000 resamples of the items; gold is the median of four people on 0 to 7. Half
of the raters give continuous scores, half whole numbers. Both loops rank every resample anew: `pandas` correlates the
columns of one rater after the other, `scipy` ranks all raters and emotions in one call. They are timed on a few
resamples, the same ones as this package draws, and scaled to all of them. Needs: pip install pandas scipy
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import scipy.stats
from numpy.typing import NDArray

from emonet.statistics import Resampler, bootstrap_spearman

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def made(items: int, raters: int, emotions: int, missing: float) -> tuple[Floats, Floats]:
    """Raters [r, n, d] and gold [n, d] that share a signal; a share of the ratings is `missing`."""
    draw = np.random.default_rng(0)
    truth = np.maximum(draw.normal(0, 2, (items, emotions)), 0)
    people = np.clip(np.rint(truth + draw.normal(0, 1.5, (4, items, emotions))), 0, 7)
    values = truth + draw.normal(0, 2, (raters, items, emotions))
    values[raters // 2 :] = np.clip(np.rint(values[raters // 2 :]), 0, 7)
    values[draw.random(values.shape) < missing] = np.nan
    return values, np.median(people, axis=0)


def pandas_loop(values: Floats, gold: Floats, drawn: Rows) -> Floats:
    """Correlations [r, d] of drawn rows: one `corrwith` per rater."""
    reference = pd.DataFrame(gold[drawn])
    return np.stack([pd.DataFrame(rater[drawn]).corrwith(reference, method="spearman") for rater in values])


def scipy_loop(values: Floats, gold: Floats, drawn: Rows) -> Floats:
    """Correlations [r, d] of drawn rows without missing values: ranks of everything, then products."""
    x, y = (scipy.stats.rankdata(table[..., drawn, :], axis=-2) for table in (values, gold))
    x, y = x - x.mean(axis=-2, keepdims=True), y - y.mean(axis=-2, keepdims=True)
    return np.asarray((x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=0)))


def looped(
    way: Callable[[Floats, Floats, Rows], Floats], values: Floats, gold: Floats, resampler: Resampler, resamples: int
) -> tuple[Floats, float]:
    """([resamples, r, d], seconds) of a loop over the first resamples."""
    counts = next(resampler.blocks())[:resamples].astype(int)
    start = time.perf_counter()
    out = np.stack([way(values, gold, np.repeat(np.arange(len(gold)), row)) for row in counts])
    return out, time.perf_counter() - start


def main() -> None:
    """Time this package and the loops, compare their figures, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=2500)
    parser.add_argument("--raters", type=int, default=20)
    parser.add_argument("--emotions", type=int, default=40)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--looped", type=int, default=3, help="resamples that the loops are timed on")
    parser.add_argument("--missing", type=float, default=0.0, help="share of ratings that are missing")
    parser.add_argument("--threads", type=int, help="of this package; all cores unless given")
    given = parser.parse_args()
    values, gold = made(given.items, given.raters, given.emotions, given.missing)
    resampler = Resampler(given.items, seed=1, resamples=given.resamples)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start, used = time.perf_counter(), time.process_time()
    drawn = bootstrap_spearman(values, gold, resampler, threads=given.threads)
    ours, used = time.perf_counter() - start, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = f"{given.raters} raters x {given.emotions} emotions x {given.items} items x {given.resamples} resamples"
    print(f"{size}, {given.missing:.0%} of the ratings missing")
    print(f"emonet: {ours:.1f} s ({used:.1f} s of CPU time), memory {before:.0f} MB before, at most {peak:.0f} MB")
    ways = {"pandas": pandas_loop} if given.missing else {"pandas": pandas_loop, "scipy": scipy_loop}
    for name, way in ways.items():
        expected, seconds = looped(way, values, gold, resampler, given.looped)
        seconds *= given.resamples / given.looped
        difference = np.abs(drawn[: given.looped] - expected).max()
        print(
            f"{name}: {seconds:.0f} s (scaled from {given.looped} resamples), {seconds / ours:.0f} times as long;",
            end=" ",
        )
        print(f"largest difference {difference:.1e}")


if __name__ == "__main__":
    main()
