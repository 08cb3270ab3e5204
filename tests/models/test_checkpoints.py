"""Official head files: names, shapes, wrappers, and what is refused."""

from __future__ import annotations

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from emonet.errors import CheckpointError
from emonet.models._checkpoints import check_same_shape, find_heads


def state(sizes: tuple[int, ...] = (24, 8, 1), *, style: str = "layers", prefix: str = "") -> dict[str, Any]:
    """State dict of the published key layout."""
    out, generator = {}, torch.Generator().manual_seed(1)
    for i, (size_in, size_out) in enumerate(pairwise(sizes)):
        name = f"layers.{3 * i}" if style == "layers" else ("proj" if i == 0 else f"mlp.{3 * i - 1}")
        out[f"{prefix}{name}.weight"] = torch.randn(size_out, size_in, generator=generator)
        out[f"{prefix}{name}.bias"] = torch.randn(size_out, generator=generator)
    return out


@pytest.mark.parametrize(
    ("sizes", "style", "parameters"),
    [
        ((1152, 1024, 512, 256, 1), "layers", 1_837_057),
        ((1152, 128, 32, 1), "layers", 151_745),
        ((3072, 64, 64, 32, 16, 1), "proj", 203_457),
    ],
)
def test_published_shapes_have_the_published_numbers_of_parameters(
    tmp_path: Path, sizes: tuple[int, ...], style: str, parameters: int
) -> None:
    """Face Large and Small, and the pooled quality head, as counted in their documentation."""
    torch.save(state(sizes, style=style), tmp_path / "model_arousal_best.pth")
    (head,) = find_heads(tmp_path, "face")
    assert head.layers == sizes
    assert head.parameters == parameters == sum(tensor.numel() for tensor in state(sizes, style=style).values())


@pytest.mark.parametrize(
    ("proj", "hidden", "parameters"), [(64, (64, 32, 16), 73_734_849), (128, (128, 64, 32), 147_483_009)]
)
def test_sequence_heads_have_the_published_numbers_of_parameters(
    tmp_path: Path, proj: int, hidden: tuple[int, ...], parameters: int
) -> None:
    """Voice Small and Large; the weight is one number repeated, so the file is small."""
    made = state((1, proj, *hidden, 1), style="proj")
    made["proj.weight"] = torch.zeros(1).expand(proj, 1_152_000)
    torch.save(made, tmp_path / "model_Anger_best.pth")
    (head,) = find_heads(tmp_path, "voice")
    assert head.layers == (1_152_000, proj, *hidden, 1)
    assert head.parameters == parameters


@pytest.mark.parametrize(
    ("name", "modality", "key"),
    [
        ("model_jealousy_&_envy_best.pth", "face", "jealousy_envy"),
        ("model_Jealousy_%26_Envy_best.pth", "voice", "jealousy_envy"),
        ("MODEL_jealousy_and_envy_best.pth", "voice", "jealousy_envy"),
        ("Jealousy___Envy.pth", "voice", "jealousy_envy"),
        ("model_High-Pitched_vs._Low-Pitched_best.pth", "voice", "high_pitched_vs_low_pitched"),
        ("model_High_Pitched_vs._Low_Pitched_best.pth", "voice", "high_pitched_vs_low_pitched"),
        ("model_Intoxication_best.pth", "voice", "intoxication_altered_states_of_consciousness"),
        ("model_hopelessness_best.pth", "face", "helplessness"),
        ("model_emotional_vulnerability_best.pth", "face", "emotional_vulnerability"),
        ("model_score_content_enjoyment_best.pth", "voice", "score_content_enjoyment"),
    ],
)
def test_any_spelling_of_a_file_name_is_understood(tmp_path: Path, name: str, modality: Any, key: str) -> None:
    """Releases differ in case, ampersands, escapes and short forms."""
    torch.save(state(), tmp_path / name)
    assert [head.dimension for head in find_heads(tmp_path, modality)] == [key]


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "module._orig_mod."])
@pytest.mark.parametrize("style", ["layers", "proj"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("wrapped", [False, True])
def test_prefixes_wrappers_and_dtypes_do_not_matter(
    tmp_path: Path, prefix: str, style: str, dtype: Any, wrapped: bool
) -> None:
    """The same layers come out, in order, as float32."""
    plain = {key: value.to(dtype) for key, value in state((24, 8, 4, 3, 2, 1), style=style).items()}
    stored = {prefix + key: value for key, value in plain.items()}
    torch.save({"state_dict": stored} if wrapped else stored, tmp_path / "anger.pth")
    layers = find_heads(tmp_path, "voice")[0].read()
    flat = [array for layer in layers for array in layer]
    assert all(array.dtype == np.float32 for array in flat)
    for array, expected in zip(flat, plain.values(), strict=True):
        assert np.array_equal(array, expected.float().numpy())


def test_safetensors_heads_are_read_too(tmp_path: Path) -> None:
    """The same head from .safetensors, bfloat16 included."""
    stored = {key: value.bfloat16() for key, value in state().items()}
    safetensors.torch.save_file(stored, tmp_path / "model_Anger_best.safetensors")
    (head,) = find_heads(tmp_path, "voice")
    assert head.layers == (24, 8, 1)
    assert np.array_equal(head.read()[0][0], stored["layers.0.weight"].float().numpy())


def test_old_torch_files_are_read(tmp_path: Path) -> None:
    """Files from before the zip format cannot be mapped, but are read all the same."""
    torch.save(state(), tmp_path / "anger.pth", _use_new_zipfile_serialization=False)
    assert find_heads(tmp_path, "voice")[0].layers == (24, 8, 1)


class _Attack:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return (Path.touch, (self.target,))


@pytest.mark.parametrize("plain_pickle", [False, True])
def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path, plain_pickle: bool) -> None:
    """Nothing of it runs, and the message says why it was refused and what to do."""
    evidence, path = tmp_path / "ran", tmp_path / "heads" / "model_Anger_best.pth"
    path.parent.mkdir()
    if plain_pickle:
        path.write_bytes(pickle.dumps({"proj.weight": _Attack(evidence)}))
    else:
        torch.save({"proj.weight": _Attack(evidence)}, path)
    with pytest.raises(CheckpointError, match=r"model_Anger_best\.pth.*could run code"):
        find_heads(path.parent, "voice")
    assert not evidence.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layers.3.weight": torch.zeros(1, 9)}, r"\[1, 9\].*\[out, 8\]"),
        ({"layers.0.bias": torch.zeros(7)}, r"\[8, 24\] and bias \[7\]"),
        ({"layers.3.weight": torch.zeros(2, 8), "layers.3.bias": torch.zeros(2)}, r"\[2, 8\]; expected \[1, 8\]"),
        ({"layers.0.weight": torch.zeros(24)}, r"\[24\]"),
        ({"extra": torch.zeros(1)}, "entry 'extra'"),
        ({"layers.0.weight": 3}, "entry 'layers.0.weight'"),
    ],
)
def test_wrong_shapes_name_the_file_and_both_shapes(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    """What was found and what was expected, for each way a head can be wrong."""
    torch.save(state() | change, tmp_path / "model_Anger_best.pth")
    with pytest.raises(CheckpointError, match=rf"(?s)model_Anger_best\.pth.*{words}"):
        find_heads(tmp_path, "voice")


@pytest.mark.parametrize(
    "content", [b"", b"not a checkpoint", b"PK\x03\x04 cut off"], ids=["empty", "text", "truncated zip"]
)
def test_damaged_files_are_checkpoint_errors(tmp_path: Path, content: bytes) -> None:
    """An empty, foreign or cut-off file is named."""
    (tmp_path / "model_Anger_best.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model_Anger_best\.pth"):
        find_heads(tmp_path, "voice")


def test_unknown_doubled_and_absent_files(tmp_path: Path) -> None:
    """A name that means nothing answers with the nearest; doubles name both; an empty folder says what to bring."""
    with pytest.raises(CheckpointError, match="no head files"):
        find_heads(tmp_path, "face")
    torch.save(state(), tmp_path / "model_Angr_best.pth")
    with pytest.raises(CheckpointError, match="Did you mean 'Anger'"):
        find_heads(tmp_path, "face")
    (tmp_path / "model_Angr_best.pth").rename(tmp_path / "model_anger_best.pth")
    torch.save(state(), tmp_path / "Anger.pth")
    with pytest.raises(CheckpointError, match=r"both heads for anger"):
        find_heads(tmp_path, "face")
    with pytest.raises(CheckpointError, match="not a folder"):
        find_heads(tmp_path / "absent", "face")


def test_mixed_sizes_name_the_odd_file(tmp_path: Path) -> None:
    """A Large head among Small ones is found."""
    for name in ("anger", "fear", "awe"):
        torch.save(state((24, 8, 1)), tmp_path / f"{name}.pth")
    torch.save(state((24, 16, 1)), tmp_path / "pride.pth")
    with pytest.raises(CheckpointError, match=r"pride\.pth: layers 24 → 16 → 1; .* 24 → 8 → 1"):
        check_same_shape(find_heads(tmp_path, "face"))
