"""Files to estimates: the library's front door."""

from emonet.estimation._estimate import (
    REGION_COLUMNS,
    SCALES,
    STATUSES,
    Estimate,
    Estimates,
    Ranked,
    Scale,
    Status,
    Values,
    clock,
    dimension_columns,
    place,
)
from emonet.estimation._estimator import Estimator, load
from emonet.estimation._files import stream_files
from emonet.estimation._inputs import expand_inputs
from emonet.estimation._models import Estimators, estimate_files
from emonet.estimation._pieces import FaceOptions, Piece, VoiceOptions

__all__ = [
    "REGION_COLUMNS",
    "SCALES",
    "STATUSES",
    "Estimate",
    "Estimates",
    "Estimator",
    "Estimators",
    "FaceOptions",
    "Piece",
    "Ranked",
    "Scale",
    "Status",
    "Values",
    "VoiceOptions",
    "clock",
    "dimension_columns",
    "estimate_files",
    "expand_inputs",
    "load",
    "place",
    "stream_files",
]
