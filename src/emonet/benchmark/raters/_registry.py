"""From the settings of a config to a rater, by its `type`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from emonet.benchmark.raters._records import RaterRunner
from emonet.benchmark.raters._settings import (
    AnthropicSettings,
    BaselineSettings,
    BundleSettings,
    ChatSettings,
    GeminiSettings,
    HumeSettings,
    OpenAISettings,
    RaterSettings,
)
from emonet.datasets import LabelledSet
from emonet.errors import UnknownNameError, UsageError

Settings = TypeVar("Settings", bound=RaterSettings)


def build_rater(settings: Mapping[str, Any], *, cache: Path | None = None) -> RaterRunner:
    """A rater from its settings, such as a table `[[rater]]` of a config.

    `cache`: folder for the replies of services, which need one. Nothing is read, loaded or sent before the rater
    rates. Raises `UsageError` for a missing or wrong setting, `UnknownNameError` with the nearest name for an unknown
    type or key.
    """
    kind = settings.get("type")
    if not isinstance(kind, str):
        raise UsageError(f"A rater has type {kind!r}; expected one of {', '.join(RATER_TYPES)}.")
    if kind not in RATER_TYPES:
        raise UnknownNameError("type of rater", kind, RATER_TYPES)
    return _BUILDERS[kind](settings, cache)


def _checked(model: type[Settings], settings: Mapping[str, Any]) -> Settings:
    """Settings that passed every check."""
    who = f"rater {settings.get('name', settings['type'])!r}"
    for key in settings:
        if key not in model.model_fields:
            raise UnknownNameError(f"key of {who}", key, model.model_fields)
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        faults = ("".join(f"{part}: " for part in fault["loc"]) + fault["msg"] for fault in error.errors())
        raise UsageError(f"{who}: {'; '.join(faults)}.") from error


def _folder(name: str, cache: Path | None) -> Path:
    if cache is None:
        raise UsageError(f"{name!r} asks a service, and its replies must be kept: give a folder as cache=.")
    return Path(cache)


def _openai(settings: Mapping[str, Any], cache: Path | None) -> RaterRunner:
    from emonet.benchmark.raters._openai import SOUNDS, OpenAIProtocol

    chosen = _checked(OpenAISettings, settings)
    return _chat(chosen, cache, lambda: OpenAIProtocol(chosen), SOUNDS)


def _anthropic(settings: Mapping[str, Any], cache: Path | None) -> RaterRunner:
    from emonet.benchmark.raters._anthropic import AnthropicProtocol

    chosen = _checked(AnthropicSettings, settings)
    return _chat(chosen, cache, lambda: AnthropicProtocol(chosen), ())


def _gemini(settings: Mapping[str, Any], cache: Path | None) -> RaterRunner:
    from emonet.benchmark.raters._gemini import SOUNDS, GeminiProtocol

    chosen = _checked(GeminiSettings, settings)
    return _chat(chosen, cache, lambda: GeminiProtocol(chosen), SOUNDS)


def _chat(
    chosen: ChatSettings, cache: Path | None, protocol: Callable[[], Any], sounds: tuple[str, ...]
) -> RaterRunner:
    from emonet.benchmark.raters._chat import ChatService
    from emonet.benchmark.raters._questions import answer_scale
    from emonet.benchmark.raters._service_rater import ServiceRater

    def service(labelled: LabelledSet) -> ChatService:
        return ChatService(chosen, protocol(), answer_scale(labelled, chosen.scale), labelled.modality, sounds)

    return ServiceRater(
        chosen,
        _folder(chosen.name, cache),
        service,
        kind=chosen.prompt,
        protocol=chosen.prompt,
        scale=chosen.scale,
        mode=chosen.mode,
        facts={"model": chosen.model, "prompt": chosen.prompt, "mode": chosen.mode},
    )


def _hume(settings: Mapping[str, Any], cache: Path | None) -> RaterRunner:
    from emonet.benchmark.raters._hume import ADDRESSES, hume_service
    from emonet.benchmark.raters._service_rater import ServiceRater
    from emonet.services._records import public_address

    chosen = _checked(HumeSettings, settings)
    return ServiceRater(
        chosen,
        _folder(chosen.name, cache),
        lambda labelled: hume_service(chosen, labelled.modality),
        kind="api",
        protocol=f"hume {chosen.api}",
        scale=(0.0, 1.0),
        mode="all",
        facts={"api": chosen.api, "address": public_address(chosen.base_url or ADDRESSES[chosen.api])},
    )


def _bundle(settings: Mapping[str, Any], cache: Path | None) -> RaterRunner:
    from emonet.benchmark.raters._bundle import BundleRater

    del cache  # scoring a file again costs nothing
    return BundleRater(_checked(BundleSettings, settings))


def _baseline(settings: Mapping[str, Any], cache: Path | None) -> RaterRunner:
    from emonet.benchmark.raters._baselines import BaselineRater

    del cache
    return BaselineRater(_checked(BaselineSettings, settings))


_BUILDERS: Mapping[str, Callable[[Mapping[str, Any], Path | None], RaterRunner]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "hume": _hume,
    "bundle": _bundle,
    "baseline": _baseline,
}
RATER_TYPES: tuple[str, ...] = tuple(_BUILDERS)
"""Values of the setting `type`."""
