"""LAION's official head files, read without running any code in them.

One file per dimension, a state dict of a plain network (https://github.com/LAION-AI/emotion-annotations,
https://github.com/LAION-AI/emonet-face): faces have `layers.0, .3, .6 ...`, voices `proj` and `mlp.2, .5, .8 ...`. In
both, Linear and ReLU alternate and dropout does nothing in evaluation, so a head is its list of linear layers.
"""

from __future__ import annotations

import pickle
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emonet.errors import CheckpointError, UnknownNameError, require
from emonet.models._heads import Layer
from emonet.models._tensors import open_tensors
from emonet.taxonomy import Modality, dimension_key

_SUFFIXES = (".pth", ".pt", ".safetensors")
_WRAPPING = re.compile(r"^model_|_best$", re.IGNORECASE)  # what stands around the name in a file's stem
_WRAPPERS = ("state_dict", "model_state_dict")
_PREFIXES = re.compile(r"_orig_mod\.|^module\.")  # left by torch.compile and DataParallel
_KEY = re.compile(r"(?:(proj)|(?:mlp|layers)\.(\d+))\.(weight|bias)")


@dataclass(frozen=True, slots=True)
class HeadFile:
    """One official head. `layers`: sizes, input first, output (1) last; `parameters`: how many numbers it holds."""

    path: Path
    dimension: str
    layers: tuple[int, ...]

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum(i * o + o for i, o in zip(self.layers, self.layers[1:], strict=False))

    def read(self) -> list[Layer]:
        """Weights and biases as float32, mapped from the file when it stores float32."""
        return [(_array(weight), _array(bias)) for weight, bias in _linear_layers(self.path)]


def find_heads(
    folder: Path, modality: Modality, *, check: Callable[[Path, tuple[int, ...]], None] | None = None
) -> tuple[HeadFile, ...]:
    """Every head file in a folder and its subfolders, in the order of file names.

    `check` is called with each file and its layers before any name is looked at: heads of another modality should be
    reported as that, not as unknown names.

    Names may be any spelling of a dimension, with or without `model_`, `_best`, in any case, URL-encoded or not.
    Raises `CheckpointError` for a name that means nothing, two files for one dimension, an unsafe or damaged file,
    or layers that do not fit together.
    """
    layers = {path: _sizes(path) for path in _files(Path(folder))}
    for path, sizes in layers.items() if check else ():
        check(path, sizes)  # type: ignore[misc]
    found: dict[str, HeadFile] = {}
    for path, sizes in layers.items():
        try:
            dimension = dimension_key(_WRAPPING.sub("", path.stem), modality)
        except UnknownNameError as error:
            raise CheckpointError(
                f"{path}: its name is no dimension of a {modality} model. {error} Rename the file, or move it out of "
                "the folder."
            ) from error
        if other := found.get(dimension):
            raise CheckpointError(f"{path} and {other.path} are both heads for {dimension}; keep one of them.")
        found[dimension] = HeadFile(path, dimension, sizes)
    if not found:
        raise CheckpointError(
            f"{folder}: no head files; expected model_<Name>_best.pth (or .safetensors), one per dimension, as in "
            "https://huggingface.co/laion/Empathic-Insight-Voice-Small."
        )
    return tuple(found.values())


def check_same_shape(heads: tuple[HeadFile, ...]) -> tuple[int, ...]:
    """The one shape of all heads; `CheckpointError` names the file that differs and both shapes."""
    usual = Counter(head.layers for head in heads).most_common(1)[0][0]
    for head in heads:
        if head.layers != usual:
            raise CheckpointError(
                f"{head.path}: layers {_arrows(head.layers)}; the folder's other heads have {_arrows(usual)}. Do "
                "not mix suites of different size in one folder."
            )
    return usual


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a folder; expected one with files model_<Name>_best.pth.")
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix.lower() in _SUFFIXES and path.is_file() and not any(p.startswith(".") for p in inside.parts):
            yield path


def _sizes(path: Path) -> tuple[int, ...]:
    """Layer sizes of a head, every weight and bias checked against its neighbours."""
    layers = _linear_layers(path)
    sizes = [int(layers[0][0].shape[1])] if len(layers[0][0].shape) == 2 else [-1]
    for number, (weight, bias) in enumerate(layers):
        shape, bias_shape = tuple(weight.shape), tuple(bias.shape)
        if len(shape) != 2 or shape[1] != sizes[-1] or bias_shape != (shape[0],):
            wanted = f"[out, {sizes[-1]}]" if sizes[-1] >= 0 else "[out, in]"
            raise CheckpointError(
                f"{path}: linear layer {number} has weight {list(shape)} and bias {list(bias_shape)}; expected weight "
                f"{wanted} and bias [out]. Fetch the file again."
            )
        sizes.append(int(shape[0]))
    if sizes[-1] != 1:
        raise CheckpointError(
            f"{path}: the last layer has shape {list(layers[-1][0].shape)}; expected [1, {sizes[-2]}]."
        )
    return tuple(sizes)


def _linear_layers(path: Path) -> list[tuple[Any, Any]]:
    """Weight and bias of each linear layer, in order of evaluation, still in the file's number format."""
    layers: dict[int, dict[str, Any]] = {}
    for key, value in _state(path).items():
        plain = _PREFIXES.sub("", str(key))
        match = _KEY.fullmatch(plain)
        if match is None or not hasattr(value, "shape"):
            raise CheckpointError(
                f"{path}: entry {key!r} ({type(value).__name__}); expected proj.* and mlp.<i>.* (voice) or "
                "layers.<i>.* (face), each a weight or bias. This is no Empathic Insight head."
            )
        layers.setdefault(-1 if match[1] else int(match[2]), {})[match[3]] = value
    if not layers:
        raise CheckpointError(f"{path}: holds no tensors. Fetch the file again.")
    for index, parts in layers.items():
        if absent := {"weight", "bias"} - set(parts):
            name = "proj" if index < 0 else f"layer {index}"
            raise CheckpointError(f"{path}: {name} has no {absent.pop()}. Fetch the file again.")
    return [(layers[index]["weight"], layers[index]["bias"]) for index in sorted(layers)]


def _state(path: Path) -> Mapping[str, Any]:
    if path.suffix.lower() == ".safetensors":
        return open_tensors(path, error=CheckpointError)
    loaded = _torch_load(path)
    if isinstance(loaded, Mapping):
        for wrapper in _WRAPPERS:
            if isinstance(loaded.get(wrapper), Mapping):
                loaded = loaded[wrapper]
    if not isinstance(loaded, Mapping):
        raise CheckpointError(f"{path}: holds a {type(loaded).__name__}; expected a state dict (name → tensor).")
    return loaded


def _torch_load(path: Path) -> Any:
    """Tensors only: a pickle that names any other object is refused before anything of it runs."""
    torch = require("torch", extra="torch", feature="Reading LAION's .pth checkpoints")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces its own future formats here
        try:
            try:
                return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            except RuntimeError as error:
                if "mmap" not in str(error):  # files from before torch 1.6 cannot be mapped
                    raise
                return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise CheckpointError(
                f"{path}: refused, it is not plain tensors: loading it could run code. Expected a state dict saved by "
                f"torch.save. Get the file from its publisher again. ({str(error).strip().splitlines()[0][:200]})"
            ) from error
        except (RuntimeError, OSError, EOFError, ValueError) as error:
            raise CheckpointError(f"{path}: torch cannot read it ({error}). Fetch the file again.") from error


def _array(value: Any) -> Any:
    """A torch tensor or mapped tensor as float32 numpy."""
    if hasattr(value, "to_float32"):
        return value.to_float32()
    import torch

    if not value.is_floating_point():
        raise CheckpointError(f"A weight is stored as {value.dtype}; expected floating point.")
    return np.asarray(value.detach().to(torch.float32).numpy())


def _arrows(layers: tuple[int, ...]) -> str:
    return " → ".join(map(str, layers))
