"""How much of FER+'s test part has a copy in its training part, and what that does to the embedded face model.

    python -m benchmarks.ferplus_copies --data DIR

DIR holds `manifest.csv` and the pictures it lists under the source `ferplus`. Prints the figures of docs/datasets.md.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emonet.datasets.curation import PictureSignature, picture_copies, picture_signature
from emonet.media import decode_image
from emonet.models import load_model
from emonet.statistics import mean_interval
from emonet.training._face_figures import expected_shares
from emonet.training._face_targets import vote_shares
from emonet.training._manifest import Item, read_manifest

_RECIPE = Path(__file__).parents[1] / "recipes" / "embedded-face.toml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    items = [item for item in read_manifest(data, "face") if item.source == "ferplus"]
    signatures, pixels = [], {}
    for item in items:
        picture = decode_image(item.path).pixels
        signatures.append(picture_signature(picture))
        if item.split == "test":
            pixels[item.key] = picture
    near = copied(items, signatures)
    print(f"{len(near)} of {len(pixels)} test pictures have a copy in another part")
    for line in figures(items, pixels, near):
        print(line)


def copied(items: list[Item], signatures: list[PictureSignature]) -> set[str]:
    """Test pictures with a copy in another part."""
    parts = {item.key: item.split for item in items}
    pairs = picture_copies([item.key for item in items], signatures).select("first", "second").iter_rows()
    both = [pair for a, b in pairs for pair in ((a, b), (b, a))]
    return {one for one, other in both if parts[one] == "test" and parts[other] != "test"}


def figures(items: list[Item], pixels: dict[str, NDArray[np.uint8]], near: set[str]) -> list[str]:
    """Share of test pictures whose most voted expression the embedded model puts first, with and without copies."""
    recipe = tomllib.loads(_RECIPE.read_text(encoding="utf-8"))
    scored = [(item, vote_shares(item, recipe)) for item in items if item.split == "test"]
    kept = [(item, shares) for item, shares in scored if shares is not None]
    voted = np.stack([shares for _, shares in kept])
    found = expected_shares(load_model("face"), [pixels[item.key] for item, _ in kept], voted.shape[1])
    hits = found.argmax(axis=1) == voted.argmax(axis=1)
    copy = np.array([item.key in near for item, _ in kept])
    lines = []
    for name, chosen in (("all", np.ones(len(hits), bool)), ("without copies", ~copy), ("copies only", copy)):
        subjects = [item.key for (item, _), taken in zip(kept, chosen, strict=True) if taken]
        lines.append(
            f"top-1 of eight, {name}: {int(chosen.sum())} pictures, {mean_interval(hits[chosen], subjects, seed=0)}"
        )
    return lines


if __name__ == "__main__":
    main()
