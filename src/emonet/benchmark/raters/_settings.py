"""The settings of each type of rater, as they stand in a config; every field is checked when the rater is built."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from emonet.benchmark.raters._prompts import Style
from emonet.benchmark.raters._questions import Mode
from emonet.services._limits import Limits
from emonet.services._replies import Prices

Positive = Annotated[float, Field(gt=0)]
Price = Annotated[float, Field(ge=0)]


class RaterSettings(BaseModel):
    """What every rater has. `name`: how it is called in the results."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    type: str
    name: Annotated[str, Field(min_length=1)]


class ServiceSettings(RaterSettings):
    """A rater behind a service on the network.

    `base_url`: address of the service, by default the maker's. `api_key_env`: environment variable that holds the
    key; "" sends none. `timeout_s`: of one request. `price_*`: money per million tokens and per request, in
    `currency`; `budget`: no request is begun that could exceed it, earlier runs included. The rest: see `Limits`.
    """

    base_url: str = ""
    api_key_env: str = ""
    timeout_s: Positive = 120.0
    concurrency: Annotated[int, Field(ge=1, le=256)] = 8
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 4
    max_waits: Annotated[int, Field(ge=0, le=1000)] = 20
    backoff_s: Positive = 1.0
    price_in: Price | None = None
    price_out: Price | None = None
    price_request: Price | None = None
    currency: str = "USD"
    budget: Positive | None = None

    @model_validator(mode="after")
    def _budget_needs_prices(self) -> ServiceSettings:
        if self.budget is not None and not self.prices().known:
            raise ValueError("a budget needs prices: give price_in and price_out (per million tokens) or price_request")
        return self

    def limits(self) -> Limits:
        """The same as the engine takes them."""
        return Limits(
            self.concurrency,
            self.requests_per_minute,
            self.tokens_per_minute,
            self.max_attempts,
            self.max_waits,
            self.backoff_s,
            self.budget,
        )

    def prices(self) -> Prices:
        """The same as the accounts take them."""
        return Prices(self.price_in, self.price_out, self.price_request, self.currency)


class ChatSettings(ServiceSettings):
    """A model that is asked in words.

    `model`: its name at the service. `prompt`: without or with worked examples. `mode`: all dimensions at once or one
    by one, see `Mode`. `scale`: ends of the scale to answer on, by default the people's. `instructions`: replaces the
    text on the rater's role. `structured`: ask for the answer by JSON schema, where the server takes one.
    `temperature`: by default the service's own. `max_tokens`: longest answer, thinking included. `max_side`: pictures
    are reduced to so many pixels. `extra`: further fields of the request's body, as the service documents them.
    """

    model: Annotated[str, Field(min_length=1)]
    prompt: Style = "zero-shot"
    mode: Mode = "auto"
    scale: tuple[float, float] | None = None
    instructions: str | None = None
    structured: bool = True
    temperature: Annotated[float, Field(ge=0)] | None = None
    max_tokens: Annotated[int, Field(ge=16)] = 2000
    max_side: Annotated[int, Field(ge=32)] | None = None
    extra: dict[str, Any] = {}


class OpenAISettings(ChatSettings):
    """Any server that speaks chat completions: OpenAI, vLLM, OpenRouter, most vendors."""

    type: Literal["openai"]
    base_url: str = "https://api.openai.com/v1"
    api_key_env: str = "OPENAI_API_KEY"


class AnthropicSettings(ChatSettings):
    """Anthropic's Messages API; pictures only."""

    type: Literal["anthropic"]
    base_url: str = "https://api.anthropic.com"
    api_key_env: str = "ANTHROPIC_API_KEY"


class GeminiSettings(ChatSettings):
    """Google's Gemini API."""

    type: Literal["gemini"]
    base_url: str = "https://generativelanguage.googleapis.com"
    api_key_env: str = "GEMINI_API_KEY"


class HumeSettings(ServiceSettings):
    """Hume's Expression Measurement. `api`: "upload" for the service since October 2026, "batch" for the jobs of the
    one that closed on 14 June 2026. `poll_s`: pause between looks at a job. `max_seconds`: longer recordings are not
    sent; the published comparison sent at most 5 s."""

    type: Literal["hume"]
    api: Literal["upload", "batch"] = "upload"
    base_url: str = ""
    api_key_env: str = "HUME_API_KEY"
    poll_s: Positive = 2.0
    max_seconds: Positive | None = None


class BundleSettings(RaterSettings):
    """A model on this machine. `model`: any name that `emonet.load` takes. `values`: which scores are the ratings.
    `whole_image`: the pictures are portraits, look for no face. `whole_audio`: score all of a recording, not only its
    speech. `batch_size`, `threads`: as `emonet.load`."""

    type: Literal["bundle"]
    model: Annotated[str, Field(min_length=1)]
    values: Literal["relative", "calibrated", "raw"] = "relative"
    whole_image: bool = False
    whole_audio: bool = True
    batch_size: Annotated[int, Field(ge=1)] | None = None
    threads: Annotated[int, Field(ge=1)] | None = None


class BaselineSettings(RaterSettings):
    """A trivial rule. `rule`: `random` draws evenly from the scale, `constant` always gives `value`, `zero` the absent
    end, `marginal` draws from what people gave on the dimension (so it has seen the ratings)."""

    type: Literal["baseline"]
    rule: Literal["random", "constant", "zero", "marginal"]
    value: float | None = None
    seed: int = 42

    @model_validator(mode="after")
    def _value_of_constant(self) -> BaselineSettings:
        if (self.rule == "constant") != (self.value is not None):
            raise ValueError('`value` belongs to the rule "constant", which needs it')
        return self
