"""What every user relies on before anything is computed: light imports, pinned public names, plain errors."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from emonet.errors import MissingExtraError, require

_HEAVY = ("torch", "transformers", "ray", "fastapi", "matplotlib", "onnxruntime", "polars", "pyarrow", "PIL", "numpy")


def _loaded_by(code: str) -> set[str]:
    """Heavy modules that a fresh interpreter holds after running `code`."""
    listing = f"import sys\n{code}\nprint(*[m for m in {_HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_import_is_light() -> None:
    """`import emonet` loads nothing heavy, numpy included."""
    assert _loaded_by("import emonet") == set()


@pytest.mark.parametrize("arguments", [["--help"], ["estimate", "--help"], ["models", "--help"], ["taxonomy", "list"]])
def test_help_is_light(arguments: list[str]) -> None:
    """Help and the taxonomy need no model, table or media library."""
    call = f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code"
    code = f"from emonet.cli import main\n{call}"
    assert _loaded_by(code) == set()


_PUBLIC = {
    "emonet": {"Estimate", "Estimates", "Estimator", "__version__", "load"},
    "emonet.taxonomy": {
        "ATTRIBUTES",
        "EMOTIONS",
        "EMOTION_LEVELS",
        "GROUPS",
        "SOURCE",
        "VERSION",
        "Attribute",
        "Emotion",
        "Modality",
        "attribute",
        "checkpoint_name",
        "coarse_class",
        "dimension_key",
        "display_name",
        "emotion",
        "resolve",
    },
}


@pytest.mark.parametrize("package", sorted(_PUBLIC))
def test_public_names_are_pinned(package: str) -> None:
    """A public name appears or goes only on purpose, and each one exists."""
    module = import_module(package)
    assert set(module.__all__) == _PUBLIC[package]
    assert all(hasattr(module, name) for name in module.__all__)


def test_missing_extra_names_the_install_line() -> None:
    """An absent package answers with the command that installs it."""
    with pytest.raises(MissingExtraError, match=r"pip install 'emonet\[video\]'"):
        require("no_such_package_here", extra="video", feature="reading video")
