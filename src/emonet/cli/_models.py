"""`emonet models`: list, show, pull, convert and verify models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclopts import App
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emonet.cli._model_files import convert, pull, quantize, verify
from emonet.taxonomy import display_name

if TYPE_CHECKING:
    from emonet.models import Card, Metric, Tier

app = App(
    name="models", help="Models at hand: what they judge, how well, under which licence; LAION's checkpoints converted."
)

for _command in (pull, convert, quantize, verify):
    app.command(_command)


@app.command(name="list")
def list_all() -> None:
    """List the models at hand and LAION's published ones."""
    from emonet.models import list_models

    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)  # to be copied into the next command
    for heading in ("of", "state", "judges", "licence", "size"):
        table.add_column(heading, overflow="fold")
    for listed in list_models():
        card = listed.card
        judged = f"{len(card.dimensions) - len(card.missing)} of {len(card.dimensions)}" if card else ""
        size = f"{listed.gigabytes:.1f} GB" if listed.gigabytes >= 0.1 else f"{listed.gigabytes * 1e3:.1f} MB"
        licence = card.licence.partition(" (")[0] if card else "CC-BY-4.0"
        state = "to pull" if listed.state == "published" else listed.state
        table.add_row(Text(listed.name), listed.modality, state, judged, Text(licence), size)
    Console().print(table)


@app.command
def show(name: str, *, json: bool = False) -> None:
    """Show a model's card: dimensions, measured quality with 95 % intervals, training data, licence, limits.

    Parameters
    ----------
    name
        "face", "voice", a bundle folder or a pulled Hub id.
    json
        Print the card as it is on disk.
    """
    from emonet.models import read_card, resolve_model

    card = read_card(resolve_model(name))
    if json:
        print(card.model_dump_json(indent=2))
        return
    console = Console()
    console.print(Text(card.title, style="bold"), Text(f"{card.id}, revision {card.revision}", style="dim"))
    console.print(_facts(card), "")
    console.print(_dimensions(card), "")
    general = [metric for metric in card.metrics if metric.dimension is None]
    if general:
        console.print(_metric_table(general), "")
    for limit in card.limits:
        console.print(Text(f"- {limit}"))


def _facts(card: Card) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    scale = card.scale.get("*")
    rows = [
        ("judges", f"{card.modality}; {len(card.dimensions) - len(card.missing)} of {len(card.dimensions)} dimensions"),
        ("licence", card.licence),
        ("scale", f"{scale.low:g} to {scale.high:g}: {scale.meaning}" if scale else "see the card"),
        ("neutral means", card.neutral_source or "none"),
        ("heads", f"{card.heads.precision}, {card.heads.bytes / 1e6:.1f} MB, memory-mapped"),
        ("source", card.source),
    ]
    rows += [("precision", _tier_line(tier)) for tier in card.tiers]
    rows += [
        ("trained on", f"{data.name} ({data.licence}), {data.items} items: {data.use}") for data in card.training_data
    ]
    for label, text in rows:
        if text:
            table.add_row(Text(label, style="dim"), Text(text))
    return table


def _tier_line(tier: Tier) -> str:
    if tier.check is None:
        return f"{tier.precision}, not yet compared with fp32"
    verdict = "passed" if tier.check.passed else "refused"
    return (
        f"{tier.precision}, {verdict}: rank correlation with fp32 at least {tier.check.rank_correlation:.4f}, "
        f"mean difference {tier.check.mean_difference:.1e} on {tier.check.data}"
    )


def _dimensions(card: Card) -> Table:
    """One row a dimension: its evidence and measured quality, or why it is not judged."""
    by_dimension: dict[str, list[Metric]] = {}
    for metric in card.metrics:
        if metric.dimension is not None:
            by_dimension.setdefault(metric.dimension, []).append(metric)
    table = Table("dimension", "evidence", "measured on people training never saw", box=None, pad_edge=False)
    for key in card.dimensions:
        evidence = card.evidence.get(key)
        if key in card.missing:
            measured = Text(f"not judged: {card.missing[key]}", style="yellow")
        else:
            measured = Text("; ".join(_figure(metric) for metric in by_dimension.get(key, [])))
        table.add_row(Text(display_name(key, card.modality)), evidence.kind if evidence else "", measured)
    return table


def _metric_table(metrics: list[Metric]) -> Table:
    table = Table("figure", "value [95 % interval]", "n", "data", box=None, pad_edge=False)
    for metric in metrics:
        value = f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"
        table.add_row(Text(metric.name), value, str(metric.n), Text(f"{metric.data} {metric.note}".strip()))
    return table


def _figure(metric: Metric) -> str:
    return f"{metric.name} {metric.value:.2f} [{metric.low:.2f}, {metric.high:.2f}], n = {metric.n}"
