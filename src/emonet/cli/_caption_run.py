"""How `emonet caption` comes to its captions: by rule from a model's scores, or from a captioning model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonet.cli._run import Run, consume, summarise
from emonet.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from emonet.captions import Baseline, Caption, CaptionedRegion
    from emonet.estimation import Estimate, Estimates
    from emonet.models import Card


class Words:
    """How captions are worded; checked before anything is computed."""

    def __init__(
        self, template: str, seed: int, shuffle: bool, emotions: int, attributes: int, baseline: str | None
    ) -> None:
        from emonet.captions import read_baseline
        from emonet.captions._templates import template_name

        template_name(template, seed)
        if emotions < 0 or attributes < 0:
            raise UsageError(f"--emotions {emotions}, --attributes {attributes}: expected 0 or more.")
        self.baseline: Baseline | None = None if baseline is None else read_baseline(baseline)
        self.seed = seed
        self.options: dict[str, Any] = {
            "template": template,
            "shuffle": shuffle,
            "emotions": emotions,
            "attributes": attributes,
        }

    def all(self, rows: Sequence[Estimate]) -> tuple[Caption | None, ...]:
        """Captions of the regions of one file."""
        from emonet.captions import caption_estimates

        return caption_estimates(rows, baseline=self.baseline, seed=self.seed, **self.options)

    def one(self, item: Estimate) -> Caption:
        """Caption of one region."""
        from emonet.captions import caption_estimate

        return caption_estimate(item, baseline=self.baseline, seed=self.seed, **self.options)


class Outcome:
    """What a run gave: captions, the scores they rest on (if any), and whether all went well."""

    def __init__(self, regions: list[CaptionedRegion], failures: int, interrupted: bool) -> None:
        self.regions, self.failures, self.interrupted = regions, failures, interrupted
        self.estimates: Estimates | None = None
        self.described: dict[str, str] = {}


class Rules:
    """Captions made of scores."""

    fields = ("procedural_caption", "procedural_caption_details")

    def __init__(self, names: Sequence[str], words: Words, options: dict[str, Any], fps: float) -> None:
        from emonet.estimation import Estimators

        self.words, self.fps = words, fps
        self.models = Estimators.from_names(list(names), **options)
        self._used: list[Card] = []

    def about(self) -> dict[str, Any]:
        """What JSON tells of the run."""
        import emonet

        models = [{"id": card.id, "revision": card.revision, "licence": card.licence} for card in self._used]
        usual = self.words.baseline
        return {"version": emonet.__version__, "models": models, "baseline": usual.name if usual else "of the model"}

    def estimate(self, files: Sequence[Path], errors: Console, quiet: bool) -> tuple[Run, bool]:
        """Scores of all files."""
        run = Run([], keep_all=True, names={})
        interrupted = consume(files, self.models, run, None if quiet else errors)
        return run, interrupted

    def run(self, files: Sequence[Path], errors: Console, quiet: bool) -> Outcome:
        """Captions of all files."""
        from itertools import groupby

        from emonet.captions import described, stretches

        run, interrupted = self.estimate(files, errors, quiet)
        regions: list[CaptionedRegion] = []
        for _, rows in groupby(run.rows, key=lambda item: item.source):
            gathered = stretches(list(rows), fps=self.fps)
            regions += described(gathered, self.words.all(gathered))
        summarise(run, errors, len(files), quiet=quiet, interrupted=interrupted)
        self._used = [card for card in run.cards.values() if any(item.model == card.id for item in run.rows)]
        outcome = Outcome(regions, run.failed, interrupted)
        outcome.estimates, outcome.described = run.kept(), self.models.describe()
        return outcome

    def facts(self, files: Sequence[Path]) -> list[dict[str, Any]]:
        """Fields for the samples of a shard, one for each file."""
        from emonet.captions._enrich import region_fields
        from emonet.estimation import stream_files

        return [region_fields(list(rows), self.words.one) for rows in stream_files(list(files), self.models)]


class Whisper:
    """Captions that a model writes."""

    fields = ("caption", "caption_details")

    def __init__(self, name: str, runtime: str, window_s: float | None, whole: bool) -> None:
        if runtime not in ("auto", "transformers", "ctranslate2"):
            raise UsageError(f"--runtime {runtime}: a captioner runs on auto, transformers or ctranslate2.")
        from emonet.captions.whisper import load_captioner

        self.name, self.whole, self.window_s = name, whole, window_s
        chosen: Any = runtime
        self.captioner = load_captioner(name, runtime=chosen)

    def about(self) -> dict[str, Any]:
        """What JSON tells of the run."""
        import emonet

        return {"version": emonet.__version__, "captioner": self.captioner.name, "runtime": self.captioner.runtime}

    def regions(self, path: Path) -> list[CaptionedRegion]:
        """Captions of one recording."""
        from emonet.captions import CaptionedRegion, heard
        from emonet.errors import EstimationError, MediaError
        from emonet.media import WindowPolicy

        longest = min(self.window_s or self.captioner.window_s, self.captioner.window_s)
        policy = WindowPolicy(max_s=longest, detector="none" if self.whole else "silero")
        try:
            return heard(self.captioner(path, policy), str(path), self.captioner.name)
        except MediaError as error:
            return [CaptionedRegion(str(path), "", "unreadable", message=error.reason)]
        except EstimationError as error:
            return [CaptionedRegion(str(path), "voice", error.status, message=str(error))]

    def run(self, files: Sequence[Path], errors: Console, quiet: bool) -> Outcome:
        """Captions of all files, one after the other; windows of one file are computed together."""
        regions: list[CaptionedRegion] = []
        failures, interrupted = 0, False
        try:
            for number, path in enumerate(files, start=1):
                found = self.regions(path)
                regions += found
                failures += any(region.status == "unreadable" for region in found)
                if not quiet and errors.is_terminal:
                    errors.print(f"{number}/{len(files)} {path.name}", style="dim", markup=False)
        except KeyboardInterrupt:
            interrupted = True
            errors.print("emonet: interrupted; the output holds the files finished so far", style="yellow")
        for region in regions:
            if region.status == "unreadable":
                errors.print(f"emonet: {region.source}: {region.message}", style="red", markup=False, soft_wrap=True)
        return Outcome(regions, failures, interrupted)

    def facts(self, files: Sequence[Path]) -> list[dict[str, Any]]:
        """Fields for the samples of a shard, one for each file."""
        out: list[dict[str, Any]] = []
        for path in files:
            found = self.regions(path)
            text = " ".join(region.text for region in found if region.text)
            windows = [{k: v for k, v in region.as_json().items() if k != "source"} for region in found]
            details = {"captioner": self.captioner.name, "status": found[0].status, "windows": windows}
            if found[0].message:
                details["message"] = found[0].message
            out.append(({"caption": text} if text else {}) | {"caption_details": details})
        return out
