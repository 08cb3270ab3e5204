"""Names for people of what the results call by keys: kinds of raters, metrics, definitions, emotions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emonet.benchmark._results import LOWER_IS_BETTER
from emonet.errors import UnknownNameError
from emonet.taxonomy import Modality, display_name


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of raters is named and drawn: colours of Okabe and Ito, told apart in grey by hatch and marker."""

    label: str
    color: str
    hatch: str
    marker: str


KINDS: Mapping[str, Kind] = {
    "human": Kind("people", "#3c3c3c", "", "D"),
    "bundle": Kind("local model", "#0072b2", "", "o"),
    "multi-shot": Kind("multi-shot prompt", "#e69f00", "////", "^"),
    "zero-shot": Kind("zero-shot prompt", "#56b4e9", "....", "s"),
    "api": Kind("expression service", "#009e73", "\\\\\\\\", "v"),
    "baseline": Kind("trivial rule", "#b5b5b5", "xxxx", "X"),
}
"""In the order in which kinds stand in figures."""
_UNKNOWN = Kind("other", "#cc79a7", "++++", "P")

METRIC_NAMES: Mapping[str, str] = {
    "spearman": "Spearman ρ",
    "pearson": "Pearson r",
    "mae": "MAE",
    "rmse": "RMSE",
    "kappa": "weighted κ",
    "auc": "AUC",
    "balanced_accuracy": "balanced accuracy",
    "calibration_error": "calibration error",
    "refusal_rate": "refused",
    "format_failure_rate": "unreadable answers",
}
METRIC_NOTES: Mapping[str, str] = {
    "spearman": "rank correlation with the people's reference",
    "pearson": "linear correlation with the people's reference",
    "mae": "mean absolute distance from the people's reference, on the common scale",
    "rmse": "root mean squared distance from the people's reference, on the common scale",
    "kappa": "chance-corrected agreement with each person, quadratic weights, averaged over people",
    "auc": "chance that an item that most people call present is scored above one that they call absent",
    "balanced_accuracy": "mean of the shares of present and of absent items that are told rightly",
    "calibration_error": "mean distance between stated probability and share of present items",
    "refusal_rate": "share of requests that were refused",
    "format_failure_rate": "share of requests without a readable answer",
}
AGREEMENT_NAMES: Mapping[str, str] = {
    "alpha_ordinal": "Krippendorff α, ordinal",
    "alpha_interval": "Krippendorff α, interval",
    "alpha_nominal": "Krippendorff α, nominal",
    "icc": "ICC(1,1)",
    "percent": "agreeing pairs",
}
DEFINITION_NOTES: Mapping[str, str] = {
    "strict": (
        "Items are resampled, in whole clusters where the set has them; a rater that says the same of every item has "
        "correlation 0; values are rounded to the people's levels for kappa."
    ),
    "published": (
        "As EmoNet-Face and EmoNet-Voice computed it, to stand beside their printed tables: emotions are resampled "
        "instead of items, undefined correlations are left out, values are cut to whole numbers for kappa."
    ),
}
PERCEIVED = (
    "These are ratings of perceived intensity: how strongly people say that a face or voice shows an emotion. They say "
    "nothing about what the person felt."
)
CEILING = (
    "The human ceiling, “people (leave one out)”, is each person scored against the reference of the others, averaged. "
    "One person is noisier than the mean of several: a rater above it predicts that mean better than one person does, "
    "which is not the same as judging better than people."
)
OTHER_GROUP_COLOR = "#5f8296"


def kind_of(name: str) -> Kind:
    """The kind of this name; a kind that is not known is drawn as "other"."""
    return KINDS.get(name, _UNKNOWN)


def metric_name(metric: str) -> str:
    """For people; keys that are not listed lose their underscores."""
    return METRIC_NAMES.get(metric, metric.replace("_", " "))


def direction(metric: str) -> str:
    """Which end is good."""
    return "lower is better" if metric in LOWER_IS_BETTER else "higher is better"


def dimension_name(key: str, modality: Modality) -> str:
    """Name of an emotion or attribute; a dimension outside the taxonomy keeps its own."""
    try:
        return display_name(key, modality)
    except UnknownNameError:
        return key


def plain(text: str) -> str:
    """Text that can be written as UTF-8 and holds no control character."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else "�" for c in text)


def number(value: float | None, digits: int = 2, *, minus: str = "−", missing: str = "–") -> str:
    """A figure with `digits` decimals; never a negative zero."""
    if value is None or value != value:
        return missing
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        return text.lstrip("-")
    return text.replace("-", minus)


def interval(value: float | None, low: float | None, high: float | None, digits: int = 2, *, minus: str = "−") -> str:
    """ "0.40 [0.35, 0.45]"; without an interval only the value."""
    if value is None or low is None or high is None:
        return number(value, digits, minus=minus)
    low_text, high_text = number(low, digits, minus=minus), number(high, digits, minus=minus)
    return f"{number(value, digits, minus=minus)} [{low_text}, {high_text}]"
