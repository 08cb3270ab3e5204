"""Ready protocols, by name or by function. Each says where it comes from; options change counts and names only."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from emonet.annotation.protocols._documents import check_protocol
from emonet.annotation.protocols._matching import matching
from emonet.annotation.protocols._records import Choice, Enter, FormField, Protocol, Stage
from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import EMOTIONS, Modality

_THING = {"face": "face", "voice": "voice"}
_CONSENT = (
    FormField("consent", "I have read the information sheet and agree to take part.", "checkbox"),
    FormField("age", "Age", "select", ("18-24", "25-34", "35-44", "45-54", "55-64", "65 or older", "not said")),
    FormField("gender", "Gender", "select", ("woman", "man", "another", "not said")),
    FormField("degree", "Highest degree in psychology", "select", ("none", "bachelor", "master", "doctorate")),
    FormField("languages", "Languages you understand well", "text", required=False),
    FormField("remarks", "Remarks", "textarea", required=False),
)


def binary(
    *,
    modality: Modality = "face",
    dimensions: Sequence[str] = (),
    contrast: bool = True,
    gold_every: int = 40,
    training: int = 10,
) -> Protocol:
    """EmoNet-Face Binary: yes or no for one emotion, a second and a third rater only after a yes.

    A target is agreed as present when three people said yes; the first no ends it. The contrast, the emotion's
    partner in `matching()`, is put to one rater. Units of role "plain" get all three whatever the answers.
    dimensions: those asked, the 40 emotions by default; contrasts are kept where both partners are among them.
    """
    asked = tuple(dimensions) or _emotions()
    partners = {name: other for name, other in matching().items() if name in asked and other in asked}
    return check_protocol(
        Protocol(
            name="binary",
            question="levels",
            prompt=f"Does this {_THING[modality]} show {{emotion}}?",
            dimensions=asked,
            scale=(0.0, 1.0),
            choices=(Choice(1.0, "yes", "y"), Choice(0.0, "no", "n")),
            rules={
                "target": (Stage(1), Stage(1, "all-present"), Stage(1, "all-present")),
                "contrast": (Stage(1),),
                "plain": (Stage(3),),
            },
            consensus="strict",
            contrast=partners if contrast else {},
            gold_every=gold_every,
            training=training,
            source="EmoNet-Face Binary (arXiv 2505.20033)",
        )
    )


def hq(
    *,
    raters: int = 4,
    modality: Modality = "face",
    dimensions: Sequence[str] = (),
    gold_every: int = 25,
    training: int = 5,
) -> Protocol:
    """EmoNet-Face HQ: sliders from 0 to 7 for 40 emotions, `raters` people an item, no consensus rule.

    Raters move what applies. A slider left alone has no value; LAION's layout counts it as 0.
    """
    return check_protocol(
        Protocol(
            name="hq",
            question="sliders",
            prompt=f"Which emotions does this {_THING[modality]} show, and how strongly? Move only those that apply.",
            dimensions=tuple(dimensions) or _emotions(),
            scale=(0.0, 7.0),
            rules={"plain": (Stage(raters),)},
            consensus="none",
            gold_every=gold_every,
            training=training,
            source="EmoNet-Face HQ (arXiv 2505.20033)",
        )
    )


def presence(
    *,
    third: Enter = "agree",
    consensus: Literal["strict", "majority"] | None = None,
    modality: Modality = "voice",
    dimensions: Sequence[str] = (),
    gold_every: int = 40,
    training: int = 10,
) -> Protocol:
    """EmoNet-Voice: not, weakly or strongly present; two raters, then a third where `third` holds.

    third: "agree" (default) asks where the first two gave the same level; "all-present" where both said at least
    weakly, as the paper's text has it; "disagree" where they differ, to break the tie; "always". Why "agree":
    docs/annotation-protocols.md. consensus: "strict" takes only equal levels; by default so, except "majority" with
    `third="disagree"`, where equal answers of three cannot occur. Units of role "plain" always get three raters.
    """
    return check_protocol(
        Protocol(
            name="presence",
            question="levels",
            prompt=f"Is {{emotion}} present in this {_THING[modality]}?",
            dimensions=tuple(dimensions) or _emotions(),
            scale=(0.0, 2.0),
            choices=(
                Choice(0.0, "not present", "1"),
                Choice(1.0, "weakly present", "2"),
                Choice(2.0, "strongly present", "3"),
            ),
            rules={"target": (Stage(2), Stage(1, third)), "plain": (Stage(3),)},
            consensus=consensus or ("majority" if third == "disagree" else "strict"),
            gold_every=gold_every,
            training=training,
            source="EmoNet-Voice (arXiv 2506.09827)",
        )
    )


def pairs(
    *,
    raters: int = 3,
    modality: Modality = "face",
    dimensions: Sequence[str] = (),
    gold_every: int = 40,
    training: int = 5,
) -> Protocol:
    """Which of two items shows more of an emotion; `raters` people a pair, Bradley-Terry strengths in the end."""
    return check_protocol(
        Protocol(
            name="pairs",
            question="pair",
            prompt=f"Which {_THING[modality]} shows more {{emotion}}?",
            dimensions=tuple(dimensions) or _emotions(),
            scale=(0.0, 1.0),
            rules={"plain": (Stage(raters),)},
            consensus="majority",
            gold_every=gold_every,
            training=training,
            set_size=2,
            source="Paired comparison (Thurstone 1927; Bradley and Terry 1952)",
        )
    )


def best_worst(
    *,
    raters: int = 3,
    set_size: int = 4,
    modality: Modality = "voice",
    dimensions: Sequence[str] = (),
    gold_every: int = 40,
    training: int = 3,
) -> Protocol:
    """The most and the least of `set_size` items; `raters` people a set, counting scores in the end."""
    return check_protocol(
        Protocol(
            name="best-worst",
            question="best-worst",
            prompt=f"Which {_THING[modality]} shows the most {{emotion}}, which the least?",
            dimensions=tuple(dimensions) or _emotions(),
            scale=(-1.0, 1.0),
            rules={"plain": (Stage(raters),)},
            consensus="none",
            gold_every=gold_every,
            training=training,
            set_size=set_size,
            source="Best-worst scaling (Louviere 1991; Kiritchenko and Mohammad 2016)",
        )
    )


def questionnaire(*, fields: Sequence[FormField] = (), raters: int = 100) -> Protocol:
    """Questions about the rater, consent among them; everybody answers once, up to `raters` people.

    fields: by default consent, age, gender, degree in psychology, languages, remarks.
    """
    return check_protocol(
        Protocol(
            name="questionnaire",
            question="form",
            prompt="About you",
            dimensions=(),
            scale=(0.0, 1.0),
            form=tuple(fields) or _CONSENT,
            rules={"plain": (Stage(raters),)},
            consensus="none",
        )
    )


PROTOCOLS: Mapping[str, Callable[..., Protocol]] = MappingProxyType(
    {
        "binary": binary,
        "hq": hq,
        "presence": presence,
        "pairs": pairs,
        "best-worst": best_worst,
        "questionnaire": questionnaire,
    }
)
"""Ready protocols by name."""


def protocol(name: str, **options: object) -> Protocol:
    """A ready protocol by name, with the options of its function.

    Raises `UnknownNameError` for the name and `UsageError` for an option that the protocol does not have.
    """
    key = name.strip().lower().replace("_", "-")
    if key not in PROTOCOLS:
        raise UnknownNameError("annotation protocol", name, PROTOCOLS)
    known = inspect.signature(PROTOCOLS[key]).parameters
    if unknown := next((option for option in options if option not in known), None):
        raise UsageError(f"Protocol {key!r} has no option {unknown!r}; it takes: {', '.join(known)}.")
    return PROTOCOLS[key](**options)


def _emotions() -> tuple[str, ...]:
    return tuple(emotion.key for emotion in EMOTIONS)
