"""How stable a taxonomy derived from a short text is, by the weight of the lexicon, and how long a book takes.

    python -m benchmarks.taxonomy_derivation [--text tests/data/on_the_feelings.txt] [--copies 65] [--resamples 50]

The table of docs/taxonomy-derivation.md. The long text is the short one `copies` times, so its words are few.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from emonet.taxonomy.derivation import Settings, derive

WEIGHTS = (0.0, 0.25, 0.5, 0.75)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, default=Path("tests/data/on_the_feelings.txt"))
    parser.add_argument("--copies", type=int, default=65)
    parser.add_argument("--resamples", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        by_weight(arguments.text, Path(folder), arguments.resamples)
        by_length(arguments.text, Path(folder), arguments.copies)


def by_weight(text: Path, folder: Path, resamples: int) -> None:
    """One row a weight, and the coverage of the published words, which does not depend on it."""
    print("| lexicon weight | categories | adjusted Rand, 95 % | pair agreement | information shared with the 40 |")
    print("| --- | --- | --- | --- | --- |")
    coverage = None
    for weight in WEIGHTS:
        settings = Settings(chunk_words=200, resamples=resamples, lexicon_weight=weight, lexicons=("general",))
        derived = derive(text, folder / f"weight-{weight}", settings)
        stable, coverage = derived.metrics["stability"], derived.metrics["coverage_of_published_words"]
        information = derived.metrics["agreement_with_published_categories"]["adjusted_mutual_information"]
        rand, low, high = stable["adjusted_rand"]
        row = (f"{weight:g}", len(derived.categories), f"{rand:.2f} [{low:.2f}, {high:.2f}]")
        print(
            f"| {row[0]}", *row[1:], f"{stable['pair_agreement'][0]:.3f}", f"{information:.2f} |", sep=" | ", flush=True
        )
    print(f"coverage of the published words: {coverage}")


def by_length(text: Path, folder: Path, copies: int) -> None:
    """Seconds for the text `copies` times over, without resampling and with ten resamples."""
    long = folder / "long.txt"
    long.write_text("\n\n".join([text.read_text(encoding="utf-8")] * copies), encoding="utf-8")
    for resamples in (0, 10):
        began = time.monotonic()
        derived = derive(long, folder / f"long-{resamples}", Settings(resamples=resamples))
        print(f"{derived.words:,} words, {resamples} resamples: {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
