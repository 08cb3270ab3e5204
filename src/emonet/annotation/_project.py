"""A project on disk: a folder with `project.toml` and, by default, the database beside it. Media stay where they are.

name = "portraits"
database = "sqlite:///annotation.db"     # relative to this folder, or postgresql+psycopg://user@host/name
media = "../portraits"                   # relative to this folder

[serve]
host = "127.0.0.1"
port = 8765
https = false                            # set where raters reach it over https
public_url = ""                          # the address in invitation links
proxies = 0                              # reverse proxies in front
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonet.annotation._media_folder import read_items
from emonet.annotation.protocols import Item, Protocol, make_units
from emonet.errors import UsageError
from emonet.taxonomy import Modality, resolve

if TYPE_CHECKING:
    from emonet.annotation.store import Store

FILE = "project.toml"
DATABASE = "sqlite:///annotation.db"
HOST, PORT = "127.0.0.1", 8765


@dataclass(frozen=True, slots=True)
class ProjectFolder:
    """What `project.toml` says. `folder`: where it lies. `database`: its URL, a SQLite file resolved to its full path.
    `media`: folder below which the items' files lie. `host`, `port`, `https`, `public_url`, `proxies`: how it is
    served."""

    folder: Path
    name: str
    database: str
    media: Path
    host: str = HOST
    port: int = PORT
    https: bool = False
    public_url: str = ""
    proxies: int = 0

    def open(self) -> Store:
        """The project's store, its database brought up to date."""
        from emonet.annotation.store import open_store

        return open_store(self.database)


@dataclass(frozen=True, slots=True)
class Made:
    """A new project: how many items and units it has, what was asked, and remarks on what a lead should know."""

    project: ProjectFolder
    protocol: Protocol
    items: int
    units: int
    remarks: tuple[str, ...]


def read_project_folder(folder: str | Path) -> ProjectFolder:
    """Read `project.toml` of a project's folder, or the file itself. `UsageError` names what does not fit."""
    path = Path(folder)
    path = path if path.name == FILE else path / FILE
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"There is no project in {path.parent}: {FILE} is missing. Make one with: "
            "emonet annotate init --protocol binary FOLDER_OF_MEDIA"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    root = path.parent.resolve()
    serve = _table(given.get("serve", {}), "serve", path)
    _known(given, ("name", "database", "media", "serve"), "", path)
    _known(serve, ("host", "port", "https", "public_url", "proxies"), "serve.", path)
    return ProjectFolder(
        folder=root,
        name=_typed(given, "name", str, root.name, path),
        database=_resolved(_typed(given, "database", str, DATABASE, path), root),
        media=(root / _typed(given, "media", str, ".", path)).resolve(),
        host=_typed(serve, "host", str, HOST, path),
        port=_typed(serve, "port", int, PORT, path),
        https=_typed(serve, "https", bool, False, path),
        public_url=_typed(serve, "public_url", str, "", path),
        proxies=_typed(serve, "proxies", int, 0, path),
    )


def init_project(
    media: str | Path,
    protocol: Protocol,
    *,
    folder: str | Path | None = None,
    name: str = "",
    manifest: str | Path | None = None,
    database: str = DATABASE,
    emotions: Sequence[str] = (),
    modality: Modality | None = None,
    seed: int = 0,
    audit: float = 0.0,
    serve: Mapping[str, Any] | None = None,
) -> Made:
    """Make a project from a folder of media.

    folder: of the project, by default `<media>-annotation` beside the media. emotions: asked about items that the
    manifest or their folder gives none; by default all of the protocol. audit: see `protocols.make_units`. serve:
    settings for the table [serve]. The store is filled first and `project.toml` written last, by rename, so that a
    folder with that file is a whole project. Raises `UsageError` where the folder holds a project already.
    """
    from emonet.annotation.store import Project, create_project, open_store

    root = Path(media).resolve()
    home = (Path(folder) if folder is not None else root.with_name(f"{root.name}-annotation")).resolve()
    if (home / FILE).exists():
        raise UsageError(
            f"{home} already holds a project; go on with it (emonet annotate serve {home}) or pass --into."
        )
    if home == root:
        raise UsageError(f"The project's folder {home} is the media's folder; choose another with --into.")
    items, remarks = _asked_about(read_items(root, manifest=manifest, modality=modality), protocol, emotions)
    units = make_units(protocol, items, seed=seed, audit=audit)
    home.mkdir(parents=True, exist_ok=True)
    project = ProjectFolder(home, name or root.name, _resolved(database, home), root)
    project = replace(project, **dict(serve or {}))
    store = open_store(project.database, create=True)
    try:
        create_project(store, Project(name=project.name, protocol=protocol, seed=seed), items, units)
    finally:
        store.close()
    _write_toml(project, database)
    return Made(project, protocol, len(items), len(units), remarks)


def _asked_about(
    items: Sequence[Item], protocol: Protocol, emotions: Sequence[str]
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Items with the emotions they are asked about, and what the lead should know of it."""
    chosen = tuple(resolve(name, modality=items[0].modality).key for name in emotions)
    if protocol.question in ("sliders", "form"):
        return tuple(replace(item, dimensions=()) for item in items), ()
    if protocol.question in ("pair", "best-worst"):
        # Folders sort items into pools; chosen emotions are asked of everything, whatever it was made for.
        pools = () if chosen else protocol.dimensions
        items = [replace(item, dimensions=tuple(d for d in item.dimensions if d in pools)) for item in items]
        chosen = ()
    bare = [item for item in items if not item.dimensions and not item.gold]
    filled = tuple(
        replace(item, dimensions=chosen) if not item.dimensions and not item.gold else item for item in items
    )
    remarks = []
    if bare and not chosen and len(protocol.dimensions) > 1 and protocol.question == "levels":
        remarks.append(
            f"{len(bare)} of {len(items)} items name no emotion, so each is asked about all "
            f"{len(protocol.dimensions)}. Name it by a folder, a manifest column or --emotions."
        )
    if (protocol.gold_every or protocol.training) and not any(item.gold for item in items):
        remarks.append(
            "There are no items with a known answer (manifest column gold): no practice, no attention checks."
        )
    return filled, tuple(remarks)


def _write_toml(project: ProjectFolder, database: str) -> None:
    media = os.path.relpath(project.media, project.folder)
    lines = [
        f"name = {_quoted(project.name)}",
        f"database = {_quoted(database)}",
        f"media = {_quoted(Path(media).as_posix())}",
        "",
        "[serve]",
        f"host = {_quoted(project.host)}",
        f"port = {project.port}",
        f"https = {str(project.https).lower()}",
        f"public_url = {_quoted(project.public_url)}",
        f"proxies = {project.proxies}",
        "",
    ]
    handle, temporary = tempfile.mkstemp(prefix=f".{FILE}.", dir=project.folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        # Readable by its owner alone: the database's URL may hold a password. mkstemp made it so.
        os.replace(temporary, project.folder / FILE)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _resolved(database: str, folder: Path) -> str:
    """The URL with a relative SQLite path taken from the project's folder."""
    found = re.fullmatch(r"sqlite:///(?!/)(.+)", database)
    if not found or found[1] == ":memory:":
        return database
    return f"sqlite:///{(folder / found[1]).resolve().as_posix()}"


def _table(given: object, name: str, path: Path) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise UsageError(f"{path}: {name} is {given!r}; expected a table [{name}].")
    return given


def _known(table: Mapping[str, Any], names: Sequence[str], prefix: str, path: Path) -> None:
    if stray := next((key for key in table if key not in names), None):
        raise UsageError(f"{path}: unknown setting {prefix}{stray}; known are {', '.join(names)}.")


def _typed(table: Mapping[str, Any], key: str, kind: type, default: Any, path: Path) -> Any:
    value = table.get(key, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UsageError(f"{path}: {key} is {value!r}; expected {kind.__name__}.")
    return value
