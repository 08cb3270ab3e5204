"""A release: what the readers, the estimator, a bulk run and the annotation platform make of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

pytest.importorskip("pyloudnorm", reason="the extra `synthesis` is not installed")

from emonet.datasets import describe, list_shards, parse_talent_annotation, read_samples
from emonet.errors import UnknownNameError, UsageError
from emonet.synthesis.voices import (
    EspeakGenerator,
    FinishPolicy,
    Release,
    VoiceDesign,
    hours_table,
    plan_voices,
    synthesize_voices,
)
from humming import Hummer

DESIGN = VoiceDesign(voices=["alloy", "onyx"], emotions=["anger", "Jealousy & Envy"], languages=["en", "de"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Eight hummed clips in two languages; tests leave the folder as it is."""
    folder = tmp_path_factory.mktemp("release") / "talent"
    return synthesize_voices(DESIGN, Hummer(), folder, policy=FinishPolicy(min_speech=0.0), workers=1)


def test_tars_are_named_as_published_and_hold_its_keys(made: Release) -> None:
    names = sorted(path.name for path in (made.folder / "raw").iterdir())
    assert "english_alloy_intense_anger_rage_fury_hate_irascibility_enragement_vocalbursts_fixed.tar" in names
    assert len(names) == 8
    assert names == sorted(path.name for path in (made.folder / "enhanced").iterdir())
    for kind, extension, keys in (
        ("raw", "wav", ("whisper_transcription", "SNAC 24 kHz", "playtime_sec")),
        ("enhanced", "mp3", ("annotation", "duration", "detailed_caption", "flash_transcription")),
    ):
        for shard in list_shards(made.folder / kind):
            for sample in read_samples(shard.address):
                assert sample.problem == ""
                assert sample.extension == extension
                assert set(keys) < set(sample.facts)
                assert sample.facts["synthetic"] is True
                assert (sample.licence, sample.source) == ("CC0-1.0", "hummer")
                assert "generated" in sample.consent
                assert sample.facts["provenance"]["generator"] == "hummer"


@pytest.mark.parametrize("kind", ["raw", "enhanced"])
def test_the_reader_finds_emotion_language_voice_words_and_length(made: Release, kind: str) -> None:
    told = {}
    for shard in list_shards(made.folder / kind):
        told.update({sample.key: describe(sample) for sample in read_samples(shard.address)})
    assert set(told) == {clip.script.part.key for clip in made.session.clips}
    for clip in made.session.clips:
        found = told[clip.script.part.key]
        part = clip.script.part
        assert (found.emotion, found.language, found.speaker) == (part.emotion, part.language, part.voice)
        assert found.text == clip.script.text
        assert found.duration_s == clip.duration_s
        assert found.unread == ()
        if kind == "enhanced":
            assert found.scores == {part.emotion: part.intensity}
            assert found.caption is not None
            assert "synthetic" in found.caption


def test_the_annotation_says_that_nobody_judged(made: Release) -> None:
    shard = list_shards(made.folder / "enhanced")[0]
    (sample,) = read_samples(shard.address)
    said = parse_talent_annotation(sample.facts["annotation"])
    assert list(said.comments.values()) == ["asked of the actor, not judged"]
    assert said.speech == sample.facts["text"]


def test_the_manifest_is_what_annotation_takes(made: Release, tmp_path: Path) -> None:
    from emonet.annotation._media_folder import read_items

    items = read_items(made.folder, manifest=made.folder / "manifest.csv")
    assert [item.dimensions for item in items] == [(clip.script.part.emotion,) for clip in made.session.clips]
    assert {item.demographics["speaker"] for item in items} == {"alloy", "onyx"}
    # Without the manifest the folder of each clip names its emotion.
    assert {item.dimensions for item in read_items(made.folder)} == {("anger",), ("jealousy_envy",)}


def test_a_project_is_made_of_it(made: Release, tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy", reason="the extra `annotation` is not installed")
    from emonet.annotation._project import init_project
    from emonet.annotation.protocols import binary

    project = init_project(
        made.folder, binary(modality="voice"), folder=tmp_path / "project", manifest=made.folder / "manifest.csv"
    )
    assert project.items == 8
    assert project.units == 16  # each clip is asked about its emotion and about the contrast


def test_packed_shards_hold_the_same_samples(tmp_path: Path, made: Release, lenient: FinishPolicy) -> None:
    packed = synthesize_voices(DESIGN, Hummer(), tmp_path / "packed", policy=lenient, workers=1, layout="packed")
    (shard,) = list_shards(packed.folder / "raw")
    assert shard.name == "talent"
    apart = [sample for one in list_shards(made.folder / "raw") for sample in read_samples(one.address)]
    together = list(read_samples(shard.address))
    assert sorted(apart, key=lambda one: one.key) == sorted(together, key=lambda one: one.key)


def test_the_same_call_again_makes_nothing_and_equal_bytes(made: Release, lenient: FinishPolicy) -> None:
    before = {path.name: path.read_bytes() for path in (made.folder / "raw").iterdir()}
    hummer = Hummer()
    again = synthesize_voices(DESIGN, hummer, made.folder, policy=lenient, workers=1)
    assert hummer.orders == []
    assert again.session.kept == 8
    assert before == {path.name: path.read_bytes() for path in (made.folder / "raw").iterdir()}


def test_the_report_says_what_was_made_and_what_it_cost(made: Release) -> None:
    report = json.loads((made.folder / "report.json").read_text())
    assert (report["clips"], report["failed"], report["synthetic"]) == (8, 0, True)
    assert report["cost"] == made.cost == pytest.approx(0.08)
    assert report["design"]["generator"] == "hummer"
    assert len(report["shards"]["raw"]) == 8
    scripts = [json.loads(line) for line in (made.folder / "scripts.jsonl").read_text().splitlines()]
    assert [one["part"]["key"] for one in scripts] == [clip.script.part.key for clip in made.session.clips]


def test_failures_are_listed_beside_the_release(tmp_path: Path, lenient: FinishPolicy) -> None:
    broken = Hummer(lambda order, samples: samples * 0 if order.script.part.voice == "onyx" else samples)
    made = synthesize_voices(DESIGN, broken, tmp_path / "talent", policy=lenient, workers=1, attempts=2)
    lines = [json.loads(line) for line in (made.folder / "failed.jsonl").read_text().splitlines()]
    assert len(lines) == len(made.session.failures) == 4
    assert lines[0]["faults"] == ["silent or empty", "silent or empty"]
    assert len(list_shards(made.folder / "raw")) == 4


def test_hours_are_counted_as_in_the_published_table(tmp_path: Path, lenient: FinishPolicy) -> None:
    design = VoiceDesign(voices=2, emotions=["awe", "pain"], languages=["en", "fr"], challenges=["none", "whisper"])
    made = synthesize_voices(design, Hummer(), tmp_path / "talent", policy=lenient, workers=1)
    rows = {(row.group, row.name): row for row in hours_table(made.session.clips)}
    lengths = {clip.script.part.key: clip.duration_s for clip in made.session.clips}
    plain = [clip for clip in made.session.clips if clip.script.part.challenge == "none"]
    english = sum(clip.duration_s for clip in plain if clip.script.part.language == "en") / 3600
    assert rows["language", "English"].hours == pytest.approx(english)
    assert rows["english accent", "none"].hours == pytest.approx(english)
    # Challenges count apart from languages, so that the groups add up to everything.
    apart = sum(row.hours for (group, _), row in rows.items() if group in ("language", "acting challenges"))
    assert apart == pytest.approx(sum(lengths.values()) / 3600)
    assert sum(row.hours for (group, _), row in rows.items() if group == "voice") == pytest.approx(apart)
    assert rows["acting challenges", "English+French"].clips == 4
    assert rows["english accent", "Louisiana"].clips == 0
    assert rows["language", "English"].published == 2156
    with (made.folder / "hours.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert list(table[0])[:4] == ["group", "name", "hours", "note"]
    published = [row for row in table if row["group"] == "english accent" and row["published_hours"]]
    assert sum(float(row["published_hours"]) for row in published) == 2156


def test_a_folder_of_another_design_is_left_alone(made: Release, tmp_path: Path, lenient: FinishPolicy) -> None:
    with pytest.raises(UsageError, match="another release"):
        synthesize_voices(VoiceDesign(voices=1, emotions=["awe"]), Hummer(), made.folder, policy=lenient)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="other files"):
        synthesize_voices(DESIGN, Hummer(), tmp_path / "mine", policy=lenient)
    with pytest.raises(UsageError, match="is a file"):
        synthesize_voices(DESIGN, Hummer(), tmp_path / "mine" / "letter.txt", policy=lenient)


def test_a_plan_counts_and_does_nothing(tmp_path: Path) -> None:
    hummer = Hummer()
    plan = plan_voices(VoiceDesign(), hummer)
    assert (plan.balance.clips, plan.recording.requests) == (440, 440)
    assert plan.recording.cost == pytest.approx(4.4)
    assert hummer.orders == []
    assert plan.writing is None


def test_accents_are_those_of_the_speaker(espeak: EspeakGenerator) -> None:
    named = {part.accent for part in VoiceDesign(languages=["en"]).parts(espeak)}
    assert {"none", "British", "Scottish"} <= named
    # A language without the named accents is spoken without one.
    design = VoiceDesign(voices=1, emotions=["awe"], languages=["en", "de"], accents=["British"])
    assert [part.accent for part in design.parts(espeak)] == ["British", "none"]
    with pytest.raises(UsageError, match="no accent 'Texan'"):
        VoiceDesign(accents=["Texan"]).parts(espeak)
    with pytest.raises(UnknownNameError, match="Did you mean 'Texan'"):
        VoiceDesign(accents=["Texas"]).parts(espeak)


def test_spoken_clips_are_estimated_and_run_in_bulk(espeak: EspeakGenerator, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    import emonet
    from emonet.bulk import run

    design = VoiceDesign(voices=["nova"], emotions=["anger", "contentment"], accents=["none"])
    made = synthesize_voices(design, espeak, tmp_path / "talent", workers=1)
    assert (len(made.session.clips), made.session.failures) == (2, ())
    estimate = emonet.load("voice")(made.folder / made.session.clips[0].path)
    assert {one.status for one in estimate} == {"ok"}
    summary = run(made.folder / "enhanced", tmp_path / "scores", model="voice", workers=1, page=False)
    assert summary.ok
    rows = [row for path in sorted((tmp_path / "scores").rglob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    assert sorted({row["key"] for row in rows}) == sorted(clip.script.part.key for clip in made.session.clips)
    assert {row["status"] for row in rows} == {"ok"}
