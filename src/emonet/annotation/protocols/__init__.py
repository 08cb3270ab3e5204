"""Annotation protocols: what is asked of raters, of how many, in which stages, and what their answers amount to.

Records and pure functions; no web, no database. How each protocol works and why: docs/annotation-protocols.md.
"""

from emonet.annotation.protocols._answers import Feedback, adjudicated, check_values, feedback, question_text
from emonet.annotation.protocols._comparisons import ItemScore, best_worst_scores, bradley_terry, pair_scores
from emonet.annotation.protocols._decisions import decide, first_stage, rule_of
from emonet.annotation.protocols._documents import check_protocol, protocol_from_dict, protocol_to_dict
from emonet.annotation.protocols._items import Item
from emonet.annotation.protocols._latent import Latent, latent_consensus
from emonet.annotation.protocols._matching import matching
from emonet.annotation.protocols._ready import (
    PROTOCOLS,
    best_worst,
    binary,
    hq,
    pairs,
    presence,
    protocol,
    questionnaire,
)
from emonet.annotation.protocols._records import (
    Choice,
    Decision,
    Enter,
    FormField,
    Judgement,
    Protocol,
    QuestionKind,
    Role,
    Stage,
    Unit,
)
from emonet.annotation.protocols._replay import Replay, replay_binary
from emonet.annotation.protocols._screening import RaterSigns, screen_raters
from emonet.annotation.protocols._settled import Settled, settle
from emonet.annotation.protocols._simulation import Simulation, SyntheticRater, simulate, synthetic_values
from emonet.annotation.protocols._units import make_units

__all__ = [
    "PROTOCOLS",
    "Choice",
    "Decision",
    "Enter",
    "Feedback",
    "FormField",
    "Item",
    "ItemScore",
    "Judgement",
    "Latent",
    "Protocol",
    "QuestionKind",
    "RaterSigns",
    "Replay",
    "Role",
    "Settled",
    "Simulation",
    "Stage",
    "SyntheticRater",
    "Unit",
    "adjudicated",
    "best_worst",
    "best_worst_scores",
    "binary",
    "bradley_terry",
    "check_protocol",
    "check_values",
    "decide",
    "feedback",
    "first_stage",
    "hq",
    "latent_consensus",
    "make_units",
    "matching",
    "pair_scores",
    "pairs",
    "presence",
    "protocol",
    "protocol_from_dict",
    "protocol_to_dict",
    "question_text",
    "questionnaire",
    "replay_binary",
    "rule_of",
    "screen_raters",
    "settle",
    "simulate",
    "synthetic_values",
]
