"""Estimates of whole data sets: one shard in, one shard out, on one machine or many.

A run is a folder. A shard is done when its statistics file exists, which is written last; whatever stops a run, the
next one goes on with the shards that are not done. How to use it: docs/bulk.md.
"""

from emonet.bulk._caption_data import CaptionData, CaptionShard, caption_data, paraphrasing_cost
from emonet.bulk._executor import Event, Executor, Failed, Finished, Progress, Workforce
from emonet.bulk._plan import Calibration, Plan, calibrate, plan
from emonet.bulk._pool import ProcessPool
from emonet.bulk._ray import RayCluster
from emonet.bulk._run import Summary, Watch, run
from emonet.bulk._settings import Settings, choose_settings
from emonet.bulk._shard import Annotator
from emonet.bulk._slurm import script
from emonet.bulk._statistics import Output, ShardStatistics, Totals
from emonet.bulk._status import RunStatus, status
from emonet.bulk._storage import Storage

__all__ = [
    "Annotator",
    "Calibration",
    "CaptionData",
    "CaptionShard",
    "Event",
    "Executor",
    "Failed",
    "Finished",
    "Output",
    "Plan",
    "ProcessPool",
    "Progress",
    "RayCluster",
    "RunStatus",
    "Settings",
    "ShardStatistics",
    "Storage",
    "Summary",
    "Totals",
    "Watch",
    "Workforce",
    "calibrate",
    "caption_data",
    "choose_settings",
    "paraphrasing_cost",
    "plan",
    "run",
    "script",
    "status",
]
