"""`emonet taxonomy review | build`: what people made of a derivation, and the taxonomy file that it becomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from emonet.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from emonet.taxonomy.derivation import Review


def review(
    file: Path,
    /,
    *,
    merge: list[tuple[str, str]] | None = None,
    split: list[tuple[str, str, str]] | None = None,
    move: list[tuple[str, str]] | None = None,
    rename: list[tuple[str, str]] | None = None,
    drop: list[str] | None = None,
    compare: Path | None = None,
) -> int:
    """Print and check a review file, and show what changed since it was proposed.

    Editing options change the file, in the order merge, split, move, rename, drop; remarks stay. Exit code: 1 when no
    taxonomy can be built from it yet.

    Parameters
    ----------
    file
        review.md of a derivation, or its folder.
    merge
        INTO OTHER: put the words of OTHER into INTO.
    split
        CATEGORY NEW "WORD, WORD": put words of a category under a new one.
    move
        WORD CATEGORY: move a word's line.
    rename
        OLD NEW: give a category another name.
    drop
        A category or a word, which goes under "## (dropped)".
    compare
        Folder of another derivation: adjusted mutual information and common words.
    """
    from rich.console import Console

    from emonet.taxonomy.derivation import changes, faults, read_review, remarks

    path = file / "review.md" if file.is_dir() else file
    found = _edited(read_review(path), path, merge, split, move, rename, drop)
    console = Console()
    _show_review(found, console)
    proposal = path.with_name("proposal.md")
    if proposal.exists():
        made = changes(read_review(proposal), found)
        console.print("\nchanges since the proposal:" if made else "\nnothing changed since the proposal")
        for change in made:
            console.print(f"  {change.text}", markup=False, highlight=False, soft_wrap=True)
    for line in remarks(found):
        console.print(f"note: {line}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if compare is not None:
        _show_comparison(path.parent, compare, console)
    wrong = faults(found)
    for line in wrong:
        console.print(f"{path}, {line}", style="red", markup=False, highlight=False, soft_wrap=True)
    return 1 if wrong else 0


def build(file: Path, /, *, output: Annotated[Path, Parameter(name=["--output", "-o"])]) -> int:
    """Make the taxonomy file of a review file; the environment variable EMONET_TAXONOMY puts it in use.

    Parameters
    ----------
    file
        review.md of a derivation, or its folder.
    output
        The taxonomy, a .json file.
    """
    from emonet.taxonomy import read_taxonomy, write_taxonomy
    from emonet.taxonomy.derivation import build_taxonomy, read_review

    if output.suffix.casefold() != ".json":
        raise UsageError(f"--output {output}: expected a name that ends with .json.")
    taxonomy = build_taxonomy(read_review(file / "review.md" if file.is_dir() else file))
    write_taxonomy(taxonomy, output)
    read = read_taxonomy(output)
    words = sum(len(emotion.words) for emotion in read.emotions)
    print(f"{output}: {len(read.emotions)} emotions in {len(read.groups)} groups, {words} words")
    print(f"use it with: export EMONET_TAXONOMY={output.resolve()}")
    return 0


def _edited(
    review: Review,
    path: Path,
    merges: list[tuple[str, str]] | None,
    splits: list[tuple[str, str, str]] | None,
    moves: list[tuple[str, str]] | None,
    renames: list[tuple[str, str]] | None,
    drops: list[str] | None,
) -> Review:
    """The review after the asked edits, which are written when there are any."""
    from emonet.taxonomy.derivation import drop, merge, move, rename, split, write_review

    before = review
    for into, other in merges or ():
        review = merge(review, into, other)
    for name, new, words in splits or ():
        review = split(review, name, new, [word.strip() for word in words.split(",") if word.strip()])
    for word, to in moves or ():
        review = move(review, word, to)
    for old, new in renames or ():
        review = rename(review, old, new)
    for name in drops or ():
        review = drop(review, name)
    if review.text != before.text:
        write_review(review, path)
    return review


def _show_review(review: Review, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print(Text(review.title or review.file, style="bold"))
    table = Table("line", "category", "group", "words", box=None, pad_edge=False)
    for section in review.sections:
        style = "" if section.is_category else "dim"
        words = Text(", ".join(section.words), style="dim")
        table.add_row(str(section.line), Text(section.name, style=style), Text(section.group, style=style), words)
    console.print(table)
    words_built = sum(len(section.words) for section in review.categories)
    console.print(f"{len(review.categories)} categories, {words_built} words", highlight=False)


def _show_comparison(folder: Path, other: Path, console: Console) -> None:
    from emonet.taxonomy.derivation import compare

    console.print(f"\nagreement with {other}:", markup=False, highlight=False)
    for name, value in compare(folder, other).items():
        shown = f"{value:.3f}" if isinstance(value, float) else json.dumps(value)
        console.print(f"  {name.replace('_', ' ')}: {shown}", markup=False, highlight=False)
