"""`emonet synthesize`: portraits and voices, each with a dry run that shows count, balance, cost and time first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emonet.cli._synthesize_voices import voices
from emonet.errors import UsageError

if TYPE_CHECKING:
    from emonet.synthesis.portraits import Balance, Design, Generator

app = App(name="synthesize", help="Make synthetic portraits and acted voices, balanced by construction and checked.")
app.command(voices)


@app.command
def faces(
    *,
    output: Path | None = None,
    count: int = 1260,
    factors: Path | None = None,
    seed: int = 0,
    folder: Path | None = None,
    diffusers: str | None = None,
    base_url: str | None = None,
    model: str | None = None,
    api_key_env: str = "OPENAI_API_KEY",
    size: str = "1024x1024",
    price: float | None = None,
    budget: float | None = None,
    concurrency: int = 4,
    seconds: float = 10.0,
    attempts: int = 3,
    licence: str = "",
    prompts_only: Annotated[bool, Parameter(negative=())] = False,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Make portraits of a balanced design, check each, and write them as shards.

    Pictures come from a service (--base-url, --model), from diffusers on this machine (--diffusers), or from a folder
    of finished ones (--folder). Interrupted, the same command goes on. Exit code 1 when portraits are missing at the
    end.

    Parameters
    ----------
    output
        Folder of prompts.jsonl, pictures/, shards/, log.jsonl, audit.json and audit.md.
    count
        Portraits.
    factors
        TOML file of what varies; by default 40 emotions, 14 ethnicities, 7 ages, 3 genders, intensity, camera, light
        and background.
    seed
        Of design, wording and pictures.
    folder
        Finished pictures, named by the keys in prompts.jsonl.
    diffusers
        Pipeline of diffusers: folder or Hub id (extra `diffusers`).
    base_url
        Service that speaks OpenAI's protocol, with /v1.
    model
        Its model.
    api_key_env
        Environment variable with the key.
    size
        Of the pictures, as the service spells it.
    price
        Of one picture.
    budget
        Most money to spend.
    concurrency
        Requests under way at once.
    seconds
        How long a picture takes, for the dry run's guess of the time.
    attempts
        How often a picture that does not pass is made.
    licence
        Of the pictures, for the shards.
    prompts_only
        Write prompts and audit of the design, make nothing.
    dry_run
        Show count, balance and cost, write nothing.
    """
    from emonet.synthesis.portraits import design_portraits, measure_balance, read_factors

    console = Console(highlight=False)
    design = design_portraits(count, read_factors(factors), seed=seed)
    if output is None and not dry_run:
        raise UsageError("Where should the portraits go? Give --output, or --dry-run to look at the design only.")
    _say_balance(console, measure_balance(design.names, design.rows, design.factors))
    generator = _generator(folder, diffusers, base_url, model, api_key_env, size, price, budget, concurrency, output)
    if dry_run:
        _say_cost(console, design, generator, seconds / (concurrency if base_url else 1))
        return 0
    assert output is not None
    if prompts_only:
        from emonet.synthesis.portraits import write_prompt_files

        console.print(Text(f"{len(write_prompt_files(design, output)):,} prompts: {output / 'prompts.jsonl'}"))
        return 0
    if generator is None:
        raise UsageError("No generator: give --base-url and --model, --diffusers or --folder, or --prompts-only.")
    return _make(console, design, generator, output, attempts, licence)


def _make(console: Console, design: Design, generator: Generator, output: Path, attempts: int, licence: str) -> int:
    from emonet.synthesis.portraits import synthesize_portraits

    told = Console(stderr=True, highlight=False)
    made = synthesize_portraits(
        design, generator, output, attempts=attempts, licence=licence,
        progress=lambda text: told.print(Text(text, style="dim")),
    )  # fmt: skip
    console.print(Text(f"{len(made.kept):,} of {len(design.rows):,} portraits: {made.folder / 'shards'}"))
    for fault, number in made.audit.faults.items():
        console.print(Text(f"  turned down {number:,} times: {fault}", style="dim"))
    if made.cost is not None:
        console.print(Text(f"  spent now: {made.cost:.2f}", style="dim"))
    console.print(Text(f"  audit: {made.folder / 'audit.md'}", style="dim"))
    return 1 if made.failed else 0


def _generator(
    folder: Path | None, diffusers: str | None, base_url: str | None, model: str | None, api_key_env: str, size: str,
    price: float | None, budget: float | None, concurrency: int, output: Path | None,
) -> Generator | None:  # fmt: skip
    chosen = [
        name for name, value in (("--folder", folder), ("--diffusers", diffusers), ("--base-url", base_url)) if value
    ]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} were given; choose one source of pictures.")
    if (base_url is None) != (model is None):
        raise UsageError("--base-url and --model belong together.")
    if folder is not None:
        from emonet.synthesis.portraits import FolderGenerator

        return FolderGenerator(folder)
    if diffusers is not None:
        from emonet.synthesis.portraits import DiffusersGenerator

        return DiffusersGenerator(diffusers)
    if base_url is None or model is None:
        return None
    from emonet.services import Endpoint
    from emonet.synthesis.portraits import ServiceGenerator

    endpoint = Endpoint(
        base_url, model, api_key_env=api_key_env, price_request=price, budget=budget, concurrency=concurrency
    )
    return ServiceGenerator(endpoint, (output or Path()) / "replies", size=size)


def _say_balance(console: Console, balance: Balance) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("factor", "levels", "portraits each", "largest difference"):
        table.add_column(column, justify="left" if column == "factor" else "right")
    for name, counts in balance.counts.items():
        low, high = min(counts.values()), max(counts.values())
        table.add_row(
            name, str(len(counts)), f"{low}" if low == high else f"{low} to {high}", str(balance.spread[name])
        )
    console.print(Text(f"{balance.rows:,} portraits", style="bold"))
    console.print(table)
    worst = max(balance.pairs.values(), default=0)
    even = sum(value <= 1 for value in balance.pairs.values())
    console.print(
        Text(f"{even} of {len(balance.pairs)} pairs of factors differ by at most 1, the others by up to {worst}")
    )


def _say_cost(console: Console, design: Design, generator: Generator | None, each_s: float) -> None:
    from emonet.synthesis.portraits import write_prompts

    prompts = write_prompts(design)
    for prompt in prompts[:3]:
        console.print(Text(f"  {prompt.key}: {prompt.text}", style="dim"))
    found = None if generator is None else generator.effort(prompts)
    if found is None or found.cost is None:
        console.print(Text("cost: not known" if generator is None or found is not None else "cost: none"))
    else:
        console.print(Text(f"cost: {found.cost:.2f} {found.currency} for one attempt each"))
    if generator is not None:
        minutes = len(prompts) * each_s / 60
        console.print(Text(f"time: about {minutes:,.0f} min at {each_s:g} s a picture (--seconds, --concurrency)"))
