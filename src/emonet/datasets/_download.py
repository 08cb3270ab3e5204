"""Download data sets: from the Hub, from web servers, from any storage that fsspec knows."""

from __future__ import annotations

import fnmatch
import os
import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from emonet.datasets._addresses import (
    expand_braces,
    files_under,
    has_wildcard,
    inside,
    is_folder,
    is_http,
    local_path,
    matching,
    name_of,
)
from emonet.datasets._transfer import NOTES, RemoteFile, Watch, check, fetch, is_complete, note_of, remember
from emonet.errors import UnreadableMediaError, UsageError

_HUB = re.compile(
    r"hf://(?P<kind>datasets/)?(?P<repo>(?!datasets/)[^/@]+/[^/@]+)(?:@(?P<revision>[^/]+))?(?:/(?P<path>.*))?$"
)


def download(
    addresses: str | Sequence[str],
    folder: str | os.PathLike[str],
    *,
    sha256: Mapping[str, str] | None = None,
    workers: int = 4,
    watch: Watch | None = None,
    endpoint: str | None = None,
) -> tuple[Path, ...]:
    """Download files into a folder, and return their paths in the order of their addresses and names.

    addresses: `hf://datasets/OWNER/NAME[@REVISION][/PATH]`, http(s):// and whatever else fsspec knows; PATH may be a
    file, a folder or a pattern, and `{000..127}` counts. Files of the Hub and of folders keep their path below it; web
    files have their last name. sha256: name → digest of files whose source tells none; the Hub tells its own. watch:
    called with (name, bytes so far, size). endpoint: of another Hub.

    What was interrupted goes on where it broke off, in this call or a later one; what is there and was checked is not
    read again. Raises `UsageError` for addresses where nothing is, and `UnreadableMediaError` for files that stay cut
    or have other bytes than they should.
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; expected a folder.")
    if workers < 1:
        raise UsageError(f"workers is {workers}; expected 1 or more.")
    given = [addresses] if isinstance(addresses, str) else list(addresses)
    digests = dict(sha256 or {})
    if wrong := [name for name, text in digests.items() if not re.fullmatch("[0-9a-fA-F]{64}", text)]:
        raise UsageError(f"sha256 of {wrong[0]!r} is {digests[wrong[0]]!r}; expected 64 hexadecimal digits.")
    jobs = [job for address in given for job in _jobs(address, digests, endpoint)]
    names = [job.file.name for job in jobs]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{len(double)} names come from two addresses, the first {double[0]!r}; use two folders.")
    if unused := sorted(set(digests) - set(names)):
        raise UsageError(f"sha256 names {unused[0]!r}, which is not among the files: {', '.join(names[:10])}.")
    target.mkdir(parents=True, exist_ok=True)
    return _all(jobs, target, workers, watch)


class _Job:
    """One file. `hub`: arguments for the Hub's library, None for other sources."""

    def __init__(self, file: RemoteFile, hub: Mapping[str, Any] | None = None) -> None:
        self.file, self.hub = file, hub

    def run(self, folder: Path, watch: Watch | None, stop: threading.Event) -> Path:
        if self.hub is None:
            return fetch(self.file, folder, watch=watch, stop=stop)
        return _from_hub(self.file, folder, self.hub, watch)


def _all(jobs: Sequence[_Job], folder: Path, workers: int, watch: Watch | None) -> tuple[Path, ...]:
    stop = threading.Event()
    with ThreadPoolExecutor(min(workers, len(jobs))) as pool:
        futures = [pool.submit(job.run, folder, watch, stop) for job in jobs]
        try:
            return tuple(future.result() for future in futures)
        except BaseException:
            stop.set()
            for future in futures:
                future.cancel()
            raise


def _jobs(address: str, digests: Mapping[str, str], endpoint: str | None) -> list[_Job]:
    """The files of an address."""
    if local_path(address) is not None:
        raise UsageError(f"{address} is on this machine; expected hf://, https:// or another remote address.")
    if address.startswith("hf://"):
        return _hub_jobs(address, endpoint)
    found: list[tuple[str, str]] = []
    for one in expand_braces(address):
        if is_http(one):
            found.append((one, name_of(one)))
        elif is_folder(one):
            found += [(entry.address, inside(entry.address, one)) for entry in files_under(one)]
        elif has_wildcard(one):
            found += [(entry.address, name_of(entry.address)) for entry in matching(one)]
        else:
            found.append((one, name_of(one)))
    if not found:
        raise UsageError(f"{address}: nothing is there; expected files.")
    if odd := [name for _, name in found if not _safe(name)]:
        raise UsageError(f"{address}: {odd[0]!r} is no name for a file.")
    return [_Job(RemoteFile(one, name, digests.get(name, ""))) for one, name in found]


def _hub_jobs(address: str, endpoint: str | None) -> list[_Job]:
    """Files of a repository at one commit, so that a change in between mixes no versions."""
    import huggingface_hub
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    parts = _HUB.match(address)
    if parts is None:
        raise UsageError(f"{address}: expected hf://datasets/OWNER/NAME, with @REVISION and /PATH if needed.")
    kind = "dataset" if parts["kind"] else "model"
    api = huggingface_hub.HfApi(endpoint=endpoint)
    try:
        revision = api.repo_info(parts["repo"], repo_type=kind, revision=parts["revision"]).sha
        tree = list(api.list_repo_tree(parts["repo"], recursive=True, revision=revision, repo_type=kind))
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise UsageError(
            f"{address}: no such repository or revision, or no access to it; log in if it is gated."
        ) from error
    except _faults() as error:
        raise UnreadableMediaError(address, f"the Hub does not answer ({error}); try again") from error
    hub = {"repo_id": parts["repo"], "repo_type": kind, "revision": revision, "endpoint": endpoint}
    wanted = (parts["path"] or "").strip("/")
    jobs = []
    for entry in tree:
        if not isinstance(entry, huggingface_hub.hf_api.RepoFile) or not _wanted(entry.path, wanted):
            continue
        if not _safe(entry.path):
            raise UsageError(f"{address}: {entry.path!r} is no name for a file.")
        digest = entry.lfs.sha256 if entry.lfs is not None else entry.blob_id
        jobs.append(_Job(RemoteFile(f"hf://{parts['repo']}/{entry.path}", entry.path, digest), hub))
    if not jobs:
        raise UsageError(f"{address}: the repository has no such file among its {len(tree)}.")
    return sorted(jobs, key=lambda job: job.file.name)


def _from_hub(file: RemoteFile, folder: Path, hub: Mapping[str, Any], watch: Watch | None) -> Path:
    """The Hub's library resumes and retries by itself, but does not look at the bytes."""
    import huggingface_hub

    path, note = folder / file.name, note_of(file, folder)
    if not is_complete(file, path, note):
        for again in (False, True):
            try:
                huggingface_hub.hf_hub_download(filename=file.name, local_dir=folder, force_download=again, **hub)
            except _faults() as error:
                raise UnreadableMediaError(file.address, f"the Hub does not give it ({error}); try again") from error
            try:
                remember(file, path, note, check(path, file))
                break
            except UnreadableMediaError:
                path.unlink()
                if again:
                    raise
    if watch is not None:
        watch(file.name, path.stat().st_size, path.stat().st_size)
    return path


def _faults() -> tuple[type[Exception], ...]:
    """What the Hub's library raises when the Hub does not answer: by version requests' errors, which are `OSError`, or
    httpx's."""
    try:
        import httpx
    except ModuleNotFoundError:
        return (OSError,)
    return (OSError, httpx.HTTPError)


def _wanted(path: str, wanted: str) -> bool:
    return not wanted or any(
        path == one or path.startswith(f"{one}/") or fnmatch.fnmatchcase(path, one) for one in expand_braces(wanted)
    )


def _safe(name: str) -> bool:
    """Whether a name from elsewhere stays within the folder."""
    parts = name.split("/")
    return not {"", ".", "..", NOTES} & set(parts) and "\\" not in name
