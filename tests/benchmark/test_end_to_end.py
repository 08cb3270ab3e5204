"""The whole benchmark over real files and HTTP: prompted model, rules, interruption and resumption, and the releases'
layouts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmark.raters.made_items import answer, picture
from benchmark.raters.model_server import TOKENS_IN, TOKENS_OUT, ModelServer, Reply
from emonet.benchmark import HUMAN_CEILING, compare_results, read_results, run_benchmark
from emonet.benchmark._agreement import type_rows
from emonet.benchmark._board import make_board
from emonet.datasets import read_face_binary, write_rated
from emonet.taxonomy import EMOTIONS
from made_ratings import DIMENSIONS, made_set, ratings_of, seen, truth

ITEMS = 60
DIES_AFTER = 25  # requests
_CONFIG = """
[set]
kind = "rated"
folder = "ratings"

[[rater]]
type = "openai"
name = "made model"
model = "made-1"
base_url = "{url}/v1?key=secret"
api_key_env = ""
concurrency = 2
backoff_s = 0.01
price_in = 2.0
price_out = 10.0

[[rater]]
type = "baseline"
name = "dice"
rule = "random"

[analysis]
resamples = 100
"""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model that sees nearly what people see, refuses two pictures and garbles one for good."""
    said = seen(truth(ITEMS), 1.0, seed=300)
    with ModelServer().running() as running:
        running.script = {
            f"item-{k:03d}": [Reply(answer(**dict(zip(DIMENSIONS, map(int, said[k]), strict=True))))]
            for k in range(ITEMS)
        }
        running.script["item-003"] = running.script["item-004"] = [Reply("", refusal="I cannot rate people.")]
        running.script["item-005"] = [Reply("seven, I think")]
        yield running


@pytest.fixture
def config(tmp_path: Path, server: ModelServer) -> Path:
    """The made set with pictures, and a config beside it."""
    made = made_set(ITEMS)
    (tmp_path / "pictures").mkdir()
    for item in made.items["item"]:
        (tmp_path / "pictures" / f"{item}.jpg").write_bytes(picture(item))
    media = [str(tmp_path / "pictures" / f"{item}.jpg") for item in made.items["item"]]
    write_rated(replace(made, items=made.items.with_columns(media=pl.Series(media))), tmp_path / "ratings")
    (tmp_path / "run.toml").write_text(_CONFIG.format(url=server.url))
    return tmp_path / "run.toml"


def _command(config: Path, *more: str) -> subprocess.Popen[str]:
    call = [sys.executable, "-m", "emonet.cli", "benchmark", "run", str(config), "--no-report", *more]
    return subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


def test_a_prompted_model_is_compared_with_people(config: Path, server: ModelServer) -> None:
    """Pictures over HTTP to ranks: the model is ahead of the dice, and what it would not answer is in the rates."""
    folder = run_benchmark(config)
    assert "made model" in (folder / "report.html").read_text(encoding="utf-8")
    results = read_results(folder)
    means = results.scores.filter(
        pl.col("definition") == "strict", pl.col("dimension").is_null(), pl.col("slice").is_null()
    )
    value = {(row["metric"], row["rater"]): row for row in means.iter_rows(named=True)}
    assert value["spearman", "made model"]["low"] > value["spearman", "dice"]["high"]
    assert value["spearman", "made model"]["n"] == ITEMS - 3
    assert "answered 95%" in value["spearman", "made model"]["note"]
    assert value["refusal_rate", "made model"]["value"] == pytest.approx(2 / ITEMS)
    assert value["format_failure_rate", "made model"]["value"] == pytest.approx(1 / ITEMS)
    assert ("spearman", HUMAN_CEILING) in value
    assert "secret" not in str(results.facts)
    (rater,) = [one for one in results.facts["raters"] if one["name"] == "made model"]
    assert rater["kind"] == "zero-shot"
    assert rater["facts"]["model"] == "made-1"
    assert results.replies.filter(pl.col("status") == "ok").height == ITEMS - 3
    comparison = compare_results(results, raters=["dice", "made model"])[0]
    better = comparison.table.filter(pl.col("metric") == "spearman", pl.col("dimension").is_null())["better"]
    assert better.to_list() == ["made model"]


def test_a_server_with_every_failure_that_dies_half_way(config: Path) -> None:
    """Refusals, garbled and late answers and a dead server are counted apart and paid for once; the report is whole,
    and once the server is back the same run fills the gaps."""
    text = config.read_text().replace("concurrency = 2", "concurrency = 1\ntimeout_s = 0.3\nmax_attempts = 2")
    model, dying = ModelServer(), threading.Event()

    def dies(item: str) -> Reply:
        if len(model.requests) < DIES_AFTER:
            return Reply(answer(anger=1))
        dying.set()
        return Reply(broken=True)

    model.default = dies
    model.script = {
        "item-003": [Reply("", refusal="I cannot rate people.")],
        "item-005": [Reply("seven, I think")],
        "item-006": [Reply(delay_s=1.0)],
    }
    with model.running():
        config.write_text(re.sub(r'base_url = ".*"', f'base_url = "{model.url}/v1"', text))
        thread = threading.Thread(target=run_benchmark, args=(config,))
        thread.start()
        assert dying.wait(30)
    thread.join()
    first = read_results(config.with_suffix(""))
    assert "made model" in (config.with_suffix("") / "report.html").read_text(encoding="utf-8")
    counted = dict(first.replies.group_by("status").len().iter_rows())
    answered = counted.pop("ok")
    assert counted.pop("refused") == counted.pop("malformed") == 1
    assert counted.pop("timeout") == 1
    assert counted == {"error": ITEMS - 3 - answered}
    assert 0 < answered < ITEMS / 2
    one = (2.0 * TOKENS_IN + 10.0 * TOKENS_OUT) / 1e6
    assert first.replies["cost"].sum() == pytest.approx((answered + 1 + 2) * one)  # a garbled answer is paid twice
    with model.running(port=int(model.url.rpartition(":")[2])):
        model.default = lambda _: Reply(answer(anger=1))
        second = read_results(run_benchmark(config, report=False))
    assert dict(second.replies.group_by("status").len().iter_rows()) == {
        "ok": ITEMS - 3,
        "refused": 1,
        "malformed": 1,
        "timeout": 1,
    }
    kept = first.replies.filter(pl.col("status") == "ok")["item"].to_list()
    assert all(model.tries[item] == 1 for item in kept)


def test_ctrl_c_keeps_the_cache_and_says_how_to_go_on(config: Path, server: ModelServer) -> None:
    """Interrupted, the command leaves no results and code 130; the same command asks only what is missing."""
    for replies in server.script.values():
        replies[0] = replace(replies[0], delay_s=0.1)
    child = _command(config)
    deadline = time.monotonic() + 30
    while len(server.requests) < 20:
        assert time.monotonic() < deadline, child.communicate(timeout=5)
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert f"emonet benchmark run {config}" in err.replace("\n", "")
    output = config.with_suffix("")
    assert (output / "cache").is_dir()
    assert not (output / "run.json").exists()
    for replies in server.script.values():
        replies[0] = replace(replies[0], delay_s=0.0)
    child = _command(config)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert "made model" in out
    once = Counter(item for item, _, _ in server.requests)
    del once["item-005"]  # garbled answers are asked again
    assert max(once.values()) <= 2
    assert sum(count - 1 for count in once.values()) <= 2  # what was under way in two threads
    before = len(server.requests)
    run_benchmark(config, report=False)
    assert len(server.requests) == before  # everything is kept
    run_benchmark(config, report=False, resume=False)
    assert len(server.requests) >= before + ITEMS  # asked anew, and the old answers are set aside
    assert (output / "cache-1" / "replies.sqlite").exists()


def test_the_hq_layout_with_its_models(tmp_path: Path) -> None:
    """A table in the release's layout: people and models come out of it, Hume's 0..1 counts like 0..7."""
    real, names = truth(40), [emotion.aliases["hq"] for emotion in EMOTIONS[:6]]
    sheets = {f"human-{k}": (True, seen(real, 1.5, k)) for k in range(1, 5)}
    model = np.clip(real + np.random.default_rng(9).normal(0, 1, real.shape), 0, 7)
    sheets["Empathic Insight Face Large"] = (False, model)
    sheets["Hume Face"] = (False, model / 7)
    rows = [
        {
            "image": f"img{row}.png",
            "annotator": rater,
            "human": human,
            "annotations": repr({name: float(value) for name, value in zip(names, table[row], strict=True)}),
        }
        for rater, (human, table) in sheets.items()
        for row in range(40)
    ]
    pl.DataFrame(rows).write_csv(tmp_path / "hq.csv")
    (tmp_path / "hq.toml").write_text(
        '[set]\nkind = "face-hq"\nratings = "hq.csv"\n[analysis]\nresamples = 100\ndefinitions = ["published"]\n'
    )
    results = read_results(run_benchmark(tmp_path / "hq.toml", report=False))
    assert len(results.facts["dimensions"]) == 40
    scores = results.scores.filter(pl.col("dimension").is_null(), pl.col("metric") == "spearman")
    value = {row["rater"]: row for row in scores.iter_rows(named=True)}
    assert value["Hume Face"]["value"] == pytest.approx(value["Empathic Insight Face Large"]["value"])
    assert value["Hume Face"]["dimensions_used"] == 6  # constants are skipped by the published mean
    assert HUMAN_CEILING in value


@pytest.mark.shared
def test_binary_release(shared: Path, tmp_path: Path) -> None:
    """The published table's vote patterns in full, and a run over its first 2,000 pictures."""
    table = shared / "data" / "ratings" / "emonet_face_binary.csv"
    rows = list(type_rows(make_board(read_face_binary(table), ratings_of({}))))
    types = pl.DataFrame(rows).group_by("type").agg(pl.col("items").sum())
    assert dict(types.iter_rows()) == {
        "3:0 present": 9_075,
        "2:1": 1_943,
        "1:1": 3_652,
        "1:0 present": 3_037,
        "1:0 absent": 22_291,
    }
    (tmp_path / "binary.toml").write_text(
        f'[set]\nkind = "face-binary"\nratings = "{table}"\n[analysis]\nresamples = 100\ndefinitions = ["strict"]\n'
    )
    results = read_results(run_benchmark(tmp_path / "binary.toml", report=False, limit=2000))
    assert results.facts["common_scale"] == [0.0, 1.0]
    assert results.facts["items"] == 2000
    random = results.scores.filter(
        pl.col("rater") == "null: random", pl.col("metric") == "auc", pl.col("dimension").is_null()
    ).row(0, named=True)
    assert random["low"] < 0.5 < random["high"]
