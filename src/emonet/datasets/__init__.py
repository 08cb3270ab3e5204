"""Data sets: records, readers and writers."""

from emonet.datasets._records import RATING_SCHEMA, LabelledSet, Rater, RaterKind, Ratings

__all__ = ["RATING_SCHEMA", "LabelledSet", "Rater", "RaterKind", "Ratings"]
