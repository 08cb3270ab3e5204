"""The summary of a run as one HTML page without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from html import escape
from importlib.resources import files as package_files
from string import Template

from emonet.bulk._live import duration
from emonet.bulk._plan import read_sessions
from emonet.bulk._statistics import ShardStatistics, Totals
from emonet.bulk._status import RunStatus, status
from emonet.bulk._storage import Storage
from emonet.reports import NOTE
from emonet.taxonomy import display_name

PAGE = "summary.html"
_SLOWEST, _REASONS, _FAILURES = 20, 25, 100
_SCALES: Mapping[str, str] = {
    "relative": "Score minus the model's score of a neutral face or voice, averaged over samples.",
    "raw": "Raw scores of the model's heads, averaged over samples.",
    "softmax": "Softmax over the emotions, averaged over samples.",
    "calibrated": "Calibrated probability, averaged over samples.",
    "all": "All four scales, averaged over samples.",
}


def write_page(storage: Storage) -> None:
    """Write summary.html into a run's folder."""
    storage.write_text(PAGE, summary_page(status(storage.address), read_sessions(storage)))


def summary_page(run: RunStatus, sessions: Sequence[Mapping[str, float]]) -> str:
    """The page as text."""
    totals = run.totals
    style = package_files("emonet.reports").joinpath("assets", "report.css").read_text(encoding="utf-8")
    page = package_files("emonet.bulk").joinpath("assets", "summary.html").read_text(encoding="utf-8")
    return Template(page).substitute(
        title=f"Bulk run with {escape(run.settings.id)}",
        style=style,
        note=escape(NOTE),
        made=datetime.now(UTC).strftime("Made %Y-%m-%d %H:%M UTC."),
        counts="".join(f"<li>{escape(text)}</li>" for text in _counts(run, totals)),
        facts=_facts(_outcome(run, totals, sessions)),
        reasons=_reasons(totals),
        failures=_failures(run),
        scale=escape(_SCALES[run.settings.values]),
        means=_means(totals),
        slow="".join(_slow(one) for one in sorted(run.done, key=lambda one: -one.wall_s)[:_SLOWEST]),
        settings=_facts((f.name, str(getattr(run.settings, f.name))) for f in fields(run.settings)),
    )


def _counts(run: RunStatus, totals: Totals) -> list[str]:
    said = [f"{totals.shards:,} of {run.shards:,} shards done", f"{totals.samples:,} samples"]
    said += [f"{count:,} {status.replace('_', ' ')}" for status, count in sorted(totals.statuses.items())]
    if totals.repeated:
        said.append(f"{totals.repeated:,} repeated keys left out")
    if run.failed:
        said.append(f"{len(run.failed):,} shards failed")
    return said


def _outcome(run: RunStatus, totals: Totals, sessions: Sequence[Mapping[str, float]]) -> Iterable[tuple[str, str]]:
    yield "input", ", ".join(run.inputs)
    if totals.sound_s:
        yield "sound", f"{totals.sound_s / 3600:,.2f} h, of which {totals.speech_s / 3600:,.2f} h were scored"
    yield "regions scored", f"{totals.regions:,}"
    yield "read", f"{totals.bytes_in / 1e6:,.1f} MB of media"
    yield "written", f"{totals.bytes_out / 1e6:,.1f} MB"
    yield "work", f"{duration(totals.wall_s)} of workers, {duration(totals.cpu_s)} of processors"
    if totals.wall_s:
        rate = f"{totals.samples / totals.wall_s:,.1f} samples a second"
        sound = f", {totals.sound_s / totals.wall_s:,.0f} hours of sound an hour" if totals.sound_s else ""
        yield "one worker", rate + sound
    for session in sessions[-5:]:
        yield (
            "session",
            f"{session['made']:,} shards in {duration(session['seconds'])} by {session['workers']} workers "
            f"({session['executor']}), which stood after {duration(session['ready_s'])}",
        )


def _reasons(totals: Totals) -> str:
    if not totals.reasons:
        return '<p class="soft">None.</p>'
    most = sorted(totals.reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = "".join(
        f'<tr><th scope="row">{escape(reason)}</th><td>{count:,}</td><td>{count / totals.samples:.2%}</td>'
        f'<td class="bar-cell"><span class="share" style="width:{count / most[0][1]:.1%}"></span></td></tr>'
        for reason, count in most[:_REASONS]
    )
    rest = sum(count for _, count in most[_REASONS:])
    more = f'<p class="soft">{rest:,} more for other reasons; the tables name them all.</p>' if rest else ""
    return (
        '<table><thead><tr><th scope="col">reason (# stands for a number)</th><th scope="col">samples</th>'
        f'<th scope="col">share</th><th scope="col"></th></tr></thead><tbody>{rows}</tbody></table>{more}'
    )


def _failures(run: RunStatus) -> str:
    if not run.failed:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(one.shard)}</th><td>{escape(one.reason)}</td></tr>'
        for one in run.failed[:_FAILURES]
    )
    return (
        '<section aria-labelledby="failed"><h2 id="failed">Shards that failed</h2>'
        f"<table><tbody>{rows}</tbody></table></section>"
    )


def _means(totals: Totals) -> str:
    means = sorted(((total / n, n, key) for key, (n, total) in totals.sums.items() if n), reverse=True)
    return "".join(
        f'<tr><th scope="row">{escape(_named(key))}</th><td>{mean:+.3f}</td><td>{n:,}</td></tr>'
        for mean, n, key in means
    )


def _named(column: str) -> str:
    key, dot, scale = column.partition(".")
    return display_name(key) + (f" ({scale})" if dot else "")


def _slow(one: ShardStatistics) -> str:
    cells = (
        f"{one.wall_s:,.1f}", f"{one.samples:,}", f"{one.samples / max(one.wall_s, 1e-9):,.1f}", f"{one.wait_s:,.1f}",
        f"{one.memory_mb:,.0f}", one.worker,
    )  # fmt: skip
    return f'<tr><th scope="row">{escape(one.shard)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'


def _facts(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs)
