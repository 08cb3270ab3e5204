"""Voices of a corpus that training never heard: the voice recipe against support vector machines on the same clips.

    python -m benchmarks.cross_corpus_voices --data DIR --output DIR [--recipe FILE] [--page FILE] [--machines-only]

DIR of --data holds `manifest.csv` and the sound files it lists; that of --output keeps decoded clips, features, what
was trained and predicted, so that a stopped run goes on. Needs scikit-learn (extra `torch`).

What was fixed before any figure of a corpus left out was looked at: the corpora, the five emotions that all of them
name, and that a system answers with its highest score among the five. The machines learn the five from the clips of
the training speakers that carry one of them; the network learns from all clips of those speakers and from the recipe's
sources without emotion labels. Settings of the machines and the scaling of the network come from validation speakers
of the corpora learnt from. A system that is told who speaks sees what it goes by (features, scores) relative to the
speaker's other clips of the five emotions, without their labels; this comparison was added after the machines' first
figures. Symbols: n clips, d = 40 emotions, k = 5 of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.acoustic_features import cached_table, cepstral_statistics, feature_row
from benchmarks.voice_machines import (
    best_machine,
    by_speaker,
    linear_machines,
    logistic_machines,
    radial_machines,
    standardised,
)
from emonet.statistics import Interval, Resampler, mean_interval, percentile_interval
from emonet.taxonomy import display_name
from emonet.training import read_recipe
from emonet.training._manifest import Item
from emonet.training._markdown import table
from emonet.training._voice_data import Clips, open_clips
from emonet.training._voice_scaling import fit_scaling
from emonet.training._voice_targets import KEYS, Targets, make_targets, validation_rows
from emonet.training._voice_training import embed, fit, preprocessing, select_items

CORPORA = ("emogator", "ravdess", "nemo")
FIVE = ("anger", "fear", "elation", "sadness", "astonishment_surprise")
NETWORK, LINEAR, RADIAL = "the package's network", "88 features, linear SVM", "88 features, Gaussian SVM"
TOLD = ", told who speaks"
_SEED, _RESAMPLES = 20261123, 2000
Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
Table = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """All clips of the recipe. `answer`: int64 [n], place in `FIVE`, -1 without; `validation`, `test`: bool [n]."""

    recipe: Mapping[str, Any]
    items: list[Item]
    clips: Clips
    targets: Targets
    answer: Rows
    validation: NDArray[np.bool_]
    test: NDArray[np.bool_]
    output: Path

    @property
    def source(self) -> NDArray[np.str_]:
        """Corpus of each clip [n]."""
        return np.asarray(self.targets.source)

    def speakers(self, rows: Rows) -> list[str]:
        """Who speaks in the clips `rows`."""
        return [f"{self.items[i].source}/{self.items[i].subject}" for i in rows]

    def table_of(self, name: str, row: Callable[[Table], Table]) -> Table:
        """A row of features for every clip of the three corpora [n, features]; NaN for the other clips."""
        used = np.flatnonzero(np.isin(self.source, CORPORA))
        waves = (self.clips.wave(int(i)) for i in used)
        found = cached_table(self.output / f"{name}.npz", [self.items[i].key for i in used], waves, row)
        out = np.full((len(self.items), found.shape[1]), np.nan, np.float32)
        out[used] = found
        return out


Scorer = Callable[[Study, Rows, Rows, Rows, Path], Floats]
"""(study, clips to learn from, validation clips, clips asked about, folder) → relative scores [n asked, d]."""


def open_study(recipe: Mapping[str, Any], data: Path, output: Path) -> Study:
    """Clips, targets and splits of the recipe's sources."""
    output.mkdir(parents=True, exist_ok=True)
    items = select_items(recipe, data)
    clips = open_clips(items, preprocessing(recipe), output)
    carried = [[FIVE.index(key) for key in item.emotions if key in FIVE] for item in items]
    answer = np.asarray([own[0] if len(own) == 1 else -1 for own in carried], np.int64)
    test = np.asarray([item.split == "test" for item in items], bool)
    targets = make_targets(items, recipe, data)
    return Study(recipe, items, clips, targets, answer, validation_rows(items, recipe), test, output)


def network_scores(study: Study, learnt: Rows, held: Rows, asked: Rows, folder: Path) -> Floats:
    """Relative scores [n asked, d] of the network that the recipe trains on `learnt` and scales on `held`."""
    recipe, targets = study.recipe, study.targets
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(int(recipe["training"].get("threads", 1)))
    network = fit(recipe, study.clips, targets, learnt, folder, report=lambda line: print(line, flush=True))
    spec = preprocessing(recipe)
    scaling = fit_scaling(
        embed(network, study.clips, held, spec)[1],
        targets.present[held],
        targets.intensity[held],
        targets.neutral[held],
        [targets.source[i] for i in held],
        min_positives=recipe["support"]["min_positives"],
    )
    return scaling.relative(embed(network, study.clips, asked, spec)[1])


FEATURES: Mapping[str, Callable[[Table], Table]] = {"acoustic": feature_row, "cepstral": cepstral_statistics}
MACHINES: Mapping[str, Callable[[], list[Any]]] = {LINEAR: linear_machines, RADIAL: radial_machines}


def left_out(study: Study, corpus: str, scorer: Scorer | None) -> tuple[Rows, dict[str, Rows], str]:
    """(clips asked about, answer of each system [n asked], how many clips taught) with `corpus` left out."""
    other = study.source != corpus
    train, known = other & ~study.validation & ~study.test, study.answer >= 0
    asked = np.flatnonzero(~other & known)
    learnt, held = np.flatnonzero(train & known), np.flatnonzero(study.validation & other & known)
    answers: dict[str, Rows] = {}
    if scorer is not None:
        path = study.output / f"without-{corpus}" / "relative.npy"
        if not path.is_file():
            every = np.flatnonzero(study.validation & other)
            np.save(path, scorer(study, np.flatnonzero(train), every, asked, path.parent))
        scores = np.load(path)[:, [KEYS.index(key) for key in FIVE]]
        for words, used in (("", scores), (TOLD, by_speaker(scores, study.speakers(asked)))):
            answers[NETWORK + words] = np.nan_to_num(used, nan=-np.inf).argmax(axis=1)  # not learnt: never the answer
    features = study.table_of("acoustic", FEATURES["acoustic"])
    told = np.full_like(features, np.nan)
    for rows in (learnt, held, asked):
        told[rows] = by_speaker(features[rows], study.speakers(rows))
    for words, table_used in (("", features), (TOLD, told)):
        x = standardised(table_used, learnt)
        for name, machines in MACHINES.items():
            machine = best_machine(machines(), x, study.answer, learnt, held, study.source)
            print(f"without {corpus}{words}: {machine}", flush=True)
            answers[name + words] = np.asarray(machine.predict(x[asked]), np.int64)
    counts = f"{int(train.sum())} clips taught the network, {len(learnt)} of them the machines"
    return asked, answers, counts


def recall_draws(actual: Rows, guess: Rows, speakers: list[str]) -> tuple[float, Floats]:
    """(unweighted average recall, the same under each resample of the speakers [b]), drawn alike for all systems."""
    members = np.unique(actual)[None, :] == actual[:, None]  # [n, k]
    hits = members & (guess == actual)[:, None]
    resampler = Resampler(len(actual), speakers, seed=_SEED, resamples=_RESAMPLES)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = [np.nanmean((counts @ hits) / (counts @ members), axis=1) for counts in resampler.blocks()]
    return float((hits.sum(axis=0) / members.sum(axis=0)).mean()), np.concatenate(drawn)


def cross_corpus(study: Study, scorer: Scorer | None) -> tuple[str, dict[str, Any]]:
    """Markdown and figures of the three directions and of their mean."""
    text, figures = "", {}
    sums: dict[str, list[tuple[float, Floats]]] = {}
    for corpus in CORPORA:
        asked, answers, counts = left_out(study, corpus, scorer)
        actual, speakers = study.answer[asked], study.speakers(asked)
        drawn = {name: recall_draws(actual, guess, speakers) for name, guess in answers.items()}
        shares = {
            name: [float((guess == actual)[actual == e].mean()) for e in range(5)] for name, guess in answers.items()
        }
        for name, one in drawn.items():
            sums.setdefault(name, []).append(one)
        text += f"## Without {corpus}\n\n{len(asked)} clips of {len(set(speakers))} speakers asked about; {counts}.\n\n"
        names = [f"{display_name(key)} ({int((actual == e).sum())})" for e, key in enumerate(FIVE)]
        text += _comparison(drawn, names, shares) + "\n"
        figures[corpus] = {"n": len(asked), "speakers": len(set(speakers)), **_stored(drawn), "recalls": shares}
    mean = {
        name: (float(np.mean([v for v, _ in parts])), np.mean([d for _, d in parts], axis=0))
        for name, parts in sums.items()
    }
    text += "## Mean of the three\n\n" + _comparison(mean, [], {name: [] for name in mean}) + "\n"
    return text, figures | {"mean": _stored(mean)}


def within_emogator(study: Study) -> tuple[str, dict[str, Any]]:
    """Markdown and figures: how often simple machines name the first of 30 labels for EmoGator's test speakers."""
    own = study.source == "emogator"
    learnt, held, asked = (
        np.flatnonzero(own & part)
        for part in (~study.validation & ~study.test, study.validation & own, study.test & own)
    )
    labels = study.targets.classes
    tables = {name: study.table_of(name, row) for name, row in FEATURES.items()}
    rows, figures = [], {}
    for name, features, machines in (
        ("cepstral statistics, logistic regression", "cepstral", logistic_machines),
        ("88 features, logistic regression", "acoustic", logistic_machines),
        (LINEAR, "acoustic", linear_machines),
        (RADIAL, "acoustic", radial_machines),
    ):
        x = standardised(tables[features], learnt)
        machine = best_machine(machines(), x, labels, learnt, held, study.source)
        right = (machine.predict(x[asked]) == labels[asked]).astype(np.float64)
        found = mean_interval(right, study.speakers(asked), seed=_SEED, resamples=_RESAMPLES)
        rows.append([name, f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"])
        figures[name] = list(found)
    text = "## Within EmoGator\n\nShare of test clips whose label comes first among 30; the network's is on its card. "
    text += f"{len(asked)} clips of {len(set(study.speakers(asked)))} speakers, {len(learnt)} clips taught.\n\n"
    return text + table(["System", "Top 1"], rows), figures


def _comparison(drawn: Mapping[str, tuple[float, Floats]], names: list[str], shares: Mapping[str, list[float]]) -> str:
    rows = []
    for name, (value, draws) in drawn.items():
        ahead = ""
        rival = NETWORK + TOLD * name.endswith(TOLD)
        if rival in drawn and name != rival:
            best, of_best = drawn[rival]
            ahead = _points(percentile_interval(of_best - draws, best - value))
        own = _points(percentile_interval(draws, value))
        rows.append([name, own, ahead, *(f"{share:.2f}" for share in shares[name])])
    return table(["System", "Average recall", "Network ahead by", *names], rows)


def _stored(drawn: Mapping[str, tuple[float, Floats]]) -> dict[str, Any]:
    return {"recall": {name: list(percentile_interval(draws, value)) for name, (value, draws) in drawn.items()}}


def _points(found: Interval) -> str:
    return f"{100 * found.value:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


_HEAD = """# Voices of a corpus that training never heard

<!-- Written by `python -m benchmarks.cross_corpus_voices --data DIR --output DIR --page FILE`. Do not edit by hand. -->

Each of three corpora (EmoGator: wordless bursts; RAVDESS: English sentences; nEMO: Polish sentences) is left out once.
Everything learns from training speakers of the two others and is asked about all clips of the corpus left out that
carry one of five emotions, the ones that all three corpora name. The network is that of the recipe of the embedded
model, trained for {epochs} epochs. The 88 acoustic features follow the extended Geneva
set (Eyben et al. 2016). Figures are per cent: the unweighted average of the five recalls (chance 20), its 95 %
bootstrap interval over speakers, and the paired difference. The last columns are recalls, with the number of clips.
A system that is told who speaks has its features or scores standardised over all clips of the same speaker first,
which nobody can do for a single recording; these rows were added after the machines' first figures were seen.
Nothing was chosen by these figures: settings come from validation speakers of the corpora learnt from.

"""


def main() -> None:
    """All directions, as a page or on the screen; figures as JSON beside what was predicted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--recipe", type=Path, default=Path(__file__).parents[1] / "recipes" / "embedded-voice.toml")
    parser.add_argument("--epochs", type=int, help="train the network for fewer epochs than the recipe says")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--machines-only", action="store_true", help="leave the network out")
    arguments = parser.parse_args()
    recipe = read_recipe(arguments.recipe, modality="voice")
    if arguments.epochs:
        recipe["training"]["epochs"] = arguments.epochs
    study = open_study(recipe, arguments.data, arguments.output)
    inside, own = within_emogator(study)
    across, figures = cross_corpus(study, None if arguments.machines_only else network_scores)
    text = _HEAD.format(epochs=recipe["training"]["epochs"]) + across + inside
    stored = json.dumps({"without": figures, "within_emogator": own}, indent=1)
    (arguments.output / "cross_corpus_voices.json").write_text(stored, encoding="utf-8")
    if arguments.page:
        arguments.page.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
