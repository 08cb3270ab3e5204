"""`emonet annotate status`: how far a project is, in a terminal or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from emonet.annotation._project import ProjectFolder
    from emonet.annotation.store import Progress, Remaining


def status(project: Path = Path(), /, *, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Print how far a project is: units, agreement, raters, what is left.

    Parameters
    ----------
    project
        Folder that `emonet annotate init` made.
    json
        One JSON object in place of tables.
    """
    from emonet.annotation._project import read_project_folder
    from emonet.annotation._status import read_desk, status_document
    from emonet.annotation.store import progress, remaining

    found = read_project_folder(project)
    with found.open() as store:
        desk, protocol = read_desk(store)
        done, left = progress(store), remaining(store)
    if json:
        import json as jsons

        print(jsons.dumps(status_document(found.name, protocol, desk, left), ensure_ascii=False, indent=2))
        return 0
    _print_status(Console(), found, desk, done, left)
    return 0


def _print_status(console: Console, project: ProjectFolder, desk: Any, done: Progress, left: Remaining) -> None:
    overall = desk.overall_open or desk.overall
    console.print(
        Text(f"{project.name}: {desk.done} of {desk.units} units settled, {desk.answers} answers", style="bold")
    )
    hours = (
        f", {left.hours.value:.1f} h ({left.hours.low:.1f} to {left.hours.high:.1f})" if left.hours.value > 0 else ""
    )
    console.print(Text(f"still wanted: about {left.ratings.value:.0f} answers{hours}"))
    if overall.units:
        basis = "units asked openly" if desk.overall_open else "all units with two answers or more"
        console.print(Text(f"agreement ({basis}): alpha {_figure(overall.alpha)}, kappa {_figure(overall.kappa)}"))
    if desk.undecided:
        console.print(Text(f"{len(desk.undecided)} disagreements wait for a lead"))
    table = Table(box=None, pad_edge=False)
    for column in ("rater", "answers", "median s", "kappa", "gold missed", "signs"):
        table.add_column(column, justify="left" if column in ("rater", "signs") else "right")
    for row in desk.raters:
        signs = row.signs
        table.add_row(
            row.rater,
            str(signs.answers),
            f"{signs.median_ms / 1000:.1f}",
            f"{row.kappa.value:.2f}",
            f"{signs.gold_failed}/{signs.gold}",
            "; ".join(signs.signs),
        )
    if desk.raters:
        console.print(table)
    elif not done.people:
        console.print(Text("nobody has an account yet; make a link with: emonet annotate invite"))


def _figure(interval: Any) -> str:
    return f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"
