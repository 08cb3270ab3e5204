"""Estimates of whole data sets: one shard in, one shard out, on one machine or many.

A run is a folder. A shard is done when its statistics file exists, which is written last; whatever stops a run, the
next one goes on with the shards that are not done. How to use it: docs/bulk.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emonet.bulk._executor import Event, Executor, Failed, Finished, Progress
    from emonet.bulk._plan import Calibration, Plan, calibrate, plan
    from emonet.bulk._pool import ProcessPool
    from emonet.bulk._ray import RayCluster
    from emonet.bulk._run import Summary, run
    from emonet.bulk._settings import Settings, choose_settings
    from emonet.bulk._shard import Annotator
    from emonet.bulk._slurm import script
    from emonet.bulk._statistics import ShardStatistics, Totals
    from emonet.bulk._status import RunStatus, status
    from emonet.bulk._storage import Storage

_WHERE = {
    "Annotator": "_shard",
    "Calibration": "_plan",
    "Event": "_executor",
    "Executor": "_executor",
    "Failed": "_executor",
    "Finished": "_executor",
    "Plan": "_plan",
    "ProcessPool": "_pool",
    "Progress": "_executor",
    "RayCluster": "_ray",
    "RunStatus": "_status",
    "Settings": "_settings",
    "ShardStatistics": "_statistics",
    "Storage": "_storage",
    "Summary": "_run",
    "Totals": "_statistics",
    "calibrate": "_plan",
    "choose_settings": "_settings",
    "plan": "_plan",
    "run": "_run",
    "script": "_slurm",
    "status": "_status",
}

__all__ = [
    "Annotator",
    "Calibration",
    "Event",
    "Executor",
    "Failed",
    "Finished",
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
    "calibrate",
    "choose_settings",
    "plan",
    "run",
    "script",
    "status",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"emonet.bulk.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
