"""The whole way: prompts, pictures, checks, new attempts, shards, audit; interrupted, the same call goes on."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emonet.datasets import Sample, write_shards
from emonet.errors import EmonetError, UsageError
from emonet.media import FaceDetector, load_face_detector
from emonet.synthesis.portraits._audit import Audit, audit_design, audit_document, audit_text
from emonet.synthesis.portraits._checks import Checked, CheckRules, Seen, check_portrait, suffix_of
from emonet.synthesis.portraits._design import Design
from emonet.synthesis.portraits._generators import Generator, Made, Order
from emonet.synthesis.portraits._prompts import Prompt, write_prompts
from emonet.synthesis.portraits._provenance import Provenance, mark_picture
from emonet.synthesis.voices._files import write_bytes, write_text
from emonet.taxonomy import display_name, emotion

CONSENT = "generated; no real person's face"
_AT_ONCE = 32  # orders given to a generator together
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Portraits:
    """What a run left in `folder`. `kept`: keys with a usable picture; `failed`: key → why it has none after all
    attempts. `cost`: of what was asked now, None where unknown."""

    folder: Path
    kept: tuple[str, ...]
    failed: Mapping[str, str]
    audit: Audit
    cost: float | None


def write_prompt_files(design: Design, output: str | os.PathLike[str]) -> tuple[Prompt, ...]:
    """Write `prompts.jsonl`, `audit.json` and `audit.md` of a design, before anything is made.

    Raises `UsageError` when the folder holds another design.
    """
    home, prompts = Path(output), write_prompts(design)
    home.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(asdict(prompt), ensure_ascii=False) + "\n" for prompt in prompts)
    path = home / "prompts.jsonl"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise UsageError(f"{home} holds the prompts of another design; choose another folder.")
    write_text(path, text)
    if not (home / "log.jsonl").exists():
        _write_audit(home, audit_design(design))
    return prompts


def synthesize_portraits(
    design: Design,
    generator: Generator,
    output: str | os.PathLike[str],
    *,
    attempts: int = 3,
    rules: CheckRules | None = None,
    detector: str | FaceDetector = "embedded",
    licence: str = "",
    per_shard: int = 1000,
    progress: Say = lambda _: None,
) -> Portraits:
    """Make the portraits of a design into `output`, as shards that the data-set readers take.

    Every picture is checked (`CheckRules`) and compared with those kept before it; one that fails is made again with
    another seed, `attempts` times at most. `output` then holds prompts.jsonl, pictures/, log.jsonl (each attempt and
    why it was turned down), shards/ in the form of EmoNet-Face BIG with the mark of a synthetic picture in each file,
    audit.json and audit.md. What a killed run made is taken as it is.
    """
    if attempts < 1:
        raise UsageError(f"attempts is {attempts}; expected 1 or more.")
    prompts = write_prompt_files(design, output)
    home = Path(output)
    finder = load_face_detector(detector) if isinstance(detector, str) else detector
    run = _Run(home, prompts, generator, finder, rules or CheckRules(), progress)
    for attempt in range(attempts):
        run.attempt(attempt)
    kept = [i for i, prompt in enumerate(prompts) if prompt.key in run.kept]
    looked_at = {i: run.looked_at[prompt.key] for i, prompt in enumerate(prompts) if prompt.key in run.looked_at}
    audit = audit_design(design, kept, run.faults, looked_at)
    _write_audit(home, audit)
    if kept:
        samples = _samples(home, [prompts[i] for i in kept], run, generator, licence)
        write_shards(samples, home / "shards", per_shard=per_shard, name="portraits", overwrite=True)
    lost = {prompt.key: run.last[prompt.key] for prompt in prompts if prompt.key not in run.kept}
    return Portraits(home, tuple(prompts[i].key for i in kept), lost, audit, run.cost)


class _Run:
    """What was made so far. `kept`: key → file; `last`: key → why the last attempt failed; `faults`: of all."""

    def __init__(
        self, home: Path, prompts: Sequence[Prompt], generator: Generator, detector: FaceDetector, rules: CheckRules,
        progress: Say,
    ) -> None:  # fmt: skip
        self.kept: dict[str, Path] = {}
        self.facts: dict[str, dict[str, Any]] = {}
        self.last: dict[str, str] = {}
        self.faults: Counter[str] = Counter()
        self.looked_at: dict[str, tuple[int, int]] = {}
        self.cost: float | None = None
        self._home, self._prompts, self._generator = home, {prompt.key: prompt for prompt in prompts}, generator
        self._detector, self._rules, self._progress = detector, rules, progress
        self._seen, self._tried = Seen(), dict[str, set[int]]()
        self._final: set[str] = set()
        self._read_log()

    def attempt(self, number: int) -> None:
        """One attempt for every prompt that has no picture and was not tried so often yet."""
        orders = [
            Order(prompt, number, (prompt.seed + 1_000_003 * number) % 2**31)
            for key, prompt in self._prompts.items()
            if key not in self.kept and key not in self._final and number not in self._tried.get(key, ())
        ]
        for start in range(0, len(orders), _AT_ONCE):
            for made in self._generator.pictures(orders[start : start + _AT_ONCE]):
                self._take(made)
            self._progress(f"attempt {number + 1}: {min(start + _AT_ONCE, len(orders))} of {len(orders)} pictures, "
                           f"{len(self.kept)} kept")  # fmt: skip

    def _take(self, made: Made) -> None:
        key = made.order.prompt.key
        checked = Checked(made.fault) if made.fault else check_portrait(made.data, self._detector, self._rules)
        fault = checked.fault
        if not fault and checked.signature is not None and (other := self._seen.copy_of(checked.signature)):
            fault = f"copy of {other}"
        seed = made.order.seed if made.seeded else None
        line: dict[str, Any] = {"key": key, "attempt": made.order.attempt, "seed": seed, "fault": fault,
                                "final": made.final, "cost": made.cost, "picture": bool(made.data)}  # fmt: skip
        if not fault:
            data, fault = self._marked(made)
            line |= {"fault": fault}
        if not fault:
            name = f"{key}.{suffix_of(data)}"
            write_bytes(self._home / "pictures" / name, data)
            line |= {"file": name, "width": checked.width, "height": checked.height, "face_box": checked.box,
                     "sharpness": checked.sharpness, "symmetry": checked.symmetry,
                     "sha256": hashlib.sha256(data).hexdigest()}  # fmt: skip
        with (self._home / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        if made.cost is not None:
            self.cost = (self.cost or 0.0) + made.cost
        self._note(line)
        if not fault and checked.signature is not None:
            self._seen.add(key, checked.signature)

    def _marked(self, made: Made) -> tuple[bytes, str]:
        prompt = made.order.prompt
        digest = hashlib.sha256(prompt.text.encode()).hexdigest()
        mark = Provenance(self._generator.name, digest, str(made.order.seed) if made.seeded else "", prompt.key)
        try:
            return mark_picture(made.data, mark), ""
        except EmonetError as error:
            return b"", str(error)

    def _note(self, line: Mapping[str, Any]) -> None:
        key, fault = line["key"], line["fault"]
        self._tried.setdefault(key, set()).add(line["attempt"])
        if line.get("picture"):
            seen, turned_down = self.looked_at.get(key, (0, 0))
            self.looked_at[key] = seen + 1, turned_down + bool(fault)
        if fault:
            self.last[key] = fault
            self.faults["copy" if fault.startswith("copy of") else fault.partition(":")[0]] += 1
            if line["final"]:
                self._final.add(key)
        else:
            self.kept[key] = self._home / "pictures" / line["file"]
            self.facts[key] = {name: line[name] for name in ("attempt", "seed", "face_box", "sharpness", "symmetry")}

    def _read_log(self) -> None:
        """What an earlier run noted; a line that was cut off by a kill is not counted, and its picture made again."""
        path = self._home / "log.jsonl"
        if not path.exists():
            return
        from emonet.datasets.curation import picture_signature
        from emonet.media import decode_image

        whole: list[str] = []
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            # What the service did not answer for, or was not asked, is asked again; a folder may have been filled up.
            if line["fault"].startswith(("error", "not_asked", "no such picture")):
                continue
            whole.append(text)
            self._note(line)
            if not line["fault"]:
                self._seen.add(line["key"], picture_signature(decode_image(self.kept[line["key"]]).pixels))
        write_text(path, "".join(f"{text}\n" for text in whole))


def _samples(home: Path, prompts: Sequence[Prompt], run: _Run, generator: Generator, licence: str) -> Iterator[Sample]:
    """Pictures in the form of EmoNet-Face BIG: emotion as the prompt's words, demographics of the prompt."""
    for prompt in prompts:
        path, levels = run.kept[prompt.key], prompt.levels
        felt = emotion(levels["emotion"])
        told = {name: levels[name] for name in ("ethnicity", "gender", "age") if name in levels}
        facts: dict[str, Any] = {
            "prompt": prompt.text,
            "emotion": ", ".join(felt.words) or display_name(felt.key),
            "demographics": told,
            "synthetic": True,
            "generator": generator.name,
            "design": {name: level for name, level in levels.items() if name not in told},
            "checks": run.facts[prompt.key],
        }
        yield Sample(
            key=prompt.key,
            media=path.read_bytes(),
            extension=path.suffix[1:],
            modality="face",
            facts=facts,
            licence=licence or generator.licence,
            consent=CONSENT,
            source=generator.name,
        )


def _write_audit(home: Path, audit: Audit) -> None:
    write_text(home / "audit.json", json.dumps(audit_document(audit), indent=1, ensure_ascii=False))
    write_text(home / "audit.md", audit_text(audit))
