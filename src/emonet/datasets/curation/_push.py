"""A finished data set to the Hugging Face Hub: what would be sent, and, only when told so, sending it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emonet.datasets.curation._card import CARD, FIGURES
from emonet.datasets.curation._set import SET_FILE, as_json, file_facts, read_set, write_text
from emonet.datasets.curation._validate import Finding, Validation
from emonet.errors import EmonetError, UsageError

VALIDATION = "validation.json"


@dataclass(frozen=True, slots=True)
class Push:
    """`files`: (path, bytes) of what is sent, in order. `problems`: why the set should not be sent as it is. `sent`:
    whether it was. `url`: of the commit, else of the repository."""

    repository: str
    files: tuple[tuple[str, int], ...]
    problems: tuple[str, ...]
    sent: bool
    url: str

    @property
    def bytes(self) -> int:
        """Size of everything."""
        return sum(size for _, size in self.files)


def push_dataset(
    folder: Path,
    repository: str,
    *,
    dry_run: bool = True,
    private: bool = True,
    revision: str | None = None,
    message: str | None = None,
    force: bool = False,
    token: str | None = None,
    endpoint: str | None = None,
) -> Push:
    """Send the set in `folder` to the data set `repository` ("owner/name") as one commit.

    dry_run: only say what would be sent; nothing leaves the machine. private: of a repository that is made anew. An
    existing one keeps its own setting. revision: branch, by default main. token: by default the one that was stored by
    the Hub's own command. endpoint: of another Hub. A set with problems (no card, not validated, unfit, or files
    changed since) is not sent unless `force`. Shards that an earlier commit left in `data/` are removed.
    Raises `UsageError` for a set that may not be sent or a name that is none, `EmonetError` when the Hub refuses.
    """
    owner, _, name = repository.partition("/")
    if not owner or not name or "/" in name:
        raise UsageError(f"The repository is {repository!r}; expected owner/name.")
    folder = Path(folder)
    facts, _ = read_set(folder)
    files = _files(folder, [file.path for file in facts.files])
    problems = _problems(folder)
    home = f"{(endpoint or 'https://huggingface.co').rstrip('/')}/datasets/{repository}"
    if dry_run:
        return Push(repository, files, problems, sent=False, url=home)
    if problems and not force:
        raise UsageError(f"{folder} was not sent: {'; '.join(problems)}. Mend this, or send it all the same: force.")
    url = _send(folder, repository, [path for path, _ in files], private, revision, message, token, endpoint)
    return Push(repository, files, problems, sent=True, url=url)


def write_validation(folder: Path, validation: Validation) -> Path:
    """Keep what was found beside the set, with the hash of the set that it was found on."""
    told = {"dataset_sha256": _sha256(folder), "ok": validation.ok, **asdict(validation)}
    write_text(folder / VALIDATION, as_json(told))
    return folder / VALIDATION


def read_validation(folder: Path) -> Validation | None:
    """What was found on the set as it is now; None when it was never validated or changed since."""
    try:
        told: dict[str, Any] = json.loads((folder / VALIDATION).read_text(encoding="utf-8"))
        if told["dataset_sha256"] != _sha256(folder):
            return None
        findings = tuple(Finding(**{**one, "examples": tuple(one["examples"])}) for one in told["findings"])
        return Validation(told["items"], tuple(told["checks"]), findings)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _files(folder: Path, listed: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """What belongs to the set, and nothing else that may lie in its folder."""
    card = sorted(path for path in (folder / FIGURES).glob("*.png")) if (folder / FIGURES).is_dir() else []
    extra = [name for name in (CARD, SET_FILE, VALIDATION) if (folder / name).is_file()]
    names = [*extra, *(path.relative_to(folder).as_posix() for path in card), *listed]
    lost = [name for name in names if not (folder / name).is_file()]
    if lost:
        raise UsageError(f"{folder}: {lost[0]} is missing; build the set again.")
    return tuple((name, (folder / name).stat().st_size) for name in names)


def _problems(folder: Path) -> tuple[str, ...]:
    facts, _ = read_set(folder)
    found = []
    if not (folder / CARD).is_file():
        found.append("it has no card (emonet dataset card)")
    changed = [file.path for file in facts.files if file_facts(folder, folder / file.path, split=file.split) != file]
    if changed:
        found.append(f"{len(changed)} files changed since it was built, the first {changed[0]}")
    validation = read_validation(folder)
    if validation is None:
        found.append("it was not validated as it is now (emonet dataset validate)")
    elif not validation.ok:
        bad = [finding.message for finding in validation.findings if finding.level == "error"]
        found.append(f"it is unfit: {'; '.join(bad)}")
    return tuple(found)


def _send(
    folder: Path,
    repository: str,
    files: Sequence[str],
    private: bool,
    revision: str | None,
    message: str | None,
    token: str | None,
    endpoint: str | None,
) -> str:
    import httpx
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    api = huggingface_hub.HfApi(endpoint=endpoint, token=token)
    try:
        api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repository, folder_path=folder, repo_type="dataset", revision=revision,
            commit_message=message or "Data set made by emonet", allow_patterns=[_literal(name) for name in files],
            delete_patterns=["data/*"],
        )  # fmt: skip
    except HFValidationError as error:
        raise UsageError(f"The repository is {repository!r}: {error}") from error
    except (HfHubHTTPError, OfflineModeIsEnabled, httpx.HTTPError, OSError, ValueError) as error:
        raise EmonetError(
            f"{repository}: the Hub did not take the set ({error}). Sign in with a token that may write there, and "
            "send it again; a commit appears whole or not at all."
        ) from error
    return str(commit.commit_url)


def _literal(name: str) -> str:
    """A pattern that fits this one name."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _sha256(folder: Path) -> str:
    return hashlib.sha256((folder / SET_FILE).read_bytes()).hexdigest()
