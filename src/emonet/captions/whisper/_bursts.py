"""Vocal bursts: the 82 classes in 16 groups of LAION's vocal-burst taxonomy (LAION-AI/voice-taxonomies, CC-BY-4.0).

`burst_classes.csv` beside this file lists them in the order of the published classifier.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

NO_BURST = "no_burst"


@dataclass(frozen=True, slots=True)
class BurstClass:
    """One class. `index`: its place in the published classifier; `group`: key of one of 16 groups."""

    index: int
    name: str
    group: str


@cache
def burst_classes() -> tuple[BurstClass, ...]:
    """The 82 classes in the classifier's order, and last `no_burst` (group "none")."""
    text = files(__package__).joinpath("burst_classes.csv").read_text(encoding="utf-8")
    return tuple(
        BurstClass(int(row["class_index"]), row["class"], row["group"]) for row in csv.DictReader(text.splitlines())
    )


# Words that tell a group but no class. A caption that only says "laughs" tells laughter, not which of eight kinds.
_GROUP_WORDS = {
    "laughter": ("laugh", "laughter", "giggle", "chuckle", "cackle", "guffaw", "snicker"),
    "crying_and_distress": ("sob", "wail", "whimper", "weep", "cry", "cries", "cried", "wept"),
    "breathing": ("breath", "breathing", "exhale", "pant"),
    "sighs": ("sigh",),
    "gasps_and_inhales": ("gasp", "inhale"),
    "groans_and_moans": ("groan", "moan"),
    "grunts": ("grunt",),
    "throat_and_vocal_sounds": ("throat-clearing", "throat clearing", "growl", "hiss", "mumble", "gurgle"),
    "humming": ("hum", "purr"),
    "coughing_and_sneezing": ("cough", "sneeze", "hiccup", "sniff", "sniffle", "snort", "yawn"),
    "whistling": ("whistle",),
    "mouth_and_lip_sounds": ("lip smacking", "kissing", "licking", "spitting", "sucking"),
    "tongue_clicks": ("tongue clicking", "tsk", "tut"),
    "eating_and_drinking": ("chewing", "slurp", "slurping", "gulp", "swallow"),
    "screams_and_shrieks": ("scream", "shriek"),
    "hand_and_body_sounds": ("finger snapping", "clapping"),
}
_OWNER = r"(?:one's|his|her|their|the|a)"


def find_bursts(text: str) -> Iterator[tuple[str, str, int, int]]:
    """(class name or "", group, start, end) of every burst that `text` names, longest reading first, no two overlap."""
    taken: list[tuple[int, int]] = []
    for name, group, pattern in _patterns():
        for found in pattern.finditer(text):
            if all(found.end() <= start or found.start() >= end for start, end in taken):
                taken.append(found.span())
                yield name, group, *found.span()


@cache
def _patterns() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """Exact class names, then classes in other forms of their words, then groups; within each the longest first."""
    classes = [one for one in burst_classes() if one.name != NO_BURST]
    exact = [(one.name, one.group, re.escape(one.name)) for one in classes]
    inflected = [(one.name, one.group, _class_pattern(one.name)) for one in classes]
    groups = [("", group, _forms(word)) for group, words in _GROUP_WORDS.items() for word in words]
    return tuple(
        (name, group, re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE))
        for kind in (exact, inflected, groups)
        for name, group, pattern in sorted(kind, key=lambda one: -len(one[2]))
    )


def _class_pattern(name: str) -> str:
    words = name.split()
    if words[0] == "Clears":  # the only class whose object may have another owner
        return rf"(?:{_forms('clear')}\s+{_OWNER}\s+throat)"
    if words[0] in ("Click", "Clicks", "Smack", "Smacks") and len(words) > 1:
        return rf"(?:{_forms(words[0].lower().removesuffix('s'))}\s+{_OWNER}\s+{_forms(words[-1].lower())})"
    return r"[\s-]+".join([*(re.escape(word) for word in words[:-1]), _forms(words[-1])])


def _forms(word: str) -> str:
    """A word with its plural and verb forms, as a pattern; words in -ing stand for themselves."""
    word = word.lower()
    if word.endswith(("ing", "ter")) or " " in word or "-" in word:
        return re.escape(word)
    base = word[:-1] if word.endswith("s") and not word.endswith("ss") else word
    if base.endswith("e"):
        return rf"{re.escape(base[:-1])}(?:e|es|ed|ing)"
    return rf"{re.escape(base)}(?:s|es|{re.escape(base[-1])}?(?:ed|ing))?"
