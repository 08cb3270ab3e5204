"""Arrays to statistics: correlation, agreement, errors, presence, resampling and tests. Only numpy is needed.

NaN means missing on the way in and undefined on the way out; nothing warns. docs/statistics.md defines each figure.
"""

from emonet.statistics._agreement import cronbach_alpha, fleiss_kappa, icc, percent_agreement
from emonet.statistics._alpha import alpha_columns, bootstrap_alpha, krippendorff_alpha
from emonet.statistics._bootstrap import (
    bootstrap_auc,
    bootstrap_kappa,
    bootstrap_mae,
    bootstrap_pearson,
    bootstrap_rmse,
    bootstrap_spearman,
)
from emonet.statistics._columns import (
    mae,
    mae_columns,
    pearson,
    pearson_columns,
    rmse,
    rmse_columns,
    spearman,
    spearman_columns,
)
from emonet.statistics._dawid_skene import DawidSkene, dawid_skene
from emonet.statistics._intervals import (
    auc_interval,
    balanced_accuracy_interval,
    macro_auc_interval,
    macro_spearman_interval,
    mean_interval,
    row_means,
    spearman_interval,
)
from emonet.statistics._kappa import kappa_matrix, weighted_kappa, weighted_kappa_published
from emonet.statistics._presence import auc_columns, balanced_accuracy, calibration_error, macro_f1, roc_auc
from emonet.statistics._ranking import mid_ranks
from emonet.statistics._resampling import (
    LEVEL,
    Interval,
    Resampler,
    bootstrap_mean,
    percentile_interval,
)
from emonet.statistics._tests import Tested, holm, mann_whitney, permutation_test
from emonet.statistics._wilson import wilson

__all__ = [
    "LEVEL",
    "DawidSkene",
    "Interval",
    "Resampler",
    "Tested",
    "alpha_columns",
    "auc_columns",
    "auc_interval",
    "balanced_accuracy",
    "balanced_accuracy_interval",
    "bootstrap_alpha",
    "bootstrap_auc",
    "bootstrap_kappa",
    "bootstrap_mae",
    "bootstrap_mean",
    "bootstrap_pearson",
    "bootstrap_rmse",
    "bootstrap_spearman",
    "calibration_error",
    "cronbach_alpha",
    "dawid_skene",
    "fleiss_kappa",
    "holm",
    "icc",
    "kappa_matrix",
    "krippendorff_alpha",
    "macro_auc_interval",
    "macro_f1",
    "macro_spearman_interval",
    "mae",
    "mae_columns",
    "mann_whitney",
    "mean_interval",
    "mid_ranks",
    "pearson",
    "pearson_columns",
    "percent_agreement",
    "percentile_interval",
    "permutation_test",
    "rmse",
    "rmse_columns",
    "roc_auc",
    "row_means",
    "spearman",
    "spearman_columns",
    "spearman_interval",
    "weighted_kappa",
    "weighted_kappa_published",
    "wilson",
]
