"""A recipe: which sources a data set is made from, and by which rules. One TOML file, read and checked as a whole."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from emonet.datasets.curation._categories import EVERY
from emonet.datasets.curation._copies import PictureRule, SoundRule
from emonet.datasets.curation._quality import PictureLimits, SoundLimits
from emonet.datasets.curation._splits import SHARES
from emonet.errors import UsageError
from emonet.taxonomy import Modality


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RatedSource(_Strict):
    """A set with ratings, by one of the package's readers; `arguments` are the reader's, paths as text."""

    reader: Literal["rated", "face_binary", "face_hq", "voice", "coarse", "ferplus", "cremad", "mdns"]
    arguments: Mapping[str, Any] = {}


class Source(_Strict):
    """`input`: shards, folders or manifests, as addresses or patterns. `kind`: only shards of this layout. `rated`:
    instead of `input`, a set with ratings. `licence`, `consent`: taken where a sample tells none of its own. `facts`:
    new name → name in the source, such as speaker = "spk_id". `only`: facts that a sample must have, or source,
    modality, licence, consent, extension."""

    name: str
    input: tuple[str, ...] = ()
    kind: Literal["webdataset", "parquet", "folder", "manifest"] | None = None
    rated: RatedSource | None = None
    licence: str = ""
    consent: str = ""
    facts: Mapping[str, str] = {}
    only: Mapping[str, str] = {}


class AgreementRule(_Strict):
    """See `strict_agreement`."""

    raters: int = 3
    on: Literal["value", "presence"] = "value"


class ThresholdRule(_Strict):
    """See `threshold`."""

    least: float
    how: Literal["mean", "median", "share"] = "mean"
    raters: int = 1


class CopiesRule(_Strict):
    """`drop`: keep one of each group; otherwise copies are only marked, and splits keep them together. `prefer`:
    columns whose largest value decides which stays. `label`: column whose values should agree among copies."""

    drop: bool = True
    prefer: tuple[str, ...] = ()
    label: str | None = None
    picture: PictureRule = PictureRule()
    sound: SoundRule = SoundRule()


class CategoriesRule(_Strict):
    """See `check_categories`; `drop_scarce`: leave out items of categories with fewer than `least` items first."""

    column: str = "label"
    categories: tuple[str, ...] = EVERY
    least: int = 1
    required: bool = False
    drop_scarce: bool = False


class BalanceRule(_Strict):
    """See `balance_items`."""

    by: tuple[str, ...]
    most: int | None = None
    ratio: float | None = None


class SplitRule(_Strict):
    """See `split_items`."""

    shares: Mapping[str, float] = SHARES
    by: tuple[str, ...] = ()
    stratify: tuple[str, ...] = ()
    unknown: Literal["refuse", "single"] = "refuse"


class OutputRule(_Strict):
    """`kind`: layout of the shards. `per_shard`: samples in each."""

    kind: Literal["webdataset", "parquet"] = "webdataset"
    per_shard: int = 1000


class Recipe(_Strict):
    """What `emonet dataset build` makes. `media`: False for a set of ratings alone: nothing is decoded, no shards are
    written. `detector`: of faces, "none" to look for none. `quality`: limits of the modality. A rule that is left out
    is not applied."""

    name: str
    modality: Modality
    source: tuple[Source, ...]
    seed: int = 0
    media: bool = True
    detector: str = "embedded"
    licence: str = ""
    description: str = ""
    quality: Mapping[str, Any] | None = None
    agreement: AgreementRule | None = None
    threshold: ThresholdRule | None = None
    copies: CopiesRule | None = None
    categories: CategoriesRule | None = None
    balance: BalanceRule | None = None
    split: SplitRule | None = None
    output: OutputRule = OutputRule()

    def limits(self) -> SoundLimits | PictureLimits | None:
        """The limits of `quality`. Raises `UsageError` for one that the modality does not have."""
        if self.quality is None:
            return None
        kind = SoundLimits if self.modality == "voice" else PictureLimits
        known = list(kind.__dataclass_fields__)
        if strange := [name for name in self.quality if name not in known]:
            raise UsageError(f"[quality] has {strange[0]!r}; a {self.modality} set knows {', '.join(known)}.")
        return kind(**self.quality)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. Local addresses and the readers' paths are taken from the recipe's folder.

    Raises `UsageError` naming file, place and remedy.
    """
    path = Path(path)
    try:
        recipe = Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise UsageError(f"{path} is missing; expected a recipe in TOML, see docs/datasets.md.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: no TOML that can be read ({error}).") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "recipe"
        raise UsageError(f"{path}, {place}: {first['msg']}. docs/datasets.md has every table and key.") from error
    _check(recipe, path)
    sources = tuple(_placed(source, path.parent) for source in recipe.source)
    return recipe.model_copy(update={"source": sources})


def _check(recipe: Recipe, path: Path) -> None:
    recipe.limits()
    names = [source.name for source in recipe.source]
    if not names or len(set(names)) < len(names) or not all(names):
        raise UsageError(f"{path}: the sources are named {names}; expected at least one [[source]], each by its own.")
    for source in recipe.source:
        if bool(source.input) == (source.rated is not None):
            raise UsageError(f"{path}, source {source.name!r}: expected either input = [...] or rated = {{...}}.")
    if (recipe.agreement or recipe.threshold) and not any(source.rated for source in recipe.source):
        raise UsageError(f"{path}: [agreement] and [threshold] need ratings; expected a source with rated = {{...}}.")


def _placed(source: Source, home: Path) -> Source:
    """The source with local paths from the recipe's folder."""
    rated = source.rated
    if rated is not None:
        paths = ("ratings", "images", "parquet", "folder", "votes", "manifest", "csv", "path")
        placed = {name: _local(value, home) if name in paths else value for name, value in rated.arguments.items()}
        rated = rated.model_copy(update={"arguments": placed})
    return source.model_copy(update={"input": tuple(_local(one, home) for one in source.input), "rated": rated})


def _local(address: Any, home: Path) -> Any:
    if isinstance(address, list | tuple):
        return [_local(one, home) for one in address]
    if not isinstance(address, str) or "://" in address or Path(address).is_absolute():
        return address
    return str(home / address)
