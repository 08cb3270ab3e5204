"""`emonet benchmark`: what is printed, compared and refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from emonet.benchmark import Analysis, score_raters, transfer_map, write_results
from emonet.cli import main
from made_ratings import made_raters, made_set


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["benchmark", *arguments])
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of five made raters."""
    results = score_raters(made_set(), made_raters(), analysis=Analysis(resamples=100))
    return write_results(results, tmp_path_factory.mktemp("results"))


def test_show_prints_a_leaderboard(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Ranks come with intervals and letters, values with theirs; the human ceiling is there."""
    code, out, _ = _run(capsys, "show", str(folder))
    assert code == 0
    for expected in ("good", "1-2", "people", "null:", "[0.", "Raters that share a letter"):
        assert expected in out
    assert _run(capsys, "show", str(folder), "--metric", "kappa", "--definition", "published")[0] == 0


def test_show_names_what_is_not_there(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    """A misspelt metric, one that the definition lacks, a folder without results."""
    code, _, err = _run(capsys, "show", str(folder), "--metric", "kapa")
    assert code == 2
    assert "'kappa'" in err
    code, _, err = _run(capsys, "show", str(folder), "--metric", "mae", "--definition", "published")
    assert code == 2
    assert "no mae by the published definition" in err
    code, _, err = _run(capsys, "show", str(tmp_path))
    assert code == 2
    assert "run.json" in err


def test_compare_prints_paired_differences(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Two raters of one folder, or the same raters of two."""
    code, out, _ = _run(capsys, "compare", str(folder), "--raters", "good", "--raters", "poor")
    assert code == 0
    assert "poor (second) minus good (first), 60 items" in out
    code, out, _ = _run(capsys, "compare", str(folder), str(folder), "--raters", "good")
    assert code == 0
    assert "neither" in out
    code, _, err = _run(capsys, "compare", str(folder), "poor")
    assert code == 2
    assert "--raters" in err


def test_transfer_prints_rule_and_null(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The lenient figure never stands without the shuffled labels and the strict rules."""
    map = transfer_map("ferd")
    generator = np.random.default_rng(0)
    columns = {key: generator.normal(0, 1, 40) for key in map.emotions}
    labels = [map.classes[k % 8] for k in range(40)]
    pl.DataFrame({"label": labels, **columns}).write_csv(tmp_path / "scores.csv")
    code, out, _ = _run(capsys, "transfer", str(tmp_path / "scores.csv"), "--map", "ferd")
    assert code == 0
    for expected in ("lenient recall", "shuffled labels", "strict", "neutral means", "surprise"):
        assert expected in out
    code, _, err = _run(capsys, "transfer", str(tmp_path / "scores.csv"), "--map", "frd")
    assert code == 2
    assert "'ferd'" in err


def test_a_wrong_config_stops_before_anything_is_rated(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The message names the file and the nearest key; no output folder appears."""
    (tmp_path / "run.toml").write_text('[set]\nkind = "rated"\n[analisis]\nseed = 1\n')
    code, _, err = _run(capsys, "run", str(tmp_path / "run.toml"))
    assert code == 2
    assert "'analysis'" in err
    assert not (tmp_path / "run").exists()
