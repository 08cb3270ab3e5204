"""Published weights that a network starts from, taken out of a package on PyPI and checked by their hash.

The voice encoder starts as Moonshine Tiny's English encoder (MIT licence), which its authors ship inside the wheel of
`moonshine-voice` in ONNX Runtime's own file format, linear layers in 8 bits.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emonet.errors import ModelError, UsageError

_KINDS = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64}  # ONNX's numbers of element types
_LINEAR = re.compile(r"/(layers\.\d+)/(self_attn|mlp)/(\w+)/")


def start_from(encoder: nn.Module, source: Mapping[str, Any], folder: Path) -> None:
    """Load the published weights into `encoder`, which may have fewer layers than they.

    `source`: the recipe's table `[pretrained]` (`wheel`, `file`, `sha256`). `folder` keeps the downloaded file. Raises
    UsageError when it cannot be had or is another one, ModelError when it does not fit the network.
    """
    weights = moonshine_weights(published_file(source, folder))
    own = encoder.state_dict()
    if absent := sorted(name for name in own if name not in weights):
        raise ModelError(f"{source['file']}: no weights for {', '.join(absent[:5])}; it holds another network.")
    if wrong := sorted(name for name in own if own[name].shape != weights[name].shape):
        raise ModelError(
            f"{source['file']}: {wrong[0]} is {list(weights[wrong[0]].shape)}, the recipe's network has "
            f"{list(own[wrong[0]].shape)}. Correct [network] in the recipe."
        )
    encoder.load_state_dict({name: torch.from_numpy(weights[name]) for name in own})


def published_file(source: Mapping[str, Any], folder: Path) -> Path:
    """The file `source["file"]` of the wheel `source["wheel"]`, from `folder` or downloaded into it by pip."""
    path = folder / Path(source["file"]).name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            _download(source["wheel"], Path(temporary))
            (wheel,) = Path(temporary).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                inside = Path(archive.extract(source["file"], temporary))
            inside.replace(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != source["sha256"]:
        raise UsageError(f"{path}: SHA-256 {found}, the recipe expects {source['sha256']}. Delete it and try again.")
    return path


def _download(wheel: str, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    # The file inside is the same for every system; the name of one whose wheel exists everywhere is asked for.
    command += ["--platform", "manylinux_2_34_x86_64", "--dest", str(folder), wheel]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(
            f"pip could not download {wheel}, whose weights the recipe starts from: {done.stderr.strip()[-300:]} "
            "Check the connection to PyPI, or put the file that [pretrained] names into the output folder."
        )


def moonshine_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Tensors of a Moonshine encoder by the names that transformers gives them, from an ONNX Runtime file (.ort).

    Weights in 8 bits become float32. The names of linear layers follow from the nodes that use them.
    """
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    graph = InferenceSession.GetRootAs(bytearray(path.read_bytes()), 0).Model().Graph()
    stored = dict(_tensor(graph.Initializers(i)) for i in range(graph.InitializersLength()))
    named: dict[str, NDArray[np.float32]] = {}
    for number in range(graph.NodesLength()):
        node = graph.Nodes(number)
        inputs = [node.Inputs(i).decode() for i in range(node.InputsLength())]
        packed = next((name for name in inputs if name.endswith("_quantized") and name in stored), None)
        place = _LINEAR.search(node.Name().decode())
        if packed and place:
            base = packed.removesuffix("_quantized")
            wide = stored[packed].astype(np.float32) - stored[f"{base}_zero_point"].astype(np.float32)
            named[f"{place[1]}.{place[2]}.{place[3]}.weight"] = np.ascontiguousarray((wide * stored[f"{base}_scale"]).T)
        if node.OpType() == b"InstanceNormalization":
            named |= _group_norm(graph, number, stored)
    for name, array in stored.items():
        if name.startswith(("layers.", "layer_norm", "conv")):
            named[name.removesuffix("_add_tensor")] = array.astype(np.float32)
    return named


def _tensor(tensor: Any) -> tuple[str, NDArray[Any]]:
    shape = [tensor.Dims(i) for i in range(tensor.DimsLength())]
    kind = _KINDS[tensor.DataType()]
    return tensor.Name().decode(), np.frombuffer(bytes(tensor.RawDataAsNumpy()), kind).reshape(shape).copy()


def _group_norm(graph: Any, number: int, stored: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """Scale and shift behind the graph's group norm: operands [W, 1] of the next multiplication and addition."""
    found: dict[str, NDArray[np.float32]] = {}
    for later in range(number + 1, graph.NodesLength()):
        node = graph.Nodes(later)
        kind = {b"Mul": "groupnorm.weight", b"Add": "groupnorm.bias"}.get(node.OpType())
        operands = [stored.get(node.Inputs(i).decode()) for i in range(node.InputsLength())]
        wide = [array for array in operands if array is not None and array.ndim == 2 and array.shape[1] == 1]
        if kind and wide and kind not in found:
            found[kind] = wide[0].reshape(-1).astype(np.float32)
        if len(found) == 2:
            break
    return found
