"""`emonet taxonomy`: look the emotions up, or derive a taxonomy of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclopts import App
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emonet.cli._taxonomy_derive import derive
from emonet.cli._taxonomy_review import build, review

if TYPE_CHECKING:
    from emonet.taxonomy import Attribute, Emotion

app = App(
    name="taxonomy", help="The 40 emotions with their names in every release; a taxonomy of your own from a book."
)
app.command(derive)
app.command(review)
app.command(build)


@app.command(name="list")
def list_names(*, attributes: bool = False, plain: bool = False) -> None:
    """List the emotions by group.

    Parameters
    ----------
    attributes
        List the attributes of faces and voices as well.
    plain
        Print only the keys, one a line, for scripts.
    """
    # A faulty file of EMONET_TAXONOMY shows here and not when the command line is imported.
    from emonet.taxonomy import ATTRIBUTES, EMOTIONS, GROUPS

    if plain:
        keys = [record.key for record in EMOTIONS]
        print("\n".join(keys + [f"{record.modality}:{record.key}" for record in ATTRIBUTES if attributes]))
        return
    console = Console()
    for group in GROUPS:
        table = Table(
            title=Text(group, style="bold"), title_justify="left", box=None, show_header=False, pad_edge=False
        )
        table.add_column(style="cyan", no_wrap=True)
        table.add_column()
        for record in EMOTIONS:
            if record.group == group:
                table.add_row(Text(record.name), Text(", ".join(record.words[:6]), style="dim"))
        console.print(table, "")
    if attributes:
        table = Table("attribute", "of", "from", "to", box=None, pad_edge=False)
        for item in ATTRIBUTES:
            low, high = f"{item.low:g} {item.low_pole}", f"{item.high:g} {item.high_pole}"
            table.add_row(Text(item.name), item.modality, Text(low), Text(high))
        console.print(table)


@app.command
def show(name: str) -> None:
    """Show one emotion or attribute; any release's spelling will do.

    Parameters
    ----------
    name
        For example "Jealousy & Envy", "jealousy_envy" or "model_Jealousy_&_Envy_best.pth".
    """
    from emonet.taxonomy import Emotion, resolve

    record = resolve(name)
    lines = _emotion_lines(record) if isinstance(record, Emotion) else _attribute_lines(record)
    console = Console()
    console.print(Text(record.name, style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False)
    for label, text in lines:
        table.add_row(Text(label, style="dim"), Text(text))
    console.print(table)


def _emotion_lines(record: Emotion) -> list[tuple[str, str]]:
    lines = [("key", record.key), ("group", record.group), ("words", ", ".join(record.words))]
    lines += [(f"in {release}", spelling) for release, spelling in record.aliases.items()]
    lines += [(f"coarse, {corpus}", name) for corpus, name in record.coarse.items()]
    return lines + ([("Hume labels", ", ".join(record.hume))] if record.hume else [])


def _attribute_lines(record: Attribute) -> list[tuple[str, str]]:
    lines = [("key", record.key), ("of", record.modality), ("kind", record.kind)]
    lines += [(f"{level:+d}", text) for level, text in sorted(record.levels.items())]
    if not record.levels:
        lines += [(f"{record.low:g}", record.low_pole), (f"{record.high:g}", record.high_pole)]
    return lines + [(f"in {release}", spelling) for release, spelling in record.aliases.items()]
