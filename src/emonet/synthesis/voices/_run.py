"""The whole way in one call: design, scripts, takes, shards; and the plan that a dry run shows."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonet.errors import UnknownNameError, UsageError
from emonet.synthesis.voices._data import accents_of
from emonet.synthesis.voices._design import Balance, make_design, measure_balance
from emonet.synthesis.voices._files import write_text
from emonet.synthesis.voices._finish import FinishPolicy
from emonet.synthesis.voices._record import Listener, Progress, Session, record_clips
from emonet.synthesis.voices._records import NONE, Effort, Generator, Part, Script
from emonet.synthesis.voices._release import Layout, cost_of, write_failures, write_release
from emonet.synthesis.voices._scripts import write_scripts

if TYPE_CHECKING:
    from emonet.services import Endpoint
    from emonet.synthesis.voices._written import ScriptRules

SETTINGS = "design.json"


@dataclass(frozen=True, slots=True)
class VoiceDesign:
    """What is to be recorded; fields as in `make_design`. accents: names for every language that has them; None takes
    all that the generator has."""

    voices: Sequence[str] | int = 11
    emotions: Sequence[str] | None = None
    languages: Sequence[str] = ("en",)
    accents: Sequence[str] | None = None
    challenges: Sequence[str] = (NONE,)
    intensities: Sequence[int] = (3, 4)
    takes: int = 1
    seed: int = 0

    def parts(self, generator: Generator) -> tuple[Part, ...]:
        """The cells of the design. Raises `UsageError` for an accent or language that the generator does not have."""
        return make_design(
            voices=self.voices, emotions=self.emotions, languages=self.languages,
            accents={language: self._accents(generator, language) for language in self.languages},
            challenges=self.challenges, intensities=self.intensities, takes=self.takes, seed=self.seed,
        )  # fmt: skip

    def _accents(self, generator: Generator, language: str) -> Sequence[str]:
        spoken = generator.accents(language)
        if not spoken:
            raise UsageError(f"{generator.name} cannot speak {language!r}.")
        if self.accents is None:
            return spoken
        known = {one.name for other in self.languages for one in accents_of(other)}
        for name in self.accents:
            if name not in known:
                raise UnknownNameError("accent", name, sorted(known))
        own = {one.name for one in accents_of(language)}
        chosen = [name for name in self.accents if name in own]
        if lacking := [name for name in chosen if name not in spoken]:
            raise UsageError(
                f"{generator.name} has no accent {lacking[0]!r} of {language}; it has {', '.join(spoken)}."
            )
        # A language that has none of the named accents is spoken without.
        return chosen or (NONE,)


@dataclass(frozen=True, slots=True)
class VoicePlan:
    """What a run would do: its parts and how even they are, what recording takes, and what writing takes when a model
    writes."""

    parts: tuple[Part, ...]
    balance: Balance
    recording: Effort
    writing: Effort | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """What a run left in `folder`. `replaced`: scripts of the model that were refused, with the reason; templates stand
    there instead. `cost`: of takes, checks and scripts, None where no price is known."""

    folder: Path
    session: Session
    balance: Balance
    replaced: Mapping[str, str]
    cost: float | None


def plan_voices(
    design: VoiceDesign,
    generator: Generator,
    *,
    writer: Endpoint | None = None,
    rules: ScriptRules | None = None,
) -> VoicePlan:
    """Count, balance, cost and time of a run; nothing is sent, spoken or written."""
    parts = design.parts(generator)
    recording = generator.effort(write_scripts(parts, seed=design.seed))
    writing = None
    if writer is not None:
        from emonet.synthesis.voices._written import scripts_effort

        writing = scripts_effort(parts, writer, rules=rules)
    return VoicePlan(parts, measure_balance(parts), recording, writing)


def synthesize_voices(
    design: VoiceDesign,
    generator: Generator,
    output: str | os.PathLike[str],
    *,
    writer: Endpoint | None = None,
    rules: ScriptRules | None = None,
    listener: Listener | None = None,
    policy: FinishPolicy | None = None,
    max_wer: float = 0.5,
    attempts: int = 3,
    workers: int = 2,
    layout: Layout = "published",
    licence: str = "",
    progress: Progress | None = None,
) -> Release:
    """Write scripts, record them and pack the clips into `output`; interrupted, the same call goes on.

    writer: a language model for the scripts instead of the templates. Other arguments as in `record_clips` and
    `write_release`. Raises `UsageError` when the folder holds another design.
    """
    home = Path(output)
    parts = design.parts(generator)
    settings = _settings(design, parts, generator, writer)
    _claim(home, settings)
    scripts, replaced, written_cost = _scripts(design, parts, home, writer, rules, progress)
    lines = (json.dumps(asdict(script), ensure_ascii=False) for script in scripts)
    write_text(home / "scripts.jsonl", "\n".join(lines) + "\n")
    session = record_clips(
        scripts, generator, home, policy=policy, listener=listener, max_wer=max_wer, attempts=attempts,
        workers=workers, seed=design.seed, progress=progress,
    )  # fmt: skip
    write_failures(home, session)
    if session.clips:
        told = {**settings, "replaced_scripts": dict(replaced)}
        write_release(home, session, layout=layout, licence=licence, workers=workers, design=told, progress=progress)
    costs = [one for one in (written_cost, cost_of(session)) if one is not None]
    return Release(home, session, measure_balance(parts), replaced, sum(costs) if costs else None)


def _scripts(
    design: VoiceDesign,
    parts: Sequence[Part],
    home: Path,
    writer: Endpoint | None,
    rules: ScriptRules | None,
    progress: Progress | None,
) -> tuple[tuple[Script, ...], Mapping[str, str], float | None]:
    if writer is None:
        return write_scripts(parts, seed=design.seed), {}, None
    from emonet.synthesis.voices._remote import cache_folder
    from emonet.synthesis.voices._written import ask_for_scripts

    made = ask_for_scripts(parts, writer, cache=cache_folder(home), rules=rules, seed=design.seed, progress=progress)
    return made.scripts, made.replaced, made.cost


def _settings(
    design: VoiceDesign, parts: Sequence[Part], generator: Generator, writer: Endpoint | None
) -> dict[str, Any]:
    said = json.dumps([asdict(part) for part in parts], sort_keys=True).encode()
    return {
        "design": json.loads(json.dumps(asdict(design))),
        "parts_sha256": hashlib.sha256(said).hexdigest(),
        "generator": generator.name,
        "writer": "templates" if writer is None else writer.model,
    }


def _claim(home: Path, settings: Mapping[str, Any]) -> None:
    """Make the folder this design's, or see that it is."""
    if home.exists() and not home.is_dir():
        raise UsageError(f"{home} is a file; expected a folder for the release.")
    path = home / SETTINGS
    if path.is_file():
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            held = {}
        if other := [name for name in settings if held.get(name) != settings[name]]:
            raise UsageError(f"{home} holds another release (different: {', '.join(other)}); choose another folder.")
        return
    if home.is_dir() and any(not one.name.startswith(".") for one in home.iterdir()):
        raise UsageError(f"{home} holds other files and no {SETTINGS}; choose an empty or new folder.")
    home.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(settings, indent=1, ensure_ascii=False))
