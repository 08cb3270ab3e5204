"""`emonet annotate`: people rate pictures and recordings in a browser; the lead watches, settles and exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emonet.errors import UsageError

if TYPE_CHECKING:
    from emonet.annotation._project import ProjectFolder
    from emonet.annotation.store import Progress, Remaining

app = App(name="annotate", help="Have people rate pictures and recordings: protocols, web pages, agreement, export.")

ProtocolName = Literal["binary", "hq", "presence", "pairs", "best-worst", "questionnaire"]


@app.command
def init(
    media: Path,
    /,
    *,
    protocol: ProtocolName = "binary",
    into: Path | None = None,
    name: str = "",
    manifest: Path | None = None,
    emotions: list[str] | None = None,
    raters: int | None = None,
    modality: Literal["face", "voice"] | None = None,
    audit: float = 0.0,
    seed: int = 0,
    database: str = "sqlite:///annotation.db",
    host: str = "127.0.0.1",
    port: int = 8765,
    public_url: str = "",
) -> int:
    """Make a project from a folder of pictures or recordings, and print the first invitation.

    What an item was made for comes from the manifest's column `emotion`, else from the folder it lies in (anger/,
    "Jealousy & Envy"/), else every item is asked about all --emotions. Manifest columns: docs/annotation.md.

    Parameters
    ----------
    media
        Folder of the files. They stay where they are.
    protocol
        binary (yes or no, up to three raters), hq (40 sliders), presence (not, weakly, strongly), pairs, best-worst,
        questionnaire.
    into
        Folder of the project, by default MEDIA-annotation beside it.
    name
        Title that raters see, by default the folder's name.
    manifest
        CSV with one row a file.
    emotions
        Asked about items that name none; for sliders and comparisons: the emotions of the protocol.
    raters
        People a unit, for hq, pairs and best-worst.
    modality
        face takes pictures, voice recordings, where the folder holds both.
    audit
        Share of binary or presence units that all get three raters whatever the answers, for unbiased agreement.
    seed
        Fixes the random order of the work.
    database
        SQLite file below the project's folder, or postgresql://user@host/name.
    host, port, public_url
        Where the pages are served; the address raters use, for links.
    """
    from emonet.annotation import _project as projects

    made = projects.init_project(
        media,
        _protocol(protocol, emotions or [], raters, modality, media, manifest),
        folder=into,
        name=name,
        manifest=manifest,
        database=database,
        emotions=emotions or [],
        modality=modality,
        seed=seed,
        audit=audit,
        serve={"host": host, "port": port, "public_url": public_url},
    )
    console = Console()
    console.print(Text(f"project: {made.project.folder}"))
    console.print(Text(f"{made.items} items, {made.units} units, protocol {made.protocol.name}"))
    for remark in made.remarks:
        console.print(Text(f"note: {remark}"))
    _print_invitation(console, made.project, "admin")
    console.print(Text(f"serve it with: emonet annotate serve {made.project.folder}"))
    return 0


def _protocol(
    name: str,
    emotions: list[str],
    raters: int | None,
    modality: Literal["face", "voice"] | None,
    media: Path,
    manifest: Path | None,
) -> Any:
    """The protocol with the options that it has."""
    from emonet.annotation import protocols
    from emonet.annotation._media_folder import read_items
    from emonet.taxonomy import resolve

    options: dict[str, Any] = {}
    if raters is not None:
        if name not in ("hq", "pairs", "best-worst"):
            raise UsageError(f"--raters {raters}: protocol {name} says itself how many people judge a unit.")
        options["raters"] = raters
    if name != "questionnaire":
        options["modality"] = modality or read_items(media, manifest=manifest)[0].modality
        if emotions and name in ("hq", "pairs", "best-worst"):
            options["dimensions"] = [resolve(emotion, modality=options["modality"]).key for emotion in emotions]
    return protocols.protocol(name, **options)


@app.command
def serve(
    project: Path = Path(),
    /,
    *,
    host: str | None = None,
    port: int | None = None,
    public_url: str | None = None,
    https: bool | None = None,
) -> int:
    """Serve a project's pages until interrupted.

    Parameters
    ----------
    project
        Folder that `emonet annotate init` made.
    host, port, public_url, https
        In place of those in project.toml. Without https, sign-ins travel in the clear: serve other machines
        through a proxy that speaks https, and say so here.
    """
    from dataclasses import replace

    from emonet.annotation._project import read_project_folder
    from emonet.errors import require

    given: dict[str, Any] = {"host": host, "port": port, "public_url": public_url, "https": https}
    found = replace(read_project_folder(project), **{key: value for key, value in given.items() if value is not None})
    uvicorn = require("uvicorn", extra="annotation", feature="Serving the annotation pages")
    from emonet.annotation.web import WebSettings, create_app

    if not found.media.is_dir():
        raise UsageError(f"The media folder {found.media} is missing; set `media` in {found.folder / 'project.toml'}.")
    console = Console(stderr=True)
    if found.host not in ("127.0.0.1", "localhost", "::1") and not found.https:
        console.print(Text("note: other machines can reach this without https; put a proxy in front."))
    store = found.open()
    settings = WebSettings(https=found.https, public_url=found.public_url, proxies=found.proxies)
    console.print(Text(f"{found.name}: {_address(found)}   (Ctrl C ends it)"))
    try:
        uvicorn.run(
            create_app(store, media=found.media, settings=settings),
            host=found.host,
            port=found.port,
            log_level="warning",
            proxy_headers=False,  # the application reads the address itself, as [serve] proxies says
            server_header=False,
        )
    finally:
        store.close()
    return 0


@app.command
def invite(project: Path = Path(), /, *, role: Literal["rater", "lead", "admin"] = "rater", count: int = 1) -> int:
    """Print invitation links, each good for one account.

    Parameters
    ----------
    project
        Folder that `emonet annotate init` made.
    role
        What the person may do: rater, lead (sees the desk, adjudicates), admin (also roles and names).
    count
        How many links.
    """
    from emonet.annotation._project import read_project_folder

    if not 1 <= count <= 1000:
        raise UsageError(f"--count is {count}; expected 1 to 1000.")
    found = read_project_folder(project)
    console = Console()
    for _ in range(count):
        _print_invitation(console, found, role)
    return 0


def _print_invitation(console: Console, project: ProjectFolder, role: Literal["rater", "lead", "admin"]) -> None:
    from emonet.annotation.accounts import invite as make_invitation

    with project.open() as store:
        token = make_invitation(store, role)
    # Printed as it is: wrapping would break the link in a narrow terminal.
    console.print(Text(f"{role} invitation, for one account: {_address(project)}/join/{token}"), soft_wrap=True)


def _address(project: ProjectFolder) -> str:
    if project.public_url:
        return project.public_url.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(project.host, project.host)
    return f"http{'s' * project.https}://{host}:{project.port}"


@app.command
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


@app.command
def export(
    project: Path,
    output: Path,
    /,
    *,
    formats: list[Literal["parquet", "csv", "binary.csv", "hq.csv", "jsonl"]] | None = None,
) -> int:
    """Write the ratings that stand, and every event, into a folder.

    Parameters
    ----------
    project
        Folder that `emonet annotate init` made.
    output
        Folder of the files, made when it is missing.
    formats
        parquet (a rated set, which the benchmark reads), csv, jsonl (every event), and the layouts of LAION's
        binary.csv and hq.csv. By default all that fit the protocol.
    """
    from emonet.annotation._project import read_project_folder
    from emonet.annotation.store import export as write

    found = read_project_folder(project)
    console = Console()
    with found.open() as store:
        for path in write(store, output, formats, media=found.media):
            console.print(Text(str(path)), soft_wrap=True)
    return 0


@app.command
def simulate(
    project: Path = Path(),
    /,
    *,
    raters: int = 5,
    careless: int = 1,
    reliability: float = 0.9,
    share: float = 1.0,
    seed: int = 0,
) -> int:
    """Fill a project with the answers of synthetic raters, to see its pages alive. Not for a project with real people.

    They sign in nowhere; everything else goes the way of real answers: assignment, checks, stages, events.

    Parameters
    ----------
    project
        Folder that `emonet annotate init` made.
    raters
        Careful ones.
    careless
        Ones who answer fast and never look.
    reliability
        Probability that a careful rater looks properly, else the answer is a guess.
    share
        Of the work that is done before the simulation ends, 0 to 1.
    seed
        Fixes what there is to see and what is answered.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from emonet.annotation._project import read_project_folder
    from emonet.annotation._synthetic import fill

    found = read_project_folder(project)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with found.open() as store, Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("units settled", total=None)
        count = fill(
            store,
            raters=raters,
            careless=careless,
            reliability=reliability,
            share=share,
            seed=seed,
            report=lambda settled, units: bar.update(task, completed=settled, total=units),
        )
    Console().print(Text(f"{count} answers; look at the desk with: emonet annotate serve {project}"))
    return 0
