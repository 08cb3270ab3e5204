"""From shards to a finished set and its checks, card and upload plan, on generated media."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import PIL.Image
import polars as pl
import pytest

from datasets_curation_media import picture
from emonet.datasets import read_face_binary, triple_positives
from emonet.datasets._samples import Sample, list_shards, read_samples
from emonet.datasets._shard_writer import write_shards
from emonet.datasets.curation import (
    build_dataset,
    inspect_dataset,
    push_dataset,
    read_recipe,
    read_set,
    split_dataset,
    validate_dataset,
    write_card,
    write_validation,
)
from emonet.errors import UsageError

_FACES = """
name = "made-faces"
modality = "face"

[[source]]
name = "made"
input = ["faces"]
facts = { years = "age" }

[copies]
drop = false

[split]
shares = { train = 0.5, test = 0.5 }
by = ["identity"]

[output]
kind = "parquet"
"""


def _digest(folder: Path) -> dict[str, str]:
    """Hash of each file of the set, measures aside."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".survey" not in path.parts]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_recipe_makes_a_set_that_is_fit(voice_shards: Path, recipe: Callable[..., Path], tmp_path: Path) -> None:
    """What is damaged, too short or a copy goes with its reason; the rest is split by speaker and passes all checks."""
    decision = build_dataset(recipe(), tmp_path / "set")
    assert {step.name: step.reasons for step in decision.report.steps} == {
        "quality": {"cannot be read": 1, "too short": 1},
        "copies": {"a copy of another": 1},
        "balance": {"more than the limit of its cell": 12},
        "categories": {},
    }
    facts, items = read_set(tmp_path / "set")
    assert facts.items == len(items) == 36
    assert list(facts.splits) == ["train", "validation", "test"]
    parts = items.group_by("speaker").agg(pl.col("split").n_unique())
    assert parts["split"].to_list() == [1] * 12
    dropped = pl.read_parquet(tmp_path / "set" / "dropped.parquet")
    assert dropped.filter(pl.col("item") == "x-broken")["reason"].to_list() == ["cannot be read"]
    assert len(dropped) + len(items) == 51
    held = {
        sample.key: sample for shard in list_shards(tmp_path / "set" / "data") for sample in read_samples(shard.address)
    }
    assert set(held) == set(items["item"])
    assert all(sample.licence == "CC BY 4.0" and sample.consent == "signed form" for sample in held.values())
    assert {key: sample.facts["split"] for key, sample in held.items()} == dict(
        items.select("item", "split").iter_rows()
    )
    found = validate_dataset(tmp_path / "set")
    assert (found.ok, found.findings, found.items) == (True, (), 36)


def test_the_same_recipe_gives_the_same_bytes(voice_shards: Path, recipe: Callable[..., Path], tmp_path: Path) -> None:
    """Another folder, a second run over kept measures, and two processes: no byte differs."""
    build_dataset(recipe(), tmp_path / "one")
    build_dataset(recipe(), tmp_path / "two", workers=2)
    first = _digest(tmp_path / "one")
    assert first == _digest(tmp_path / "two")
    assert len([name for name in first if name.endswith(".tar")]) == 6
    build_dataset(recipe(), tmp_path / "one")
    assert first == _digest(tmp_path / "one")


def test_measures_are_kept_for_other_limits(
    voice_shards: Path, recipe: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second choice of limits decodes nothing; an interrupted survey goes on."""
    build_dataset(recipe(), tmp_path / "set")
    monkeypatch.setattr("emonet.datasets.curation._survey.measure_sound", lambda _: pytest.fail("decoded again"))
    with pytest.raises(UsageError, match=r"'quality' leaves nothing of 51 items .*too quiet 49"):
        build_dataset(recipe(**{"max_clipped = 0.2": "min_rms_db = -10"}), tmp_path / "set")


def test_a_build_that_fails_leaves_no_finished_set(
    voice_shards: Path, recipe: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while it writes, the folder says that it holds no set; the next run makes it."""
    monkeypatch.setattr("emonet.datasets.curation._build.file_facts", _stop)
    with pytest.raises(KeyboardInterrupt):
        build_dataset(recipe(), tmp_path / "set")
    with pytest.raises(UsageError, match=r"holds no dataset\.json"):
        read_set(tmp_path / "set")
    monkeypatch.undo()
    build_dataset(recipe(), tmp_path / "set")
    assert validate_dataset(tmp_path / "set", copies=False).ok


def _stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_copies_that_stay_are_kept_together(face_shards: Path, recipe: Callable[..., Path], tmp_path: Path) -> None:
    """Marked copies of different people land in one part, so that the set has no leak."""
    decision = build_dataset(recipe(_FACES), tmp_path / "set")
    pair = decision.items.filter(pl.col("copies").is_not_null())
    assert sorted(pair["item"]) == ["f00", "x-copy"]
    assert pair["split"].n_unique() == 1
    assert decision.items["years"].to_list()[:3] == [20, 30, 40]
    assert validate_dataset(tmp_path / "set", subjects=["identity"]).ok


def test_leaks_and_missing_rights_are_found(face_shards: Path, tmp_path: Path) -> None:
    """Shards whose samples name their part: a person and a copy in two parts, no consent, a file that is no picture."""
    samples = [
        replace(sample, consent="" if k == 2 else sample.consent, facts={**sample.facts, "split": "ab"[k % 2]})
        for k, sample in enumerate(s for shard in list_shards(face_shards) for s in read_samples(shard.address))
    ]
    samples[0] = replace(samples[0], facts={**samples[0].facts, "split": "b", "identity": "p1"})
    samples[5] = replace(samples[5], media=b"no picture")
    write_shards(samples, tmp_path / "bad")
    found = validate_dataset(tmp_path / "bad", subjects=["identity"])
    assert not found.ok
    told = {finding.check: finding for finding in found.findings}
    assert set(told) == {"media", "consent", "copies in several parts"}
    assert told["consent"].examples == ("f02",)
    assert told["copies in several parts"].examples == ("f00 and x-copy",)
    moved = [replace(samples[8], facts={**samples[8].facts, "split": "b"}), *samples[9:], *samples[:8]]
    write_shards(moved, tmp_path / "worse")
    checks = [finding.check for finding in validate_dataset(tmp_path / "worse", subjects=["identity"]).findings]
    assert "subjects in several parts" in checks


def test_altered_and_lost_files_are_found(voice_shards: Path, recipe: Callable[..., Path], tmp_path: Path) -> None:
    """Every listed file must be the one that was written, and nothing else may lie among the shards."""
    build_dataset(recipe(), tmp_path / "set")
    shard = next((tmp_path / "set" / "data" / "train").glob("*.tar"))
    (shard.parent / "extra.tar").write_bytes(shard.read_bytes())
    table = tmp_path / "set" / "report.json"
    table.write_text(table.read_text() + " ")
    (tmp_path / "set" / "copies.parquet").unlink()
    messages = [finding.message for finding in validate_dataset(tmp_path / "set", copies=False).findings]
    assert any("1 files that dataset.json names are missing" in one for one in messages)
    assert any("1 files are not the ones that were written" in one for one in messages)
    assert any("1 files in data/ that no list names" in one for one in messages)


def test_a_truncated_shard_is_a_finding(voice_shards: Path) -> None:
    """Validation goes on behind a shard that breaks off; building does not."""
    shard = sorted(voice_shards.glob("*.tar"))[1]
    shard.write_bytes(shard.read_bytes()[:100_000])
    found = validate_dataset(voice_shards)
    assert any("rest of shard-000001" in example for one in found.findings for example in one.examples)
    assert found.items > 30


def test_the_card_tells_what_was_measured(voice_shards: Path, recipe: Callable[..., Path], tmp_path: Path) -> None:
    """Front matter for the Hub, the rules with their counts, balance, rights and checks; the same bytes every time."""
    pytest.importorskip("matplotlib")
    build_dataset(recipe(), tmp_path / "set")
    found = validate_dataset(tmp_path / "set")
    text = write_card(tmp_path / "set", validation=found).read_text(encoding="utf-8")
    assert text.startswith('---\npretty_name: "made-voices"\nlicense: cc-by-4.0\n')
    assert 'path: "data/train/*.tar"' in text
    assert "| quality | " in text
    assert "cannot be read 1; too short 1" in text
    assert "12 values of `speaker` with 3 to 3 items each" in text
    assert "Nothing was found." in text
    assert "Not in this set: Amusement" in text
    pictures = {path.name: path.read_bytes() for path in (tmp_path / "set" / "card").iterdir()}
    assert {"labels.png", "measure-duration_s.png", "people-gender.png"} <= set(pictures)
    assert all(f"card/{name}" in text for name in pictures)
    assert write_card(tmp_path / "set", validation=found).read_text(encoding="utf-8") == text
    assert {path.name: path.read_bytes() for path in (tmp_path / "set" / "card").iterdir()} == pictures


def test_foreign_texts_do_not_break_the_card(tmp_path: Path, recipe: Callable[..., Path]) -> None:
    """Pipes, markup and line ends in facts stay text."""
    samples = [
        replace(sample, facts={**sample.facts, "label": "<b>|x", "gender": "a|b\n# c"}, source="[x](y)")
        for sample in _faces()
    ]
    write_shards(samples, tmp_path / "faces")
    build_dataset(recipe(_FACES), tmp_path / "set")
    text = write_card(tmp_path / "set", figures=False).read_text(encoding="utf-8")
    assert "<b>" not in text.replace("\\<b\\>", "")
    assert "\n# c" not in text
    assert "[x](y)" not in text


def _faces() -> list[Sample]:
    out = []
    for k in range(6):
        buffer = io.BytesIO()
        PIL.Image.fromarray(picture(k, 32)).save(buffer, "PNG")
        out.append(Sample(f"f{k}", buffer.getvalue(), "png", "face", {"identity": f"p{k}"}, "MIT", "yes", ""))
    return out


def test_nothing_is_sent_without_being_told(voice_shards: Path, recipe: Callable[..., Path], tmp_path: Path) -> None:
    """A dry run lists what would go and what stands against it; problems stop a real one before any request."""
    build_dataset(recipe(), tmp_path / "set")
    (tmp_path / "set" / "private-notes.txt").write_text("not part of the set")
    plan = push_dataset(tmp_path / "set", "me/set")
    assert not plan.sent
    assert [problem.partition(" (")[0] for problem in plan.problems] == [
        "it has no card",
        "it was not validated as it is now",
    ]
    with pytest.raises(UsageError, match="no card"):
        push_dataset(tmp_path / "set", "me/set", dry_run=False)
    write_card(tmp_path / "set", figures=False)
    write_validation(tmp_path / "set", validate_dataset(tmp_path / "set"))
    ready = push_dataset(tmp_path / "set", "me/set")
    assert ready.problems == ()
    names = [name for name, _ in ready.files]
    assert "README.md" in names
    assert not any("survey" in name or "notes" in name for name in names)
    build_dataset(recipe(**{"seed = 3": "seed = 4"}), tmp_path / "set")
    assert "not validated as it is now" in push_dataset(tmp_path / "set", "me/set").problems[0]
    with pytest.raises(UsageError, match="owner/name"):
        push_dataset(tmp_path / "set", "set")


def test_inspection_counts_facts_and_rights(voice_shards: Path) -> None:
    """What every sample says, without decoding it."""
    found = inspect_dataset(voice_shards)
    assert (found.samples, len(found.shards), found.cut) == (51, 3, False)
    assert found.licences == {"CC BY 4.0": 51}
    assert found.facts["speaker"].told == 51
    assert inspect_dataset(voice_shards, limit=5).cut


def test_a_split_of_shards_is_a_table(voice_shards: Path, tmp_path: Path) -> None:
    """Facts are enough; the shards are not touched, and the table can be split again."""
    made = split_dataset(voice_shards, tmp_path / "parts.csv", by=["speaker"], shares={"a": 0.5, "b": 0.5})
    assert pl.read_csv(tmp_path / "parts.csv").columns == ["item", "split"]
    assert made.shares["a"] == pytest.approx(0.5, abs=0.06)
    assert len(split_dataset(tmp_path / "parts.csv", tmp_path / "again.parquet", seed=1).table) == 51
    with pytest.raises(UsageError, match=r"\.parquet or \.csv"):
        split_dataset(voice_shards, tmp_path / "parts.txt")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('modality = "voice"', 'modality = "smell"', "modality"),
        ("most = 3", "most = 3\nleast = 1", "balance.least"),
        ("min_duration_s", "min_face_px", r"\[quality\] has 'min_face_px'"),
        ('input = ["voices"]', "", "either input"),
        ('input = ["voices"]', 'input = ["nowhere"]', "nowhere"),
        ("[categories]", "[agreement]\n[categories]", "need ratings"),
        ('by = ["speaker"]\nmost', 'by = ["shoe"]\nmost', "no column 'shoe'"),
    ],
)
def test_a_faulty_recipe_is_named(
    voice_shards: Path, recipe: Callable[..., Path], tmp_path: Path, old: str, new: str, match: str
) -> None:
    """File or place, what is wrong, and what would be right."""
    with pytest.raises(UsageError, match=match):
        build_dataset(read_recipe(recipe(**{old: new})), tmp_path / "set")


def test_keys_that_repeat_over_shards_get_their_shard_s_name(tmp_path: Path, recipe: Callable[..., Path]) -> None:
    """Tars of Emolia's kind count their keys anew; none is lost."""
    for part in "ab":
        write_shards([replace(s, key=f"{k:03d}") for k, s in enumerate(_faces())], tmp_path / "faces", name=part)
    text = _FACES.replace('by = ["identity"]\n', "").replace("[copies]\ndrop = false\n", "")
    decision = build_dataset(recipe(text), tmp_path / "set")
    assert sorted(decision.items["item"])[:2] == ["a-000000_000", "a-000000_001"]
    assert validate_dataset(tmp_path / "set", copies=False).items == 12


_BINARY = """
name = "triple-positive"
modality = "face"
media = false

[[source]]
name = "binary"
rated = { reader = "face_binary", arguments = { ratings = "%s" } }
consent = "generated pictures of no real person"

[agreement]
raters = 3

[categories]
required = true

[split]
shares = { train = 0.9, test = 0.1 }
stratify = ["label"]
"""


@pytest.mark.shared
def test_triple_positives_of_face_binary(shared: Path, recipe: Callable[..., Path], tmp_path: Path) -> None:
    """Strict three-rater agreement on the real ratings leaves the 9,075 published pictures, in all 40 emotions."""
    ratings = shared / "data" / "ratings" / "emonet_face_binary.csv"
    decision = build_dataset(recipe(_BINARY % ratings), tmp_path / "set")
    wanted = triple_positives(read_face_binary(ratings))
    assert len(decision.items) == 9075
    assert set(decision.items.select("key", "label").iter_rows()) == set(wanted.iter_rows())
    assert decision.split is not None
    assert decision.split.shares["test"] == pytest.approx(0.1, abs=0.001)
    assert decision.split.unevenness < 0.05
    text = write_card(tmp_path / "set", figures=False).read_text(encoding="utf-8")
    assert "| Sexual Lust | 1 |" in text
    assert "chosen by what people said" in text


def test_the_contract_is_light() -> None:
    """Importing the package's names loads neither tables nor media libraries."""
    code = (
        "import sys, emonet.datasets.curation as c; "
        "print([m for m in ('matplotlib', 'onnxruntime', 'huggingface_hub', 'scipy') if m in sys.modules]); "
        "print(sorted(set(c.__all__) - set(c._MODULE)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]


def test_the_report_on_disk_is_that_of_the_decision(
    voice_shards: Path, recipe: Callable[..., Path], tmp_path: Path
) -> None:
    """report.json holds every rule with its counts."""
    decision = build_dataset(recipe(), tmp_path / "set")
    told = json.loads((tmp_path / "set" / "report.json").read_text())
    assert told["kept"] == decision.report.kept == 36
    assert [step["name"] for step in told["steps"]] == ["quality", "copies", "balance", "categories"]
