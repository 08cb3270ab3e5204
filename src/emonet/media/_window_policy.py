"""How a recording is cut into windows, and what is told of one that was cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from emonet.errors import UsageError

WindowStatus = Literal["ok", "no_speech", "too_short"]


@dataclass(frozen=True, slots=True)
class WindowPolicy:
    """How a recording is cut. Times in seconds, probabilities 0..1.

    `max_s`: longest window. `min_s`: a shorter recording or window is not scored. `detector`: "silero" looks for
    speech, "none" takes everything. `threshold`: probability at which speech starts; `neg_threshold`: below which it
    may end. `min_speech_s`: shorter stretches are no speech. `min_silence_s`: silence that ends a stretch. `pad_s`:
    kept before and after each stretch. `join_pause_s`: stretches with a shorter pause between them share a window.
    `silence_peak`: a recording, or with detector "none" a window, whose samples all lie below this is silence.
    `whole_s`: a recording no longer than this is one utterance, kept whole when its mean probability of speech reaches
    `whole_mean`: cut to what the detector takes for speech, a laugh or a sigh would lose most of itself. 0 for never.
    """

    max_s: float = 30.0
    min_s: float = 0.3
    detector: Literal["silero", "none"] = "silero"
    threshold: float = 0.5
    neg_threshold: float = 0.35
    min_speech_s: float = 0.25
    min_silence_s: float = 0.2
    pad_s: float = 0.1
    join_pause_s: float = 2.0
    silence_peak: float = 1e-4
    whole_s: float = 5.0
    whole_mean: float = 0.08

    def __post_init__(self) -> None:
        if self.detector not in ("silero", "none"):
            raise UsageError(f"detector is {self.detector!r}; expected 'silero' or 'none'.")
        rules = (
            (1 <= self.max_s <= 3600, "max_s", "1 to 3600 seconds"),
            (0.05 <= self.min_s <= self.max_s / 2, "min_s", "0.05 seconds to half of max_s"),
            (0 < self.threshold < 1, "threshold", "a probability between 0 and 1"),
            (0 <= self.neg_threshold <= self.threshold, "neg_threshold", "0 to threshold"),
            (0 <= self.min_speech_s <= self.max_s / 2, "min_speech_s", "0 seconds to half of max_s"),
            (0 <= self.pad_s <= self.max_s / 8, "pad_s", "0 seconds to an eighth of max_s"),
            (2 * self.pad_s <= self.min_silence_s <= 60, "min_silence_s", "2 x pad_s to 60 seconds"),
            (0 <= self.join_pause_s <= 600, "join_pause_s", "0 to 600 seconds"),
            (0 <= self.silence_peak < 1, "silence_peak", "0 to 1"),
            (0 <= self.whole_s <= 60, "whole_s", "0 to 60 seconds"),
            (0 < self.whole_mean <= 1, "whole_mean", "a probability above 0"),
        )
        for kept, name, expected in rules:
            if not kept:
                raise UsageError(f"{name} is {getattr(self, name)!r}; expected {expected}.")

    def describe(self) -> str:
        """The policy in one plain sentence."""
        if self.detector == "none":
            return (
                f"The whole recording is cut into windows of at most {self.max_s:g} s, speech or not; "
                "silent ones are left out."
            )
        whole = f" A recording of up to {self.whole_s:g} s is kept whole if somebody is heard." if self.whole_s else ""
        return (
            f"Speech is found by Silero VAD (threshold {self.threshold:g}); stretches less than "
            f"{self.join_pause_s:g} s apart share a window of at most {self.max_s:g} s, and longer speech is cut "
            f"where speech is least probable.{whole}"
        )


@dataclass(slots=True)
class WindowReport:
    """What was found in a recording; complete once its windows were read to the end.

    `windows`: number given. `duration_s`: length of the recording. `speech_s`: seconds within the windows.
    `peak`: largest absolute sample. `highest`: highest speech probability, None without a detector. `status`: "ok",
    or why there is no window; `message` says it in words and is empty when all is well.
    """

    windows: int = 0
    duration_s: float = 0.0
    speech_s: float = 0.0
    peak: float = 0.0
    highest: float | None = None
    status: WindowStatus = "ok"
    message: str = ""


def conclude(policy: WindowPolicy, report: WindowReport) -> None:
    """Status and message of a recording that was read to the end."""
    if report.windows:
        return
    length = f"{report.duration_s:.2f} s of sound"
    if report.duration_s < policy.min_s:
        report.status, report.message = "too_short", f"{length}; expected at least {policy.min_s:g} s"
    elif report.peak < policy.silence_peak:
        report.status, report.message = "no_speech", f"silence: {length}, no sample above {report.peak:.1g}"
    elif report.highest is None:
        report.status, report.message = "no_speech", f"{length}, but every window is silent"
    elif report.highest >= policy.threshold:
        shortest = max(policy.min_speech_s, policy.min_s)
        report.status, report.message = "no_speech", f"no speech found of {shortest:g} s or more in {length}"
    else:
        report.status = "no_speech"
        report.message = (
            f"no speech found in {length} (highest probability {report.highest:.2f}, threshold {policy.threshold:g}); "
            "for laughter, cries and other sounds without words use --whole-audio"
        )
