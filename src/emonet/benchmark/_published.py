"""Results that others published, to set one's own beside them.

`published.csv` was typed from the papers, LAION's blog and repositories; each row names its source and says when the
value was read off a figure. Nothing in it was measured by this package.
"""

from __future__ import annotations

from importlib.resources import files

import polars as pl

from emonet.errors import UnknownNameError

PUBLISHED_SCHEMA = pl.Schema(
    {
        "set": pl.String(),
        "rater": pl.String(),
        "kind": pl.String(),
        "metric": pl.String(),
        "dimension": pl.String(),
        "value": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "source": pl.String(),
    }
)
"""Columns of `published_scores`."""


def published_scores(set: str | None = None) -> pl.DataFrame:
    """Published values: columns set, rater, kind, metric, dimension, value, low, high, source.

    set: only this one's rows: emonet-face-hq, emonet-voice (the names that the readers give), emolia-bench, ferd,
    affectnet, emodb or ravdess. `dimension` is a taxonomy key, in the last four the corpus's class, null for the mean
    over all. `low` and `high` are the published 95 % interval, null where there is none. Metrics are named like those
    of a benchmark's own results; others are:

    - `kappa_with:<rater>`: mean over emotions of the kappa of two raters; `kappa_median`: median over a kind's raters
      and emotions (the rater is "group: ...").
    - `spearman_mean_reference`: Spearman against the people's mean, where the paper takes the median.
    - `kappa_calibrated`, `kappa_calibrated_reliable_five`: a third party's kappa after quantile calibration.
    - `cronbach_alpha`, `fleiss_kappa_binary`, `fleiss_kappa_ordinal`, `percent_agreement`: agreement of people.
    - `lenient_recall`: share of items whose class is among those that LAION's rule accepts, which may be several;
      `lenient_recall_affectnet_map`, `top1_accuracy`, `summed_softmax_accuracy`, `accuracy`: their neighbours.

    Raises `UnknownNameError` for a set without published results.
    """
    path = files("emonet.benchmark").joinpath("published.csv")
    table = pl.read_csv(path.read_bytes(), schema=PUBLISHED_SCHEMA)
    if set is None:
        return table
    known = table["set"].unique(maintain_order=True).to_list()
    if set not in known:
        raise UnknownNameError("set with published results", set, known)
    return table.filter(pl.col("set") == set)
