"""The rules of a recipe, applied to a survey in their fixed order. Nothing is read or written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from emonet.datasets._records import LabelledSet
from emonet.datasets.curation._balance import balance_items
from emonet.datasets.curation._categories import check_categories, drop_scarce
from emonet.datasets.curation._consensus import label_items, strict_agreement, threshold
from emonet.datasets.curation._copies import (
    COPIES,
    PAIR_SCHEMA,
    drop_copies,
    group_copies,
    picture_copies,
    sound_copies,
)
from emonet.datasets.curation._quality import PictureLimits, SoundLimits, filter_quality
from emonet.datasets.curation._recipe import CopiesRule, Recipe
from emonet.datasets.curation._report import Report, Selection, Step
from emonet.datasets.curation._set import WHOLE
from emonet.datasets.curation._splits import Split, split_items
from emonet.datasets.curation._survey import Survey
from emonet.errors import UsageError


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """`items`: rows that are left, with `split` and, where ratings decided, `label`. `report`: every rule. `copies`:
    the pairs that were found before any was dropped. `split`: None for a set that is not split."""

    items: pl.DataFrame
    report: Report
    copies: pl.DataFrame
    split: Split | None


def decide(recipe: Recipe, surveyed: Survey, rated: Mapping[str, LabelledSet] | None = None) -> Decision:
    """Apply the rules: readable, quality, agreement, threshold, copies, scarce categories, balance, presence of every
    category, split. `rated`: name of a source → its set with ratings; items of other sources keep their own labels.

    Raises `UsageError` when a rule cannot be applied or nothing is left.
    """
    items, report, copies = surveyed.items, Report(), pl.DataFrame(schema=PAIR_SCHEMA)

    def apply(chosen: Selection) -> pl.DataFrame:
        nonlocal report
        report = report.then(chosen.step)
        if chosen.items.is_empty():
            reasons = ", ".join(f"{reason} {n}" for reason, n in chosen.step.reasons.items())
            raise UsageError(
                f"The rule {chosen.step.name!r} leaves nothing of {chosen.step.entered} items ({reasons}). "
                f"It says: {chosen.step.rule} Loosen it."
            )
        return chosen.items

    if recipe.media:
        items = apply(filter_quality(items, _limits(recipe)))
    if recipe.agreement or recipe.threshold:
        items = apply(_agreed(items, recipe, rated or {}))
    if recipe.copies is not None:
        copies = _found(items, surveyed, recipe.copies)
        items = group_copies(items, copies)
        if recipe.copies.drop:
            items = apply(drop_copies(items, prefer=recipe.copies.prefer, label=recipe.copies.label)).drop(COPIES)
    categories = recipe.categories
    if categories is not None and categories.drop_scarce:
        items = apply(drop_scarce(items, categories.column, least=categories.least))
    if recipe.balance is not None:
        rule = recipe.balance
        items = apply(balance_items(items, rule.by, most=rule.most, ratio=rule.ratio, seed=recipe.seed))
    if categories is not None:
        items = apply(
            check_categories(
                items,
                categories.column,
                categories=categories.categories,
                least=categories.least,
                required=categories.required,
            )
        )
    return _split(items, recipe, report, copies)


def _limits(recipe: Recipe) -> SoundLimits | PictureLimits:
    """The recipe's limits; without any, only what cannot be read goes."""
    if (limits := recipe.limits()) is not None:
        return limits
    return (
        SoundLimits(min_duration_s=None, min_rms_db=None, max_clipped=None)
        if recipe.modality == "voice"
        else PictureLimits()
    )


def _agreed(items: pl.DataFrame, recipe: Recipe, rated: Mapping[str, LabelledSet]) -> Selection:
    """Items of rated sources with an emotion that passes every rule, labelled by it; those of other sources as they
    are."""
    labels: dict[str, str] = {}
    rules, facts = [], {}
    for name, labelled in rated.items():
        chosen = None
        if recipe.agreement is not None:
            chosen = strict_agreement(labelled, raters=recipe.agreement.raters, on=recipe.agreement.on)
        pairs = chosen.items if chosen is not None else None
        if chosen is not None:
            rules.append(chosen.step.rule)
            facts[name] = {"pairs": chosen.step.entered, "pairs that passed": chosen.step.kept, **chosen.step.facts}
        if recipe.threshold is not None:
            rule = recipe.threshold
            over = threshold(labelled, rule.least, how=rule.how, raters=rule.raters)
            rules.append(over.step.rule)
            pairs = (
                over.items
                if pairs is None
                else pairs.join(over.items.select("item", "dimension"), on=["item", "dimension"])
            )
        assert pairs is not None
        mine = items.filter(pl.col("stream") == name)
        told = label_items(mine.select(item="key"), pairs)
        labels |= {f"{name}\0{item}": label for item, label in told.items.select("item", "label").iter_rows()}
    place = pl.concat_str("stream", pl.lit("\0"), "key")
    ours = pl.col("stream").is_in(list(rated))
    own = pl.col("label").cast(pl.String) if "label" in items.columns else pl.lit(None, pl.String)
    agreed = place.replace_strict(labels, default=None, return_dtype=pl.String)
    labelled_items = items.with_columns(label=pl.when(ours).then(agreed).otherwise(own))
    gone = items.filter(ours).filter(place.is_in(list(labels)).not_())
    kept = labelled_items.filter(~ours | place.is_in(list(labels)))
    step = Step(
        "agreement",
        " ".join(dict.fromkeys(rules)) + " Items without such an emotion go.",
        len(items),
        len(kept),
        gone.select("item", reason=pl.lit("no emotion was agreed on"), detail=pl.lit("")),
        facts,
    )
    return Selection(kept, step)


def _found(items: pl.DataFrame, surveyed: Survey, rule: CopiesRule) -> pl.DataFrame:
    names = items["item"].to_list()
    pictures = [name for name in names if name in surveyed.pictures]
    sounds = [name for name in names if name in surveyed.sounds]
    return pl.concat(
        [
            picture_copies(pictures, [surveyed.pictures[name] for name in pictures], rule.picture),
            sound_copies(sounds, [surveyed.sounds[name] for name in sounds], rule.sound),
        ]
    )


def _split(items: pl.DataFrame, recipe: Recipe, report: Report, copies: pl.DataFrame) -> Decision:
    rule = recipe.split
    if rule is None:
        return Decision(items.with_columns(split=pl.lit(WHOLE)), report, copies, None)
    marked = items
    by = list(rule.by)
    if COPIES in items.columns:  # copies that stay must stay together; an item without a copy belongs to none
        marked = items.with_columns(pl.col(COPIES).fill_null(-1 - pl.int_range(pl.len())))
        by.append(COPIES)
    split = split_items(
        marked, shares=rule.shares, by=by, stratify=rule.stratify, unknown=rule.unknown, seed=recipe.seed
    )
    joined = items.drop("split", strict=False).join(split.table, on="item", how="left", maintain_order="left")
    return Decision(joined, report, copies, split)
