"""Models by name: embedded, in the cache, published; and fetching them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emonet.errors import BundleError, EmonetError, ModelError, UnknownNameError, UsageError
from emonet.models import PUBLISHED, _pull, list_models, load_model, pull, resolve_model


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMONET_HOME", str(tmp_path / "home"))


def test_folders_and_cached_ids_resolve(small_bundle: Callable[..., Path]) -> None:
    """A path is taken as it is; a Hub id is looked up in the cache."""
    folder = small_bundle()
    assert resolve_model(folder) == resolve_model(str(folder)) == folder
    cached = Path(os.environ["EMONET_HOME"]) / "models" / "someone--my-model"
    shutil.copytree(folder, cached)
    assert resolve_model("someone/my-model") == cached
    assert load_model("someone/my-model").card.title == "test"
    assert ("someone/my-model", "cached") in [(listed.name, listed.state) for listed in list_models()]


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_published_models_say_how_to_get_them(name: str) -> None:
    """A known id that is not at hand gives the command that fetches it, and its size."""
    with pytest.raises(ModelError, match=f"emonet models pull {name}` .*GB"):
        resolve_model(name)
    assert (name, "published") in [(listed.name, listed.state) for listed in list_models()]


def test_unknown_names_answer_with_the_nearest(tmp_path: Path) -> None:
    """A misspelt id, and a folder that is no bundle."""
    with pytest.raises(UnknownNameError, match="Did you mean 'laion/Empathic-Insight-Voice-Small'"):
        resolve_model("laion/Empathic-Insight-Voice-Smal")
    with pytest.raises(BundleError, match=r"not a bundle.*emonet\.json"):
        resolve_model(tmp_path)


def test_a_damaged_card_in_the_cache_hides_only_itself(small_bundle: Callable[..., Path]) -> None:
    """The list of models survives a broken entry."""
    stored = Path(os.environ["EMONET_HOME"]) / "models"
    shutil.copytree(small_bundle(), stored / "a--good")
    (stored / "a--bad").mkdir()
    (stored / "a--bad" / "emonet.json").write_text("{")
    names = [listed.name for listed in list_models()]
    assert "a/good" in names
    assert "a/bad" not in names


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], None]:
    """A Hub of local folders: `hub(id, folder)` publishes, everything else is unreachable."""
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    folders: dict[str, Path] = {}

    def download(repository: str, *, revision: str | None = None, allow_patterns: Any = None) -> str:
        if repository not in folders:
            raise LocalEntryNotFoundError("Got: ConnectError: Name or service not known")
        return str(folders[repository])

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return folders.__setitem__


def test_pull_fetches_and_converts_a_suite(hub: Callable[[str, Path], None], voice_release: Any, clips: Any) -> None:
    """Heads and encoder are fetched, converted into the cache, and load by the Hub id."""
    hub("laion/Empathic-Insight-Voice-Plus", voice_release[0])
    hub("laion/BUD-E-Whisper", voice_release[1])
    steps: list[str] = []
    card = pull("laion/Empathic-Insight-Voice-Plus", precision="int8", progress=steps.append)
    assert card.id == "laion/Empathic-Insight-Voice-Plus"
    assert card.heads.precision == "int8"
    assert card.recipe["encoder_commit"] == voice_release[1].name
    assert "anger" in steps
    assert load_model("laion/Empathic-Insight-Voice-Plus").raw_scores(clips[:1]).shape == (1, 59)


def test_pull_fetches_a_bundle(hub: Callable[[str, Path], None], small_bundle: Callable[..., Path]) -> None:
    """Any repository with a bundle is copied and checked; a damaged one never reaches the cache."""
    folder = small_bundle()
    (folder / "README.md").write_text("not part of the bundle")
    hub("someone/model", folder)
    card = pull("someone/model")
    assert load_model("someone/model").card == card
    assert not (resolve_model("someone/model") / "README.md").exists()
    (folder / "encoder.onnx").write_bytes(b"exchanged")
    hub("someone/damaged", folder)
    with pytest.raises(BundleError, match=r"encoder\.onnx"):
        pull("someone/damaged")
    with pytest.raises(UnknownNameError):
        resolve_model("someone/damaged")


def test_pull_without_network_says_what_to_do(hub: Callable[[str, Path], None]) -> None:
    """The message names the repository, the cause and the way around."""
    with pytest.raises(ModelError, match=r"(?s)Face-Small cannot be fetched.*ConnectError.*emonet models convert"):
        pull("laion/Empathic-Insight-Face-Small")


def test_pull_of_other_names(hub: Callable[[str, Path], None], tmp_path: Path) -> None:
    """No Hub id at all, an impossible one, and a repository without a bundle."""
    with pytest.raises(UnknownNameError):
        pull("voice")
    hub("laion/Empathic-Insight-Voice-Smal", tmp_path)
    with pytest.raises(ModelError, match=r"holds no bundle.*Did you mean 'laion/Empathic-Insight-Voice-Small'"):
        pull("laion/Empathic-Insight-Voice-Smal")


def test_the_real_client_offline_is_a_clear_error() -> None:
    """Hub client and our handling of its errors, without the network."""
    with pytest.raises(EmonetError, match="cannot be fetched from the Hub"):
        _pull._snapshot("laion/BUD-E-Whisper", None, ["config.json"])
    with pytest.raises(UsageError, match="no Hub id"):
        _pull._snapshot("laion/no such name", None, ["*"])


@pytest.mark.network
@pytest.mark.weights
def test_pull_the_real_small_face_suite() -> None:
    """LAION's own files, when EMONET_TEST_HUB is set."""
    if "EMONET_TEST_HUB" not in os.environ:
        pytest.skip("set EMONET_TEST_HUB=1 to fetch 5 GB from the Hub")
    card = pull("laion/Empathic-Insight-Face-Small")
    assert len(card.dimensions) - len(card.missing) >= 40
