"""`emonet bulk captions`: training data for captions, from recordings of any length."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from emonet.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from emonet.bulk import CaptionData
    from emonet.services import Endpoint


def captions(
    paths: Annotated[list[str], Parameter(negative=())],
    /,
    *,
    model: str = "voice",
    captions: int = 3,
    baseline: str | None = None,
    seed: int = 0,
    base_url: str | None = None,
    language_model: str | None = None,
    variants: int = 3,
    api_key_env: str = "OPENAI_API_KEY",
    price_in: float | None = None,
    price_out: float | None = None,
    budget: float | None = None,
    concurrency: int = 4,
    executor: Literal["processes", "ray"] = "processes",
    address: str = "auto",
    workers: int | None = None,
    gpus: int = 0,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative=())] = False,
) -> int:
    """Cut recordings into segments of speech, score and caption them, and paraphrase the captions: INPUT... OUTPUT.

    OUTPUT/segments/NAME.tar then holds each segment as a clip with its scores and captions made by rule; with a
    language model OUTPUT/training/NAME.tar holds the same with paraphrases. What was stopped goes on with the same
    command. Exit code 1 when shards are not finished.

    Parameters
    ----------
    paths
        One input or more (tars, Parquet files, folders, manifests), then the output folder.
    model
        A model for voices: name, folder or Hub id.
    captions
        Captions made by rule, each in another template.
    baseline
        What is usual for the model, as in `emonet caption`.
    seed
        For the choice of words and styles.
    base_url
        Address of a service that speaks OpenAI's protocol, with /v1; none: no paraphrases.
    language_model
        Its model.
    variants
        Paraphrases of each clip's caption.
    api_key_env
        Environment variable with the key.
    price_in
        Price of a million tokens read.
    price_out
        Price of a million tokens written.
    budget
        Most money to spend, in the currency of the prices.
    concurrency
        Requests under way at once.
    executor
        As in `emonet bulk run`.
    address
        As in `emonet bulk run`.
    workers
        As in `emonet bulk run`.
    gpus
        As in `emonet bulk run`.
    dry_run
        Only tell what paraphrasing the segments already made would cost.
    quiet
        Print nothing but errors.
    """
    from rich.console import Console

    *inputs, output = paths
    if not inputs:
        raise UsageError(f"Only {output!r} was given; name one input or more, and then the output.")
    console = Console(stderr=True, highlight=False)
    endpoint = _endpoint(base_url, language_model, api_key_env, price_in, price_out, budget, concurrency)
    if dry_run:
        return _dry_run(console, output, endpoint, variants, seed)
    from emonet.bulk import caption_data
    from emonet.bulk._live import LiveView

    with LiveView(console, quiet=quiet) as view:
        made = caption_data(
            inputs, output, model=model, captions=captions, caption_baseline=baseline, seed=seed, endpoint=endpoint,
            variants=variants, executor=executor, address=address, workers=workers, gpus=gpus, watch=view,
            progress=lambda text: None if quiet else console.print(text, style="dim", markup=False),
        )  # fmt: skip
    if not quiet:
        _say_made(console, made)
    return 0 if made.run.ok and not made.unfinished else 1


def _endpoint(
    base_url: str | None, model: str | None, api_key_env: str, price_in: float | None, price_out: float | None,
    budget: float | None, concurrency: int,
) -> Endpoint | None:  # fmt: skip
    if (base_url is None) != (model is None):
        raise UsageError("--base-url and --language-model belong together; give both, or neither for no paraphrases.")
    if base_url is None or model is None:
        return None
    from emonet.services import Endpoint

    return Endpoint(
        base_url, model, api_key_env=api_key_env, price_in=price_in, price_out=price_out, budget=budget,
        concurrency=concurrency,
    )  # fmt: skip


def _dry_run(console: Console, output: str, endpoint: Endpoint | None, variants: int, seed: int) -> int:
    if endpoint is None:
        raise UsageError("--dry-run tells the cost of paraphrases; give --base-url and --language-model.")
    if not Path(output).is_dir():
        raise UsageError(f"{output} holds no segments yet; make them without a language model first.")
    from emonet.bulk import paraphrasing_cost

    found = paraphrasing_cost(output, endpoint, variants=variants, seed=seed)
    cost = "prices are not known" if found.cost is None else f"at most {found.cost:.2f} {found.currency}"
    console.print(
        f"{found.requests:,} requests, about {found.tokens_in:,} tokens in and {found.tokens_out:,} out: {cost}"
    )
    return 0


def _say_made(console: Console, made: CaptionData) -> None:
    clips = sum(shard.clips for shard in made.shards)
    if made.shards:
        kept = sum(shard.paraphrases for shard in made.shards)
        lost = sum(sum(shard.dropped.values()) for shard in made.shards)
        console.print(
            f"{kept:,} paraphrases of {clips:,} clips; {lost:,} did not say the same and were dropped", style="dim"
        )
    for name in made.unfinished:
        console.print(
            f"emonet: shard {name} is not finished: the budget or the service did not allow it",
            style="yellow",
            markup=False,
        )
    console.print(f"  {made.folder}", style="dim", markup=False, soft_wrap=True)
