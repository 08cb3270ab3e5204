"""What the doctor found is kept for this machine only, and decides what `auto` means."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emonet.models import Card, read_card
from emonet.models import _remembered as remembered
from emonet.models._card import Tier, TierCheck
from emonet.models._remembered import PLAIN, Choice, Timing, choose, forget, name_of, read_remembered, remember


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered at first."""
    monkeypatch.setenv("EMONET_HOME", str(tmp_path / "home"))


@pytest.fixture
def card(small_bundle: Callable[..., Path]) -> Card:
    """A small voice model."""
    return read_card(small_bundle())


def timings(card: Card, bf16_order: float = 0.999) -> list[Timing]:
    """OpenVINO twice as fast in fp32, four times in bf16; a large encoder likewise."""
    own = name_of(card)
    return [
        Timing("voice", own, "onnxruntime", "fp32", None, 100.0, 1.0, 0.0),
        Timing("voice", own, "openvino", "fp32", 1, 200.0, 1.0, 1e-6),
        Timing("voice", own, "openvino", "bf16", None, 400.0, bf16_order, 0.02),
        Timing("transformer", "", "onnxruntime", "fp32", None, 3.0),
        Timing("transformer", "", "openvino", "fp32", None, 3.1),
        Timing("transformer", "", "openvino", "bf16", None, 6.0),
        Timing("transformer", "", "openvino", "int8", None, 9.0),
    ]


def check(order: float, *, passed: bool = True) -> TierCheck:
    """A verdict on a tier."""
    return TierCheck(
        items=100,
        data="clips",
        runtime="openvino",
        max_difference=0.01,
        mean_difference=0.001,
        rank_correlation=order,
        mean_rank_correlation=order,
        worst="anger",
        passed=passed,
    )


def with_tier(card: Card, precision: str, order: float, *, passed: bool = True) -> Card:
    """The same card with a verified tier, as verify_tier writes it."""
    tier = Tier.model_validate({"precision": precision, "check": check(order, passed=passed).model_dump()})
    return card.model_copy(update={"tiers": (*card.tiers, tier)})


def large(card: Card) -> Card:
    """A card whose encoder is of LAION's kind."""
    return card.model_copy(
        update={"id": "laion/large", "encoder": card.encoder.model_copy(update={"output": "sequence"})}
    )


def test_without_an_answer_auto_is_plain(card: Card) -> None:
    """Nobody asked the doctor: ONNX Runtime in fp32; what the caller fixed stays fixed."""
    assert choose(card) == PLAIN
    assert choose(card, "openvino") == Choice("openvino", "fp32", None)
    assert choose(card, "auto", "bf16") == Choice("openvino", "bf16", None)
    assert choose(card, "openvino", "int8") == Choice("openvino", "int8", None)


def test_the_answer_comes_back(card: Card) -> None:
    """What was written is read, and forgotten when told to."""
    path = remember(timings(card))
    answer = read_remembered()
    assert answer is not None
    assert list(answer.timings) == timings(card)
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # no temporary file is left
    forget()
    forget()
    assert read_remembered() is None


def test_auto_takes_the_fastest_that_keeps_the_order(card: Card) -> None:
    """bf16 was measured on this very model; a precision that reorders the scores is never taken by itself."""
    remember(timings(card, bf16_order=0.996))
    assert choose(card) == Choice("openvino", "bf16", None)
    assert choose(card, "auto", "fp32") == Choice("openvino", "fp32", 1)
    assert choose(card, "onnxruntime") == PLAIN
    for order in (0.994, float("nan")):
        remember(timings(card, bf16_order=order))
        assert choose(card) == Choice("openvino", "fp32", 1)
        assert choose(card, "auto", "bf16") == Choice("openvino", "bf16", None)  # asked for by name


def test_a_small_gain_changes_nothing(card: Card) -> None:
    """A few percent are noise, and no reason to compute otherwise."""
    usual = Timing("voice", name_of(card), "onnxruntime", "fp32", None, 100.0, 1.0, 0.0)
    remember([usual, replace(usual, runtime="openvino", per_second=105.0)])
    assert choose(card) == PLAIN


def test_a_stand_in_tells_speed_but_not_accuracy(card: Card) -> None:
    """A large suite gets a reduced precision only after verify has passed it on that suite."""
    remember(timings(card))
    suite = large(card)
    assert choose(suite) == PLAIN
    assert choose(with_tier(suite, "bf16", 0.999)) == Choice("openvino", "bf16", None)
    assert choose(with_tier(suite, "bf16", 0.9, passed=False)) == PLAIN
    assert choose(with_tier(suite, "bf16", 0.99)) == PLAIN  # passed, but with a lower bound than auto's
    both = with_tier(with_tier(suite, "bf16", 0.999), "int8", 0.997)
    assert choose(both) == Choice("openvino", "int8", None)


def test_another_model_of_the_kind_learns_speed_only(card: Card) -> None:
    """Accuracy was measured on other weights."""
    remember(timings(card))
    other = card.model_copy(update={"revision": "another"})
    assert choose(other) == Choice("openvino", "fp32", 1)


def test_the_cards_verdict_outranks_the_doctors(card: Card) -> None:
    """Real items beat generated ones."""
    remember(timings(card, bf16_order=0.9999))
    refused = with_tier(card, "bf16", 0.98, passed=False)
    assert choose(refused) == Choice("openvino", "fp32", 1)


@pytest.mark.parametrize("part", ["processor", "cores", "flags"])
def test_an_answer_of_another_processor_is_ignored(card: Card, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder may be shared by several machines."""
    remember(timings(card))
    name = "processor_flags" if part == "flags" else part
    monkeypatch.setattr(remembered, name, lambda: ["other"] if part == "flags" else 4711)
    assert read_remembered() is None
    assert choose(card) == PLAIN


def test_an_answer_of_other_versions_is_ignored(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new runtime may be faster, or slower."""
    remember(timings(card))
    monkeypatch.setattr(remembered, "package_version", lambda package: "99")
    assert choose(card) == PLAIN


@pytest.mark.parametrize("damage", [lambda _: "{", lambda _: "[]", lambda text: text.replace("per_second", "speed")])
def test_a_damaged_answer_is_ignored(card: Card, damage: Callable[[str], str]) -> None:
    """The next doctor writes it anew."""
    path = remember(timings(card))
    path.write_text(damage(path.read_text()))
    assert read_remembered() is None


def test_an_answer_of_a_newer_format_is_ignored(card: Card) -> None:
    """A later emonet may share the folder."""
    path = remember(timings(card))
    content: dict[str, Any] = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"format": 2}))
    assert read_remembered() is None


def test_a_verdict_counts_for_its_runtime(card: Card) -> None:
    """bf16 on another runtime is another computation."""
    suite = with_tier(large(card), "bf16", 0.999)  # verified with OpenVINO
    remember([*timings(card), Timing("transformer", "", "torch", "bf16", None, 900.0)])
    assert choose(suite) == Choice("openvino", "bf16", None)


def test_a_card_is_used_where_the_bundle_has_the_files(card: Card) -> None:
    """The runtime torch needs the encoder's tensors."""
    remember([*timings(card), Timing("transformer", "", "torch", "fp32", None, 500.0)])
    suite = large(card)
    assert choose(suite) == PLAIN
    tensors = Tier.model_validate({"precision": "torch"})
    assert choose(suite.model_copy(update={"tiers": (tensors,)})) == Choice("torch", "fp32", None)
