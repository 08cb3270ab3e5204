"""Faces of a corpus that training never saw: the face recipes against support vector machines on the same pictures.

    python -m benchmarks.cross_corpus_faces --data DIR --output DIR [--page FILE]

DIR of --data holds `manifest.csv` and the pictures it lists under `ferplus` and `muxspace`; that of --output keeps what
was trained and predicted, so that a stopped run goes on. Each corpus is left out once: everything learns from the
training part of the other one and is asked about the whole of the corpus left out. Needs scikit-learn (extra `torch`)
and scikit-image (extra `demo`).

What was fixed before any figure of a corpus left out was looked at: an expression counts when each corpus has at
least 100 pictures with it as the majority label; pictures without a majority label teach by their most frequent vote
but are not asked about; every system is asked for the expression it would choose if all were equally frequent (the
machines by class weights, the network by dividing its shares by those of its training pictures, after correction on
validation pictures of its own corpus). Symbols: n pictures, k expressions that count.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emonet.statistics import Interval, Resampler, percentile_interval
from emonet.training import read_recipe
from emonet.training._face_card import corrected_shares, fit_correction
from emonet.training._face_data import Faces, copies, open_faces, plain
from emonet.training._face_training import fit, labelled, logits_of, parts
from emonet.training._manifest import Item
from emonet.training._markdown import table

_RECIPES = Path(__file__).parents[1] / "recipes"
DIRECTIONS = (
    ("ferplus", "muxspace", "embedded-face.toml", 18),
    ("muxspace", "ferplus", "embedded-face-open.toml", 80),
)
"""(learnt from, asked about, recipe, epochs): the recipe whose settings are meant for that many pictures."""
LEAST = 100
NETWORK = "the package's network"
_COSTS = (0.003, 0.01, 0.03)
_SEED, _RESAMPLES = 20261123, 2000
Pictures = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One direction. `actual`: int [n], most voted expression of every picture; the other three are picture numbers."""

    recipe: Mapping[str, Any]
    items: list[Item]
    faces: Faces
    shares: NDArray[np.float32]
    actual: NDArray[np.int64]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    asked: NDArray[np.int64]
    counted: list[int]


def prepare(recipe: dict[str, Any], learnt: str, target: str, data: Path, output: Path) -> Task:
    """The pictures of one direction; `recipe` is changed to learn from `learnt` alone."""
    recipe["sources"] = {learnt: {}, target: {}}
    items, shares = labelled(recipe, data)
    faces = open_faces(items, recipe["preprocessing"]["margin"], output)
    train, validation = parts(items, faces, recipe)
    source = np.asarray([item.source for item in items])
    classes = recipe["targets"]["classes"]
    majority = np.asarray([classes.index(item.label) if item.label in classes else -1 for item in items])
    counted = shared_expressions(majority[faces.found], source[faces.found], len(classes))
    known, usable = np.isin(majority, counted), np.isin(shares.argmax(axis=1), counted)
    asked = (source == target) & faces.found & known
    train &= (source == learnt) & usable
    train &= ~copies(faces, train, asked)
    return Task(
        recipe, items, faces, shares, np.where(known, majority, shares.argmax(axis=1)), np.flatnonzero(train),
        np.flatnonzero(validation & (source == learnt) & known), np.flatnonzero(asked), counted,
    )  # fmt: skip


def shared_expressions(majority: NDArray[np.int64], source: NDArray[np.str_], classes: int) -> list[int]:
    """Expressions with at least `LEAST` pictures in every corpus."""
    counts = [np.bincount(majority[(source == name) & (majority >= 0)], minlength=classes) for name in set(source)]
    return [int(c) for c in np.flatnonzero((np.asarray(counts) >= LEAST).all(axis=0))]


def by_network(task: Task, output: Path) -> NDArray[np.int64]:
    """Expressions [n asked] by the network that the recipe trains."""
    torch.set_num_threads(1)
    network = fit(task.recipe, task.faces, task.shares, task.train, output, report=lambda line: print(line, flush=True))
    held = logits_of(network, task.faces, task.validation, task.recipe)
    correction = fit_correction(held, task.shares[task.validation])
    shares = corrected_shares(logits_of(network, task.faces, task.asked, task.recipe), *correction)
    balanced = shares / task.shares[task.train].mean(axis=0)
    return np.asarray(task.counted)[balanced[:, task.counted].argmax(axis=1)]


def hog(pictures: Pictures) -> Pictures:
    """Histograms of oriented gradients [n, 900]: 9 directions, cells of 8 pixels, blocks of 2 x 2 cells (Dalal and
    Triggs, CVPR 2005; scikit-image's)."""
    from skimage.feature import hog as gradients

    return np.stack([gradients(picture, 9, (8, 8), (2, 2)) for picture in pictures]).astype(np.float32)


def pixels(pictures: Pictures) -> Pictures:
    """Grey values at half the size [n, 576], each picture brought to mean 0 and spread 1."""
    n, height, width = pictures.shape
    small = pictures.reshape(n, height // 2, 2, width // 2, 2).mean(axis=(2, 4)).reshape(n, -1)
    small -= small.mean(axis=1, keepdims=True)
    return np.asarray(small / (small.std(axis=1, keepdims=True) + 1e-3), np.float32)


def linear(task: Task, x: Pictures, held: Pictures, asked: Pictures) -> NDArray[np.int64]:
    """A linear machine; its cost is the best of three by recall on validation pictures of its own corpus."""
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.svm import LinearSVC

    fitted = [LinearSVC(C=cost, class_weight="balanced").fit(x, task.actual[task.train]) for cost in _COSTS]
    scores = [balanced_accuracy_score(task.actual[task.validation], machine.predict(held)) for machine in fitted]
    return np.asarray(fitted[int(np.argmax(scores))].predict(asked), np.int64)


def radial(task: Task, x: Pictures, held: Pictures, asked: Pictures) -> NDArray[np.int64]:
    """A machine with a Gaussian kernel, C = 1 and its width from the spread of the data."""
    from sklearn.svm import SVC

    return np.asarray(
        SVC(C=1.0, class_weight="balanced", cache_size=1500).fit(x, task.actual[task.train]).predict(asked), np.int64
    )


def eigenfaces(task: Task, x: Pictures, held: Pictures, asked: Pictures) -> NDArray[np.int64]:
    """The Gaussian machine on the 100 principal components of the training pictures, each of variance 1 (Turk and
    Pentland, CVPR 1991)."""
    from sklearn.decomposition import PCA

    components = PCA(100, whiten=True, random_state=_SEED).fit(x)
    return radial(task, *(np.asarray(components.transform(part), np.float32) for part in (x, held, asked)))


MACHINES: Mapping[str, tuple[Callable[[Pictures], Pictures], Callable[..., NDArray[np.int64]]]] = {
    "HOG, linear SVM": (hog, linear),
    "HOG, Gaussian SVM": (hog, radial),
    "pixels, 100 components, Gaussian SVM": (pixels, eigenfaces),
}


def by_machine(task: Task, name: str) -> NDArray[np.int64]:
    """Expressions [n asked] by a support vector machine on the pictures that the network learns from."""
    features, machine = MACHINES[name]
    spec = task.recipe["preprocessing"]

    def seen(rows: NDArray[np.int64]) -> Pictures:
        grey = plain(task.faces, rows, spec)[:, 0].numpy() * spec["std"][0] + spec["mean"][0]
        return features(grey)

    return machine(task, seen(task.train), seen(task.validation), seen(task.asked))


def recalls(
    actual: NDArray[np.int64], predicted: Mapping[str, NDArray[np.int64]], subjects: list[str]
) -> dict[str, tuple[Interval, Interval]]:
    """By system: (unweighted average recall, how far the network is above it), the same resamples for all."""
    members = np.unique(actual)[None, :] == actual[:, None]  # [n, k]
    resampler = Resampler(len(actual), subjects, seed=_SEED, resamples=_RESAMPLES)

    def average(counts: NDArray[np.float64], hits: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.asarray(((counts @ (members & hits[:, None])) / (counts @ members)).mean(axis=1))

    one = np.ones((1, len(actual)))
    values = {name: float(average(one, guess == actual)[0]) for name, guess in predicted.items()}
    drawn: dict[str, list[NDArray[np.float64]]] = {name: [] for name in predicted}
    for counts in resampler.blocks():
        for name, guess in predicted.items():
            drawn[name].append(average(counts, guess == actual))
    columns = {name: np.concatenate(blocks) for name, blocks in drawn.items()}
    best = columns[NETWORK]
    return {
        name: (
            percentile_interval(column, values[name]),
            percentile_interval(best - column, values[NETWORK] - values[name]),
        )
        for name, column in columns.items()
    }


def direction(learnt: str, target: str, recipe_name: str, epochs: int, data: Path, output: Path) -> str:
    """Train, ask and describe one direction in Markdown."""
    recipe = read_recipe(_RECIPES / recipe_name, modality="face")
    recipe["training"]["epochs"] = epochs
    task = prepare(recipe, learnt, target, data, output)
    folder = output / f"{learnt}-{target}"
    folder.mkdir(parents=True, exist_ok=True)
    predicted = {}
    for name in (NETWORK, *MACHINES):
        path = folder / f"{name.replace(', ', '-').replace(' ', '-')}.npy"
        if not path.is_file():
            np.save(path, by_network(task, folder) if name == NETWORK else by_machine(task, name))
        predicted[name] = np.load(path)
        print(learnt, target, name, flush=True)
    actual = task.actual[task.asked]
    subjects = [task.items[i].subject or task.items[i].key for i in task.asked]
    classes = recipe["targets"]["classes"]
    rows = []
    for name, (own, ahead) in recalls(actual, predicted, subjects).items():
        share = [f"{(predicted[name] == actual)[actual == c].mean():.2f}" for c in task.counted]
        rows.append([name, _points(own), "" if name == NETWORK else _points(ahead), *share])
    names = [f"{classes[c]} ({int((actual == c).sum())})" for c in task.counted]
    head = ["System", "Average recall", "Network ahead by", *names]
    counts = (
        f"{len(task.train)} pictures to learn from, {len(task.validation)} for validation, {len(actual)} asked about"
    )
    title = f"## From {learnt} to {target}\n\nRecipe `{recipe_name}`, {epochs} epochs: {counts}.\n\n"
    return title + table(head, rows)


def _points(found: Interval) -> str:
    return f"{100 * found.value:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


_HEAD = """# Faces of a corpus that training never saw

<!-- Written by `python -m benchmarks.cross_corpus_faces --data DIR --output DIR --page FILE`. Do not edit by hand. -->

Each of the two corpora of labelled faces is left out once. Everything learns from the training part of the other one
and is asked about all faces of the one left out. The network is trained by the package's own code and recipe; the
support vector machines get exactly the same pictures in the same run. Figures are per cent: the unweighted average of
the expressions' recalls (chance 20), its 95 % bootstrap interval over pictures (FER+) or persons (muxspace), and the
paired difference. The last columns are recalls, with the number of pictures.

Fixed beforehand: an expression counts when each corpus has at least 100 faces with it as the majority label (contempt,
disgust and fear do not); faces without a majority label teach by their most frequent vote and are not asked about; each
system answers as if all expressions were equally frequent. Nothing was chosen by these figures. The linear machine's
cost comes from validation pictures of the corpus learnt from; the recipes' settings were chosen on validation pictures,
those of `embedded-face.toml` from both corpora, as the default model learns from both.

"""


def main() -> None:
    """Both directions, as a page or on the screen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--page", type=Path)
    arguments = parser.parse_args()
    text = _HEAD + "\n".join(direction(*names, arguments.data, arguments.output) for names in DIRECTIONS)
    if arguments.page:
        arguments.page.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
