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
    "emonet": """
        Estimate Estimates Estimator __version__ load
    """,
    "emonet.taxonomy": """
        ATTRIBUTES Attribute EMOTIONS EMOTION_LEVELS Emotion GROUPS Modality SOURCE VERSION attribute
        checkpoint_name coarse_class dimension_key display_name emotion resolve
    """,
    "emonet.media": """
        AUDIO_SUFFIXES Audio AudioStream Face FaceDetector IMAGE_SUFFIXES Image Kind MAX_AUDIO_S MAX_PIXELS
        Region SAMPLE_RATE VIDEO_SUFFIXES WindowPolicy WindowReport decode_image kind_of load_face_detector
        open_audio read_audio read_video speech_windows track_faces
    """,
    "emonet.models": """
        AudioPreprocessing Calibration Card EncoderFile Evidence HeadCheck HeadGroup HeadWeights HeadsFile
        ImagePreprocessing Listed Metric Model PUBLISHED Precision Published Runtime Scale ScoreRangeWarning
        Session TrainingData check_bundle convert list_models load_model log_mel network_input pull read_card
        resolve_model sha256 square_crop update_card verify write_bundle
    """,
    "emonet.estimation": """
        Estimate Estimates Estimator Estimators FaceOptions Piece REGION_COLUMNS Ranked SCALES STATUSES Scale
        Status Values VoiceOptions clock dimension_columns estimate_files expand_inputs load place stream_files
    """,
    "emonet.reports": """
        EmbeddingTable FORMATS Format GROUP_COLORS LaionFolder NOTE Writer compact detail draw_chart format_of
        html_report laion_face laion_voice open_table print_estimates write_html write_text
    """,
    "emonet.training": """
        read_recipe train_detector train_embedded
    """,
}


@pytest.mark.parametrize("package", sorted(_PUBLIC))
def test_public_names_are_pinned(package: str) -> None:
    """A public name appears or goes only on purpose, and each one exists."""
    module = import_module(package)
    assert set(module.__all__) == set(_PUBLIC[package].split())
    assert all(hasattr(module, name) for name in module.__all__)


def test_missing_extra_names_the_install_line() -> None:
    """An absent package answers with the command that installs it."""
    with pytest.raises(MissingExtraError, match=r"pip install 'emonet\[video\]'"):
        require("no_such_package_here", extra="video", feature="reading video")
