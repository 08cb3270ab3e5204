"""Raters of a labelled set: local bundles, prompted models, commercial services, trivial rules."""

from emonet.benchmark.raters._records import REPLY_SCHEMA, Progress, Rated, RaterRunner, Status
from emonet.benchmark.raters._registry import RATER_TYPES, build_rater
from emonet.benchmark.raters._service_rater import ServiceRater

__all__ = [
    "RATER_TYPES",
    "REPLY_SCHEMA",
    "Progress",
    "Rated",
    "RaterRunner",
    "ServiceRater",
    "Status",
    "build_rater",
]
