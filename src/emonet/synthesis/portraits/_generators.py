"""Where pictures come from: a service, diffusers on this machine, or a folder of finished ones."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from emonet.errors import UsageError, require
from emonet.services import CostEstimate, Endpoint, Request, ask, estimate_cost
from emonet.synthesis.portraits._prompts import Prompt

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True, slots=True)
class Order:
    """One picture to be made. `attempt` counts from 0; `seed` differs between attempts."""

    prompt: Prompt
    attempt: int
    seed: int


@dataclass(frozen=True, slots=True)
class Made:
    """What came of an order: the encoded file, or why there is none. `final`: another attempt would change nothing.
    `seeded`: the order's seed was really used; services and folders take none."""

    order: Order
    data: bytes = b""
    fault: str = ""
    cost: float | None = None
    final: bool = False
    seeded: bool = False


class Generator(Protocol):
    """Makes pictures. `name`: for the provenance; `licence`: of the pictures, as far as it is known."""

    @property
    def name(self) -> str: ...

    @property
    def licence(self) -> str: ...

    def pictures(self, orders: Sequence[Order]) -> Iterator[Made]:
        """A picture or a fault for each order, as they come."""
        ...

    def effort(self, prompts: Sequence[Prompt]) -> CostEstimate | None:
        """What the prompts would cost at one attempt each; None where nothing is paid."""
        ...


@dataclass(frozen=True, slots=True)
class ServiceGenerator:
    """A model behind an `images/generations` endpoint. `cache`: folder of every raw reply, so that nothing paid for is
    asked twice; `size`: in pixels, as the service spells it; `options`: further fields of the request."""

    endpoint: Endpoint
    cache: Path
    size: str = "1024x1024"
    options: Mapping[str, Any] = field(default_factory=dict)
    terms: str = ""

    @property
    def name(self) -> str:
        return f"{self.endpoint.model} at {self.endpoint.base_url}"

    @property
    def licence(self) -> str:
        return self.terms or f"terms of the service at {self.endpoint.base_url}, model {self.endpoint.model}"

    def pictures(self, orders: Sequence[Order]) -> Iterator[Made]:
        asked = {order.prompt.key: order for order in orders}
        for reply in ask([self._request(order) for order in orders], self.endpoint, cache=self.cache):
            order = asked[reply.key]
            if reply.status == "ok":
                yield Made(order, reply.data, cost=reply.cost)
            else:
                fault = f"{reply.status}: {reply.message}"
                yield Made(order, fault=fault, cost=reply.cost, final=reply.status in ("refused", "not_asked"))

    def effort(self, prompts: Sequence[Prompt]) -> CostEstimate | None:
        return estimate_cost([self._request(Order(prompt, 0, prompt.seed)) for prompt in prompts], self.endpoint)

    def _request(self, order: Order) -> Request:
        # `user` tells pictures apart where a service takes no seed: the cache must not answer a new attempt, nor a
        # prompt that happens to read like another.
        body = {
            "prompt": order.prompt.text, "size": self.size, "n": 1,
            "user": f"{order.prompt.key}-{order.attempt}", **self.options,
        }  # fmt: skip
        return Request(order.prompt.key, "image", body)


@dataclass(frozen=True)
class DiffusersGenerator:
    """A text-to-image pipeline of diffusers, from a folder or the Hub (extra `diffusers`).

    `options`: of each call, such as `num_inference_steps`, `guidance_scale`, `height`, `width`.
    """

    model: str
    device: str = "auto"
    batch: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    terms: str = ""

    @property
    def name(self) -> str:
        return f"diffusers {self.model}"

    @property
    def licence(self) -> str:
        return self.terms or f"licence of the model {self.model}"

    def pictures(self, orders: Sequence[Order]) -> Iterator[Made]:
        import torch

        for start in range(0, len(orders), self.batch):
            part = orders[start : start + self.batch]
            draws = [torch.Generator("cpu").manual_seed(order.seed) for order in part]
            found = self._pipeline([order.prompt.text for order in part], generator=draws, **self.options).images
            for order, picture in zip(part, found, strict=True):
                file = io.BytesIO()
                picture.convert("RGB").save(file, "PNG")
                yield Made(order, file.getvalue(), seeded=True)

    def effort(self, prompts: Sequence[Prompt]) -> CostEstimate | None:
        return None

    @cached_property
    def _pipeline(self) -> Any:
        diffusers = require("diffusers", extra="diffusers", feature="Making pictures on this machine")
        import torch

        cuda = torch.cuda.is_available() if self.device == "auto" else self.device.startswith("cuda")
        device = ("cuda" if cuda else "cpu") if self.device == "auto" else self.device
        try:
            loaded = diffusers.DiffusionPipeline.from_pretrained(
                self.model, dtype=torch.bfloat16 if cuda else torch.float32
            )
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{self.model}: diffusers cannot load it ({error}). Give a pipeline's folder or Hub id."
            ) from error
        loaded.set_progress_bar_config(disable=True)
        return loaded.to(device)


@dataclass(frozen=True, slots=True)
class FolderGenerator:
    """Finished pictures, each named by its prompt's key (`portrait-00001.png`); made elsewhere from `prompts.jsonl`."""

    folder: Path
    terms: str = ""

    @property
    def name(self) -> str:
        return f"pictures of {self.folder.name}"

    @property
    def licence(self) -> str:
        return self.terms or "not stated"

    def pictures(self, orders: Sequence[Order]) -> Iterator[Made]:
        if not self.folder.is_dir():
            raise UsageError(
                f"{self.folder} is no folder; expected one with pictures named by the keys of the prompts."
            )
        for order in orders:
            key = order.prompt.key
            tries = [self.folder / f"{key}{suffix}" for suffix in _SUFFIXES]
            again = [self.folder / f"{key}-{order.attempt}{suffix}" for suffix in _SUFFIXES]
            found = next((path for path in (*again, *(tries if order.attempt == 0 else ())) if path.is_file()), None)
            if found is None:
                yield Made(order, fault="no such picture in the folder", final=True)
            else:
                yield Made(order, found.read_bytes())

    def effort(self, prompts: Sequence[Prompt]) -> CostEstimate | None:
        return None
