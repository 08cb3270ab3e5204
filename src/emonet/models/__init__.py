"""Arrays to scores: encoders, expert heads, bundles on disk, runtimes, and the models known by name."""

from emonet.models._bundle import check_bundle, read_card, sha256, update_card, write_bundle
from emonet.models._card import (
    AudioPreprocessing,
    Calibration,
    Card,
    EncoderFile,
    Evidence,
    HeadGroup,
    HeadsFile,
    ImagePreprocessing,
    Metric,
    Scale,
    Tier,
    TierCheck,
    TrainingData,
)
from emonet.models._convert import convert
from emonet.models._heads import HeadWeights, Precision
from emonet.models._logmel import log_mel
from emonet.models._model import Model, ScoreRangeWarning
from emonet.models._pictures import network_input, square_crop
from emonet.models._pull import pull
from emonet.models._quantize import quantize
from emonet.models._registry import PUBLISHED, Listed, Published, list_models, load_model, resolve_model
from emonet.models._session import Computed, Runtime, Session
from emonet.models._tier_check import RANK_BOUND, verify_tier
from emonet.models._torch_encoder import add_torch_tier
from emonet.models._verify import HeadCheck, verify

__all__ = [
    "PUBLISHED",
    "RANK_BOUND",
    "AudioPreprocessing",
    "Calibration",
    "Card",
    "Computed",
    "EncoderFile",
    "Evidence",
    "HeadCheck",
    "HeadGroup",
    "HeadWeights",
    "HeadsFile",
    "ImagePreprocessing",
    "Listed",
    "Metric",
    "Model",
    "Precision",
    "Published",
    "Runtime",
    "Scale",
    "ScoreRangeWarning",
    "Session",
    "Tier",
    "TierCheck",
    "TrainingData",
    "add_torch_tier",
    "check_bundle",
    "convert",
    "list_models",
    "load_model",
    "log_mel",
    "network_input",
    "pull",
    "quantize",
    "read_card",
    "resolve_model",
    "sha256",
    "square_crop",
    "update_card",
    "verify",
    "verify_tier",
    "write_bundle",
]
