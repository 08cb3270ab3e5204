"""Voice acting: balanced scripts, generators of speech, finished and checked clips, and shards of them.

Layout and names follow LAION's Got Talent (arXiv 2506.09827): eleven voices, 40 emotions, four languages, accents and
acting challenges. How to use it: docs/voice-acting.md.

>>> from emonet.synthesis.voices import VoiceDesign, load_espeak, synthesize_voices
>>> synthesize_voices(VoiceDesign(languages=["en", "de"]), load_espeak(), "talent")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emonet.synthesis.voices._accounts import Hours, hours_table
    from emonet.synthesis.voices._design import Balance, make_design, measure_balance
    from emonet.synthesis.voices._espeak import EspeakGenerator, load_espeak
    from emonet.synthesis.voices._finish import FinishPolicy
    from emonet.synthesis.voices._prosody import Prosody, prosody_of
    from emonet.synthesis.voices._record import Heard, Listener, Session, record_clips
    from emonet.synthesis.voices._records import (
        LANGUAGES,
        Burst,
        Clip,
        Effort,
        Failure,
        Generator,
        Order,
        Part,
        Script,
        Take,
    )
    from emonet.synthesis.voices._release import write_release
    from emonet.synthesis.voices._remote import ServiceGenerator, TranscriptionListener
    from emonet.synthesis.voices._run import Release, VoiceDesign, VoicePlan, plan_voices, synthesize_voices
    from emonet.synthesis.voices._scripts import write_scripts
    from emonet.synthesis.voices._services_file import VoiceServices, read_services
    from emonet.synthesis.voices._written import ScriptRules, WrittenScripts, ask_for_scripts

__all__ = [
    "LANGUAGES",
    "Balance",
    "Burst",
    "Clip",
    "Effort",
    "EspeakGenerator",
    "Failure",
    "FinishPolicy",
    "Generator",
    "Heard",
    "Hours",
    "Listener",
    "Order",
    "Part",
    "Prosody",
    "Release",
    "Script",
    "ScriptRules",
    "ServiceGenerator",
    "Session",
    "Take",
    "TranscriptionListener",
    "VoiceDesign",
    "VoicePlan",
    "VoiceServices",
    "WrittenScripts",
    "ask_for_scripts",
    "hours_table",
    "load_espeak",
    "make_design",
    "measure_balance",
    "plan_voices",
    "prosody_of",
    "read_services",
    "record_clips",
    "synthesize_voices",
    "write_release",
    "write_scripts",
]

_HOME = {
    "_accounts": "Hours hours_table",
    "_design": "Balance make_design measure_balance",
    "_espeak": "EspeakGenerator load_espeak",
    "_finish": "FinishPolicy",
    "_prosody": "Prosody prosody_of",
    "_record": "Heard Listener Session record_clips",
    "_records": "LANGUAGES Burst Clip Effort Failure Generator Order Part Script Take",
    "_release": "write_release",
    "_remote": "ServiceGenerator TranscriptionListener",
    "_run": "Release VoiceDesign VoicePlan plan_voices synthesize_voices",
    "_scripts": "write_scripts",
    "_services_file": "VoiceServices read_services",
    "_written": "ScriptRules WrittenScripts ask_for_scripts",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: the design is light, finishing needs libraries for sound, services their client."""
    for module, names in _HOME.items():
        if name in names.split():
            return getattr(import_module(f"emonet.synthesis.voices.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
