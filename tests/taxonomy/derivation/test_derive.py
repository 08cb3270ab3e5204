"""A whole derivation, offline: every step in a file, nothing done twice, nothing of people's work lost."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("textblob", reason="the taxonomy extra is not installed")
pytest.importorskip("sklearn", reason="the taxonomy extra is not installed")
from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import EMOTIONS
from emonet.taxonomy.derivation import Settings, agreement, compare, derive, plan, read_review
from emonet.taxonomy.derivation._clusters import cluster, display
from emonet.taxonomy.derivation._metrics import coverage, published_words
from made_books import TEXT, write_epub, write_pdf

SMALL = Settings(chunk_words=200, resamples=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The derivation of the text, made once."""
    made = tmp_path_factory.mktemp("derived")
    derive(TEXT, made, SMALL)
    return made


def test_every_step_is_a_file_that_can_be_read(folder: Path) -> None:
    """Pages, chunks, mentions, words, vectors, categories, review, metrics, and what each was made from."""
    lines = {name: (folder / name).read_text(encoding="utf-8").splitlines() for name in ("pages.jsonl", "chunks.jsonl")}
    chunks = [json.loads(line) for line in lines["chunks.jsonl"]]
    assert [word for chunk in chunks for word in chunk["text"].split()] == TEXT.read_text(encoding="utf-8").split()
    with (folder / "words.csv").open(encoding="utf-8", newline="") as file:
        words = list(csv.DictReader(file))
    assert words[0]["word"] == "fear"
    assert words[0]["places"].startswith("par. ")
    assert sum(int(row["count"]) for row in words) == json.loads((folder / "metrics.json").read_text())["occurrences"]
    assert np.load(folder / "vectors.npy").shape[0] == len(words)
    record = json.loads((folder / "derivation.json").read_text())
    assert (record["book"]["file"], record["settings"]["chunk_words"]) == ("on_the_feelings.txt", 200)


def test_the_proposal_makes_sense(folder: Path) -> None:
    """Near-synonyms are together, opposites are apart, and each category has quotations with places."""
    review = read_review(folder / "review.md")
    of = {word: section.name for section in review.categories for word in section.words}
    assert of["anger"] == of["angry"] == of["irritation"] == "Anger"
    assert of["envy"] == of["jealousy"]
    assert len({of[word] for word in ("joy", "fear", "sadness", "disgust", "pride")}) == 5
    assert {section.group for section in review.categories} <= {
        "Pleasant Feelings",
        "Unpleasant Feelings",
        "Other Feelings",
    }
    assert review.text.count("\n> ") > len(review.categories)
    assert "(par. " in review.text


def test_metrics_tell_what_they_are_worth(folder: Path) -> None:
    """Coverage beside what the book and the lexicon could give at most; stability with its range."""
    metrics = json.loads((folder / "metrics.json").read_text())
    covered, stable = metrics["coverage_of_published_words"], metrics["stability"]
    assert covered["published"] == 248
    assert covered["exact_of_in_text"] <= covered["in_text"] < covered["in_lexicon"] < 248
    assert 0.9 * covered["in_text"] < covered["exact"] <= covered["by_lemma"]
    mean, low, high = stable["adjusted_rand"]
    assert 0.3 < low <= mean <= high <= 1
    assert metrics["agreement_with_published_categories"]["adjusted_mutual_information"] > 0.4


def test_a_second_run_takes_what_it_has(folder: Path) -> None:
    """The same result, and the long steps from their files."""
    before = (folder / "clusters.csv").read_bytes()
    again = derive(TEXT, folder, SMALL)
    assert set(again.reused) == {"pages.jsonl", "mentions.jsonl", "metrics.json"}
    assert not again.review_kept
    assert (folder / "clusters.csv").read_bytes() == before


def test_an_edited_review_is_left_alone(folder: Path, tmp_path: Path) -> None:
    """A derivation with other settings proposes anew beside it; the book of a folder stays the same."""
    for name in ("derivation.json", "pages.jsonl", "mentions.jsonl", "proposal.md", "review.md"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    edited = (tmp_path / "review.md").read_text(encoding="utf-8").replace("## Anger", "## Wrath")
    (tmp_path / "review.md").write_text(edited, encoding="utf-8")
    done = derive(TEXT, tmp_path, Settings(chunk_words=200, resamples=0, categories=12, lexicon_weight=0))
    assert done.review_kept
    assert done.metrics["stability"] is None
    assert (tmp_path / "review.md").read_text(encoding="utf-8") == edited
    assert len(read_review(tmp_path / "proposal.md").categories) == 12
    other = tmp_path / "other.txt"
    other.write_text("fear joy anger")
    with pytest.raises(UsageError, match=r"holds a derivation of 'on_the_feelings\.txt'"):
        derive(other, tmp_path, SMALL)


def test_pdf_and_epub_give_the_same_words_as_the_text(folder: Path, tmp_path: Path, lectures: list[str]) -> None:
    """Only the places differ: printed pages, chapters."""
    import textwrap

    words = TEXT.read_text(encoding="utf-8").split()
    bodies = [textwrap.wrap(" ".join(words[at : at + 250]), 80) for at in range(0, len(words), 250)]
    pdf = write_pdf(tmp_path / "b.pdf", [[f"ON THE FEELINGS {k}", *body] for k, body in enumerate(bodies, 1)])
    title = TEXT.read_text(encoding="utf-8").partition("LECTURE ")[0]
    chapters = ["".join(f"<p>{paragraph}</p>" for paragraph in one.split("\n\n")) for one in [title, *lectures]]
    epub = write_epub(tmp_path / "b.epub", chapters)
    settings = Settings(chunk_words=200, resamples=0)
    for book, place in ((pdf, "p. 1"), (epub, "ch. 2, par. ")):
        derive(book, tmp_path / book.suffix, settings)
        assert compare(folder, tmp_path / book.suffix)["jaccard"] == 1
        assert place in (tmp_path / book.suffix / "words.csv").read_text(encoding="utf-8")


def test_hdbscan_leaves_words_alone(tmp_path: Path) -> None:
    """They stand under a heading in parentheses and are not built."""
    done = derive(TEXT, tmp_path, Settings(chunk_words=200, resamples=2, method="hdbscan"))
    assert done.loose
    assert done.metrics["stability"]["resamples"] == 2
    review = read_review(done.review)
    assert review.sections[-1].name == "(not grouped)"
    assert len(review.categories) == len(done.categories)


def test_a_plan_sends_and_writes_nothing(tmp_path: Path) -> None:
    """Chunks and time offline."""
    planned = plan(TEXT, SMALL)
    assert (planned.chunks, planned.calls, planned.cost) == (16, 0, None)
    assert planned.words == len(TEXT.read_text(encoding="utf-8").split())


def test_a_book_without_feelings_is_refused(tmp_path: Path) -> None:
    """With what to try."""
    (tmp_path / "a.txt").write_text("The gear has forty teeth. The shaft is steel.")
    with pytest.raises(UsageError, match="too few to group"):
        derive(tmp_path / "a.txt", tmp_path / "out", SMALL)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"chunk_words": 0}, "expected 1 or more"),
        ({"categories": 0}, "expected 1 or more"),
        ({"method": "kmeans"}, "Unknown choice of method"),
        ({"method": "hdbscan", "categories": 3}, "HDBSCAN finds the number"),
        ({"lexicon_weight": 2}, "expected 0 to 1"),
    ],
)
def test_settings_are_checked(given: dict, said: str) -> None:
    """Before anything is read."""
    with pytest.raises((UsageError, UnknownNameError), match=said):
        Settings(**given)


def test_services_need_an_address(tmp_path: Path) -> None:
    """Before the book is read."""
    with pytest.raises(UsageError, match="--url, --model"):
        derive(TEXT, tmp_path, Settings(finder="service"))
    with pytest.raises(UsageError, match="--embedding-model"):
        derive(TEXT, tmp_path, Settings(vectors="service"))


def test_agreement_of_two_derivations() -> None:
    """1 for the same grouping under other names, about 0 for one that tells nothing."""
    first = {"fear": "a", "dread": "a", "joy": "b", "glee": "b", "awe": "c"}
    same = {"fear": "x", "dread": "x", "joy": "y", "glee": "y", "rage": "z"}
    found = agreement(first, same)
    assert (found.common, found.jaccard, found.categories) == (4, 4 / 6, (3, 3))
    assert found.adjusted_mutual_information == pytest.approx(1)
    assert found.adjusted_rand == pytest.approx(1)
    crossed = {"fear": "x", "dread": "y", "joy": "x", "glee": "y"}
    assert agreement(first, crossed).adjusted_rand < 0.1
    assert agreement(first, {"rage": "a"}).adjusted_rand is None
    assert agreement({}, {}).jaccard == 0


def test_the_published_words_cover_themselves() -> None:
    """All 248 entries; a derivation without words covers none."""
    from emonet.taxonomy.derivation._terms import Term

    terms = [Term(w, (w.casefold(),), ("noun",), 1, {}, {}, {}, ("service",)) for e in EMOTIONS for w in e.words]
    assert coverage(terms, (), None).exact == 248
    assert coverage((), (), None).by_lemma == 0
    assert len(set(published_words().values())) == 40


def test_clusters_of_clear_groups() -> None:
    """Three bundles of directions are found with and without being told their number; names are written large."""
    random = np.random.default_rng(0)
    vectors = np.repeat(np.eye(3), 6, axis=0) + random.normal(0, 0.05, (18, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    truth = np.repeat([0, 1, 2], 6)
    for labels in (cluster(vectors, number=3), cluster(vectors, method="hdbscan", least=3)):
        assert agreement(*({str(k): str(x) for k, x in enumerate(some)} for some in (truth, labels))).adjusted_rand == 1
    assert cluster(vectors[:1]).tolist() == [0]
    with pytest.raises(UsageError, match="expected 1 to 18"):
        cluster(vectors, number=19)
    assert display("self-esteem") == "Self-Esteem"
    assert display("existential void") == "Existential Void"
