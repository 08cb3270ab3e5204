"""WebDataset tars: which members are one sample, and what a damaged tar gives."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.datasets import Sample, read_samples
from emonet.datasets._tar_samples import member_key
from emonet.errors import UnreadableMediaError, UsageError
from made_shards import write_tar

WAV = b"RIFF\x04\0\0\0WAVEdata"


def read(path: Path) -> list[Sample]:
    return list(read_samples(path))


def keys(tmp_path: Path, members: Sequence[tuple[str, bytes]]) -> list[tuple[str, str, bytes | None]]:
    return [(one.key, one.extension, one.media) for one in read(write_tar(tmp_path / "a.tar", members))]


def test_media_and_json_of_one_key_are_one_sample(tmp_path: Path) -> None:
    facts = {"text": "Hallo", "licence": "CC0-1.0", "consent": "written", "source": "radio", "n": [1, None]}
    members = {"de/0001.mp3": b"sound", "de/0001.json": json.dumps(facts).encode(), "de/0002.PNG": b"picture"}
    first, second = read(write_tar(tmp_path / "a.tar", members))
    expected = {"text": "Hallo", "n": [1, None]}
    assert first == Sample("de/0001", b"sound", "mp3", "voice", expected, "CC0-1.0", "written", "radio")
    assert second == Sample("de/0002", b"picture", "png", "face", {}, "", "", "a.tar")


def test_licence_and_consent_of_the_call_hold_where_a_sample_states_none(tmp_path: Path) -> None:
    members = {"1.wav": WAV, "2.wav": WAV, "2.json": b'{"license": "MIT", "consent": {"form": 2}}'}
    path = write_tar(tmp_path / "a.tar", members)
    first, second = read_samples(path, licence="CC BY 4.0", consent="asked")
    assert (first.licence, first.consent) == ("CC BY 4.0", "asked")
    assert (second.licence, second.consent) == ("MIT", '{"form": 2}')


def test_keys_may_hold_dots_before_digits(tmp_path: Path) -> None:
    members = [("clip.1.wav", b"a"), ("clip.1.json", b'{"n": 1}'), ("clip.2.wav", b"b"), ("clip.2.json", b'{"n": 2}')]
    samples = read(write_tar(tmp_path / "a.tar", members))
    assert [(one.key, one.media, one.facts) for one in samples] == [
        ("clip.1", b"a", {"n": 1}),
        ("clip.2", b"b", {"n": 2}),
    ]


def test_compound_endings_are_named_facts(tmp_path: Path) -> None:
    members = [
        ("1.caption.txt", b"calm"), ("1.cls", b"7"), ("1.json", b'{"a": 1}'), ("1.seg.json", b"[1, 2]"), ("1.wav", WAV),
    ]  # fmt: skip
    (sample,) = read(write_tar(tmp_path / "a.tar", members))
    assert sample.facts == {"caption": "calm", "cls": 7, "a": 1, "seg": [1, 2]}


def test_several_media_of_one_key_are_several_samples(tmp_path: Path) -> None:
    members = [("1.left.wav", b"l"), ("1.right.wav", b"r"), ("1.json", b'{"x": 1}')]
    left, right = read(write_tar(tmp_path / "a.tar", members))
    assert (left.key, right.key) == ("1.left", "1.right")
    assert left.facts == right.facts == {"x": 1}
    assert keys(tmp_path, [("1.png", b"p"), ("1.wav", b"w")]) == [("1.png", "png", b"p"), ("1.wav", "wav", b"w")]


def test_names_with_dots_and_letters_keep_their_own_facts(tmp_path: Path) -> None:
    members = [("Mr.A.wav", b"a"), ("Mr.A.json", b'{"n": 1}'), ("Mr.B.wav", b"b"), ("Mr.B.json", b'{"n": 2}')]
    samples = read(write_tar(tmp_path / "a.tar", members))
    assert [(one.key, one.facts) for one in samples] == [("Mr.A", {"n": 1}), ("Mr.B", {"n": 2})]


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    members = [("1.wav", WAV), ("1.npy", b"array"), ("1.timbre.npy", b"array"), ("2.pt", b"tensor")]
    first, second = read(write_tar(tmp_path / "a.tar", members))
    assert first.left_out == ("npy", "timbre.npy")
    assert first.problem == ""
    assert (second.media, second.left_out) == (None, ("pt",))
    assert "no picture, recording or video" in second.problem


def test_facts_that_are_no_json_are_a_problem_of_one_sample(tmp_path: Path) -> None:
    members = [("1.wav", WAV), ("1.json", b"{broken"), ("2.wav", WAV), ("2.json", b'{"x": NaN, "y": 1e999}')]
    first, second = read(write_tar(tmp_path / "a.tar", members))
    assert "1.json is no JSON" in first.problem
    assert first.media == WAV
    assert (second.problem, second.facts) == ("", {"x": None, "y": None})


def test_packed_members_and_packed_tars_are_read(tmp_path: Path) -> None:
    plain = write_tar(tmp_path / "a.tar", {"1.wav": WAV, "1.json.gz": gzip.compress(b'{"x": 1}')})
    packed = tmp_path / "b.tar.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert [one.facts for one in (*read(plain), *read(packed))] == [{"x": 1}, {"x": 1}]
    bad = write_tar(tmp_path / "c.tar", {"1.wav": WAV, "1.json.gz": b"not packed"})
    assert "cannot be unpacked" in read(bad)[0].problem


@pytest.mark.parametrize("kept", [700, 2000, 5100])
def test_a_cut_tar_gives_what_is_whole_and_then_an_error(tmp_path: Path, kept: int) -> None:
    whole = write_tar(tmp_path / "a.tar", {f"{k}.wav": bytes([k]) * 900 for k in range(4)}).read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:kept])
    found = []
    with pytest.raises(UnreadableMediaError, match=r"cut\.tar: breaks off or is damaged after \d samples"):
        found.extend(read_samples(tmp_path / "cut.tar"))
    for sample in read_samples(tmp_path / "a.tar"):
        assert sample.media == bytes([int(sample.key)]) * 900


def test_a_damaged_header_in_the_middle_is_an_error_and_no_end(tmp_path: Path) -> None:
    content = bytearray(write_tar(tmp_path / "a.tar", {f"{k}.wav": b"x" * 900 for k in range(4)}).read_bytes())
    content[1536 + 100] ^= 0xFF
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(UnreadableMediaError, match="bad checksum"):
        read(tmp_path / "a.tar")


def test_what_is_no_tar_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(UnreadableMediaError, match="get it again"):
        read(tmp_path / "a.tar")
    with pytest.raises(UsageError, match="no such file"):
        read(tmp_path / "b.tar")


def test_names_that_are_no_utf8_become_text_that_can_be_stored(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
        member = tarfile.TarInfo("café.wav")
        member.size = len(WAV)
        tar.addfile(member, io.BytesIO(WAV))
    (sample,) = read(tmp_path / "a.tar")
    assert sample.key.encode("utf-8").startswith(b"caf")
    members = {"1.wav": WAV, "1.json": b'{"half": "\\ud83d", "whole": "\\ud83d\\ude00"}'}
    (sample,) = read(write_tar(tmp_path / "b.tar", members))
    assert sample.facts == {"half": "\\ud83d", "whole": "\N{GRINNING FACE}"}


def test_memory_does_not_grow_with_the_tar(tmp_path: Path) -> None:
    peaks = []
    for count in (50, 400):
        path = write_tar(tmp_path / f"{count}.tar", [(f"{k:05d}.wav", bytes(100_000)) for k in range(count)])
        tracemalloc.start()
        assert sum(len(one.media or b"") for one in read_samples(path)) == count * 100_000
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 2_000_000


@given(st.text(alphabet="ab.1/", min_size=1), st.sampled_from(["wav", "json", "caption.txt"]))
def test_a_key_and_its_ending_make_the_path(name: str, ending: str) -> None:
    path = f"{name}x.{ending}"
    assert path.startswith(member_key(path))
    assert len(member_key(path)) < len(path)
