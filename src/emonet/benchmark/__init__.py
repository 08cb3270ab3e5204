"""Every kind of rater compared with people on a labelled set: scores with intervals, ranks, agreement, fairness.

Two named definitions compute the figures, `strict` and `published`; docs/benchmark.md tells how they differ. Names are
loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emonet.benchmark._board import COMMON_SCALES, DEFINITIONS
    from emonet.benchmark._compare import Comparison, compare_results
    from emonet.benchmark._config import Config, read_config, read_set
    from emonet.benchmark._published import published_scores
    from emonet.benchmark._results import (
        HUMAN_CEILING,
        LOWER_IS_BETTER,
        METRICS,
        SCHEMAS,
        Results,
        read_results,
        write_results,
    )
    from emonet.benchmark._run import draw_report, limited, output_folder, run_benchmark
    from emonet.benchmark._score import Analysis, score_raters
    from emonet.benchmark._transfer import Transfer, TransferMap, evaluate_transfer, transfer_map, transfer_maps
    from emonet.benchmark._transfer_files import LabelledScores, read_transfer

_MODULES = {
    "_board": "COMMON_SCALES DEFINITIONS",
    "_compare": "Comparison compare_results",
    "_config": "Config read_config read_set",
    "_published": "published_scores",
    "_results": "HUMAN_CEILING LOWER_IS_BETTER METRICS SCHEMAS Results read_results write_results",
    "_run": "draw_report limited output_folder run_benchmark",
    "_score": "Analysis score_raters",
    "_transfer": "Transfer TransferMap evaluate_transfer transfer_map transfer_maps",
    "_transfer_files": "LabelledScores read_transfer",
}
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = [
    "COMMON_SCALES",
    "DEFINITIONS",
    "HUMAN_CEILING",
    "LOWER_IS_BETTER",
    "METRICS",
    "SCHEMAS",
    "Analysis",
    "Comparison",
    "Config",
    "LabelledScores",
    "Results",
    "Transfer",
    "TransferMap",
    "compare_results",
    "draw_report",
    "evaluate_transfer",
    "limited",
    "output_folder",
    "published_scores",
    "read_config",
    "read_results",
    "read_set",
    "read_transfer",
    "run_benchmark",
    "score_raters",
    "transfer_map",
    "transfer_maps",
    "write_results",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"emonet.benchmark.{_HOME[name]}"), name)
    raise AttributeError(f"module 'emonet.benchmark' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
