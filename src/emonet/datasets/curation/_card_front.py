"""The front matter by which the Hugging Face Hub finds, shows and loads a data set."""

from __future__ import annotations

import json
from pathlib import Path

from emonet.datasets.curation._set import DATA, WHOLE, SetFacts, shard_paths

_HUB_LICENCES = {
    "apache-2.0": "apache-2.0", "mit": "mit", "cc by 4.0": "cc-by-4.0", "cc-by-4.0": "cc-by-4.0", "cc0": "cc0-1.0",
    "cc by-sa 4.0": "cc-by-sa-4.0", "cc by-nc 4.0": "cc-by-nc-4.0", "cc by-nc-sa 4.0": "cc-by-nc-sa-4.0",
    "odbl 1.0": "odbl", "cc0 1.0": "cc0-1.0",
}  # fmt: skip


def front_matter(facts: SetFacts) -> str:
    """YAML between two lines of dashes: name, licence by the Hub's list, task, size, and where the shards lie."""
    licence = _HUB_LICENCES.get(facts.licence.strip().lower(), "other")
    n = facts.items
    size = next((name for most, name in ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"),
                                         (1e7, "1M<n<10M")) if n < most), "n>10M")  # fmt: skip
    lines = ["---", f"pretty_name: {json.dumps(facts.name, ensure_ascii=False)}", f"license: {licence}"]
    if licence == "other":
        lines.append(f"license_name: {json.dumps(facts.licence or 'not stated', ensure_ascii=False)}")
    task = "audio-classification" if facts.modality == "voice" else "image-classification"
    lines += [
        "task_categories:",
        f"- {task}",
        "tags:",
        "- emotion",
        f"- {facts.modality}",
        "size_categories:",
        f"- {size}",
    ]
    shards = shard_paths(facts)
    parts = [part for part in facts.splits if any(name.startswith(f"{DATA}/{part}/") for name in shards)]
    if parts:
        ending = Path(shards[0]).suffix
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for part in parts:
            shown = "train" if part == WHOLE else part
            lines += [f"  - split: {json.dumps(shown)}", f"    path: {json.dumps(f'{DATA}/{part}/*{ending}')}"]
    return "\n".join([*lines, "---", ""])
