"""`emonet synthesize voices`: acted clips as shards, offline with eSpeak NG or through services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emonet.errors import UsageError

if TYPE_CHECKING:
    from emonet.synthesis.voices import (
        Balance,
        Effort,
        Generator,
        Listener,
        Release,
        VoicePlan,
        VoiceServices,
    )

_List = Annotated[list[str], Parameter(negative=())]
_LONGEST = 16  # levels of a factor that are printed


def voices(
    *,
    output: Path | None = None,
    voices: _List | None = None,
    emotions: _List | None = None,
    languages: _List | None = None,
    accents: _List | None = None,
    challenges: _List | None = None,
    intensities: _List | None = None,
    takes: int = 1,
    seed: int = 0,
    services: Path | None = None,
    attempts: int = 3,
    max_wer: float = 0.5,
    workers: int = 2,
    layout: Literal["published", "packed"] = "published",
    licence: str = "",
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    quiet: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Record acted speech: voices x emotions x languages x takes clips, as shards in the layout of LAION's Got Talent.

    Without --services everything runs on this machine with eSpeak NG. Interrupted, the same command goes on. Lists are
    given as `--languages en,de` or by repeating the option. Exit code 1 when clips are missing at the end.

    Parameters
    ----------
    output
        Folder of the release: raw/, enhanced/, clips/, manifest.csv, hours.csv, report.json.
    voices
        How many of the eleven, or their names.
    emotions
        Names, or all.
    languages
        en, de, es, fr, or all.
    accents
        Names, none, or auto: all that the speaker has in each language.
    challenges
        Acting challenges, none, or all.
    intensities
        1 (just noticeable) to 4 (as intense as it gets), by default 3 and 4.
    takes
        Clips of each voice, emotion and language.
    seed
        Of the design, the sentences and the takes.
    services
        TOML file that names services for speech, scripts and transcription; docs/voice-acting.md.
    attempts
        Takes of a clip until one passes every check.
    max_wer
        Highest word error rate, where a service transcribes.
    workers
        Processes at a time.
    layout
        A tar for each language, voice and emotion, as published; or 1,000 clips in each.
    licence
        Of the clips, instead of the speaker's.
    dry_run
        Show count, balance, cost and time, and do nothing.
    quiet
        Print nothing but errors.
    """
    from emonet.synthesis.voices import VoiceDesign, plan_voices, synthesize_voices

    if output is None and not dry_run:
        raise UsageError("There is no --output; expected a folder, such as --output talent/ (or --dry-run).")
    design = VoiceDesign(
        voices=_voices(_listed(voices)), emotions=None if _listed(emotions) in ([], ["all"]) else _listed(emotions),
        languages=_languages(_listed(languages)),
        accents=None if _listed(accents) in ([], ["auto"]) else _listed(accents),
        challenges=_challenges(_listed(challenges)), intensities=_levels(_listed(intensities)), takes=takes, seed=seed,
    )  # fmt: skip
    asked = _services(services)
    generator = _generator(asked, output, workers)
    writer, rules = (asked.writer, asked.rules) if asked else (None, None)
    if dry_run:
        _print_plan(plan_voices(design, generator, writer=writer, rules=rules), generator, attempts, workers)
        return 0
    assert output is not None
    with _progress(quiet) as progress:
        made = synthesize_voices(
            design, generator, output, writer=writer, rules=rules, listener=_listener(asked, output), max_wer=max_wer,
            attempts=attempts, workers=workers, layout=layout, licence=licence, progress=progress,
        )  # fmt: skip
    if not quiet:
        _print_release(made)
    return 0 if not made.session.failures and not made.session.pending else 1


def _services(path: Path | None) -> VoiceServices | None:
    if path is None:
        return None
    from emonet.synthesis.voices import read_services

    return read_services(path)


def _generator(asked: VoiceServices | None, output: Path | None, workers: int) -> Generator:
    if asked is None or asked.speaker is None:
        from emonet.synthesis.voices import load_espeak

        return load_espeak(workers=workers)
    from emonet.synthesis.voices import ServiceGenerator
    from emonet.synthesis.voices._remote import cache_folder

    return ServiceGenerator(asked.speaker, cache_folder(output or Path()), asked.protocol, asked.voices, asked.terms)


def _listener(asked: VoiceServices | None, output: Path) -> Listener | None:
    if asked is None or asked.listener is None:
        return None
    from emonet.synthesis.voices import TranscriptionListener
    from emonet.synthesis.voices._remote import cache_folder

    return TranscriptionListener(asked.listener, cache_folder(output))


def _listed(given: Sequence[str] | None) -> list[str]:
    return [one.strip() for text in given or () for one in text.split(",") if one.strip()]


def _languages(given: list[str]) -> Sequence[str]:
    return ("en", "de", "es", "fr") if given == ["all"] else given or ("en",)


def _voices(given: list[str]) -> Sequence[str] | int:
    if given in ([], ["all"]):
        return 11
    return int(given[0]) if len(given) == 1 and given[0].isdigit() else given


def _challenges(given: list[str]) -> Sequence[str]:
    if given == ["all"]:
        from emonet.synthesis.voices._data import challenge_names

        return challenge_names()
    return given or ["none"]


def _levels(given: list[str]) -> Sequence[int]:
    if not given:
        return (3, 4)
    if not all(one.isdigit() for one in given):
        raise UsageError(f"intensities are {', '.join(given)}; expected whole numbers from 1 to 4.")
    return [int(one) for one in given]


def _print_plan(plan: VoicePlan, generator: Generator, attempts: int, workers: int) -> None:
    console = Console(soft_wrap=True)
    console.print(Text(f"{plan.balance.clips:,} clips by {generator.name}; nothing was sent or spoken"))
    _print_balance(plan.balance, console)
    for name, effort in (("recording", plan.recording), ("scripts", plan.writing)):
        if effort is not None:
            console.print(Text(f"{name}: {_effort(effort, workers)}"))
    if plan.recording.cost is not None and attempts > 1:
        most = plan.recording.cost * attempts
        console.print(Text(f"at most {most:.2f} {plan.recording.currency} if every clip needs {attempts} takes"))


def _effort(effort: Effort, workers: int) -> str:
    said = [f"{effort.requests:,} takes" if effort.seconds is not None else f"{effort.requests:,} requests"]
    if effort.seconds is not None:
        said.append(f"about {_time(effort.seconds / workers)} with {workers} processes")
    said.append(f"{effort.cost:.2f} {effort.currency}" if effort.cost is not None else "no price known")
    return "; ".join([*said, *effort.remarks])


def _time(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def _print_balance(balance: Balance, console: Console) -> None:
    table = Table("factor", "levels", "clips of each", "widest difference", box=None, pad_edge=False)
    for name, held in balance.counts.items():
        low, high = min(held.values()), max(held.values())
        each = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        levels = ", ".join(held) if len(held) <= _LONGEST else f"{len(held)} levels"
        table.add_row(name, Text(levels), each, str(balance.spread[name]))
    console.print(table)
    pairs = ", ".join(f"{one} x {other} {width}" for (one, other), width in balance.pairs.items())
    console.print(Text(f"widest difference in pairs: {pairs}", style="dim"))


def _print_release(made: Release) -> None:
    from emonet.synthesis.voices import hours_table

    console = Console(soft_wrap=True)
    session = made.session
    table = Table("group", "name", "hours", "clips", "published hours", box=None, pad_edge=False)
    for row in hours_table(session.clips):
        if row.clips:
            published = "" if row.published is None else f"{row.published:,.0f}"
            table.add_row(row.group, Text(row.name), f"{row.hours:.3f}", f"{row.clips:,}", published)
    console.print(table)
    for failure in session.failures[:_LONGEST]:
        console.print(Text(f"failed: {failure.script.part.key}: {failure.faults[-1]}", style="yellow"))
    if made.replaced:
        console.print(
            Text(f"{len(made.replaced):,} scripts of the model were refused; templates stand there", style="yellow")
        )
    if session.pending:
        console.print(Text(f"{len(session.pending):,} clips were not asked for: the budget is spent", style="yellow"))
    cost = "" if made.cost is None else f"; {made.cost:.4f} spent"
    console.print(
        Text(
            f"{len(session.clips):,} clips ({session.kept:,} were there), {len(session.failures):,} failed, "
            f"{sum(clip.attempt for clip in session.clips):,} retakes{cost}: {made.folder}"
        )
    )


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error, which goes away at the end; nothing where no terminal is."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Bar(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda name, done, total: bar.update(task, description=name, completed=done, total=total)
