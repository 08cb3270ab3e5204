"""What is put before raters, and the questions that a protocol makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emonet.taxonomy import Modality


@dataclass(frozen=True, slots=True)
class Item:
    """A picture or a recording.

    `key`: its name, unique in a project. `media`: path of the file below the project's media root. `facts`: what else
    is known (generator, prompt, licence). `dimensions`: what it was made or chosen for, such as the prompted emotion;
    empty where that is unknown, and then it is asked about every dimension of the protocol. `demographics`: columns
    over which assignment is balanced and figures are sliced. `sensitive`: raters are warned before they see it.

    `gold`: known answers by dimension; such an item is a check and not part of the work. `tolerance`: how far an
    answer may be from them. `training`: it is practice with feedback instead, for which `gold` is needed.
    """

    key: str
    media: str
    modality: Modality = "face"
    facts: Mapping[str, str] = field(default_factory=dict)
    dimensions: tuple[str, ...] = ()
    demographics: Mapping[str, str] = field(default_factory=dict)
    sensitive: bool = False
    gold: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = 0.0
    training: bool = False
