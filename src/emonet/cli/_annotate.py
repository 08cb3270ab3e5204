"""`emonet annotate`: people rate pictures and recordings in a browser; the lead watches, settles and exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App
from rich.console import Console
from rich.text import Text

from emonet.cli._annotate_status import status
from emonet.errors import UsageError

if TYPE_CHECKING:
    from emonet.annotation._project import ProjectFolder

app = App(name="annotate", help="Have people rate pictures and recordings: protocols, web pages, agreement, export.")
app.command(status)

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
