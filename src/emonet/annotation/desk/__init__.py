"""What the lead's desk shows, as pure functions of units and judgements: agreement, funnel, raters, consensus.

`look` computes everything at once. No web and no database here; statistics are those of `emonet.statistics`. What each
figure means: docs/annotation.md.
"""

from emonet.annotation.desk._activity import Activity, activity
from emonet.annotation.desk._agreement import Agreement, agreement, agreement_by_dimension, mean_alpha
from emonet.annotation.desk._answers import Answers, tabulate
from emonet.annotation.desk._consensus import (
    Beside,
    ConsensusRow,
    Disagreement,
    beside,
    consensus_rows,
    disagreements,
)
from emonet.annotation.desk._desk import Desk, look
from emonet.annotation.desk._funnel import Funnel, FunnelStage, funnels
from emonet.annotation.desk._raters import RaterDetail, RaterRow, rater_detail, rater_rows

__all__ = [
    "Activity",
    "Agreement",
    "Answers",
    "Beside",
    "ConsensusRow",
    "Desk",
    "Disagreement",
    "Funnel",
    "FunnelStage",
    "RaterDetail",
    "RaterRow",
    "activity",
    "agreement",
    "agreement_by_dimension",
    "beside",
    "consensus_rows",
    "disagreements",
    "funnels",
    "look",
    "mean_alpha",
    "rater_detail",
    "rater_rows",
    "tabulate",
]
