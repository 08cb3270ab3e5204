"""The command itself: exit codes and the taxonomy commands."""

from __future__ import annotations

import pytest

from emonet.cli import main


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def test_taxonomy_list_names_all_emotions(capsys: pytest.CaptureFixture[str]) -> None:
    """40 keys, and 63 with the attributes."""
    code, out, _ = _run(capsys, "taxonomy", "list", "--plain")
    assert code == 0
    assert len(out.split()) == 40
    _, out, _ = _run(capsys, "taxonomy", "list", "--plain", "--attributes")
    assert len(out.split()) == 63


def test_taxonomy_show_accepts_any_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    """A checkpoint's file name finds the emotion."""
    code, out, _ = _run(capsys, "taxonomy", "show", "model_Jealousy_&_Envy_best.pth")
    assert code == 0
    assert "Jealousy & Envy" in out
    assert "Negative Low-Energy Emotions" in out


def test_unknown_emotion_answers_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage is exit code 2 and one line that helps."""
    code, _, err = _run(capsys, "taxonomy", "show", "contemt")
    assert code == 2
    assert "Did you mean 'Contempt'" in err
    assert "Traceback" not in err


def test_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that does not exist is exit code 2."""
    code, out, err = _run(capsys, "estimat")
    assert code == 2
    assert "estimat" in out + err
