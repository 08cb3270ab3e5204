"""The file that names services: what it holds, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from emonet.errors import UsageError
from emonet.synthesis.voices import ScriptRules, read_services

GOOD = """
[speaker]
protocol = "audio_chat"
base_url = "http://127.0.0.1:1/v1"
model = "talker"
api_key_env = ""
price_request = 0.01
budget = 3.0
terms = "CC0-1.0"
voices = { alloy = "Anna" }

[writer]
base_url = "http://127.0.0.1:2/v1"
model = "writer"
words = [5, 20]
name_emotion = true

[listener]
base_url = "http://127.0.0.1:3/v1"
model = "listener"
"""


def test_three_roles_are_read(tmp_path: Path) -> None:
    path = tmp_path / "services.toml"
    path.write_text(GOOD)
    found = read_services(path)
    assert (found.protocol, found.terms, found.voices) == ("audio_chat", "CC0-1.0", {"alloy": "Anna"})
    assert found.speaker is not None
    assert (found.speaker.model, found.speaker.budget) == ("talker", 3.0)
    assert found.writer is not None
    assert found.rules == ScriptRules((5, 20), name_emotion=True)
    assert found.listener is not None
    assert found.listener.base_url.endswith(":3/v1")


def test_every_role_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "services.toml"
    path.write_text("")
    found = read_services(path)
    assert (found.speaker, found.writer, found.rules, found.listener) == (None, None, None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("speaker = 3", "expected a table"),
        ("[speker]\n", "Did you mean 'speaker'"),
        ('[speaker]\nmodel = "m"', "no base_url"),
        ('[speaker]\nbase_url = "ftp://x"\nmodel = "m"', "speaker.*ftp://x"),
        ('[speaker]\nbase_url = "http://x/v1"\nmodel = "m"\nprotocol = "spech"', "Did you mean 'speech'"),
        ('[speaker]\nbase_url = "http://x/v1"\nmodel = "m"\nvoices = { aloy = "a" }', "Did you mean 'alloy'"),
        ('[speaker]\nbase_url = "http://x/v1"\nmodel = "m"\nvoices = 3', "expected names"),
        ('[speaker]\nbase_url = "http://x/v1"\nmodel = "m"\nbuget = 3', "Did you mean 'budget'"),
        ('[writer]\nbase_url = "http://x/v1"\nmodel = "m"\nwords = 3', "words 3"),
        ('[writer]\nbase_url = "http://x/v1"\nmodel = "m"\nwords = [9, 3]', "fewest and the most"),
        ("[speaker", "TOML"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "services.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_services(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml"):
        read_services(tmp_path / "nowhere.toml")
