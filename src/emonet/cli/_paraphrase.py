"""`emonet paraphrase`: captions in other words that say the same emotions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from emonet.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from emonet.captions import Diversity, Paraphrases


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the input. `key`: its own, else its number; `caption`: "" for a line without one."""

    key: str
    caption: str
    facts: Mapping[str, Any]


def paraphrase(
    captions: Path,
    /,
    *,
    base_url: str,
    model: str,
    output: Path | None = None,
    variants: int = 3,
    seed: int = 0,
    cache: Path | None = None,
    api_key_env: str = "OPENAI_API_KEY",
    concurrency: int = 4,
    requests_per_minute: float | None = None,
    max_attempts: int = 4,
    price_in: float | None = None,
    price_out: float | None = None,
    budget: float | None = None,
    measure: Annotated[bool, Parameter(negative=())] = False,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative=())] = False,
) -> int:
    """Put captions in other words with a language model, keeping only what says the same emotions as strongly.

    Each line of the output is a line of the input with its `paraphrases`. What was stopped goes on with the same
    command: replies that have arrived are in the cache. Exit code 1 when a caption was left without a paraphrase.

    Parameters
    ----------
    captions
        JSON lines with `text` (as `emonet caption --format jsonl` writes them) and, if wanted, `key` and `template`.
    base_url
        Address of a service that speaks OpenAI's protocol, with /v1.
    model
        Its model.
    output
        JSON lines to write.
    variants
        Paraphrases of each caption, 1 to 10.
    seed
        For the choice of styles.
    cache
        File of all replies (ending in .sqlite) or a folder for it; by default beside the output.
    api_key_env
        Environment variable that holds the key; "" sends none.
    concurrency
        Requests under way at once.
    requests_per_minute
        Pace limit.
    max_attempts
        Requests for a caption without a usable answer before it is given up.
    price_in
        Price of a million tokens sent.
    price_out
        Price of a million tokens received.
    budget
        Stop before more than this is spent.
    measure
        Tell how varied captions and paraphrases are, and whether they betray their template.
    dry_run
        Only tell what it would cost; nothing is sent or written.
    quiet
        Print nothing but errors and what was asked for.
    """
    from rich.console import Console

    from emonet.captions import paraphrase as paraphrases_of
    from emonet.captions import paraphrase_cost
    from emonet.services import Endpoint

    rows = _read(captions)
    pairs = [(row.key, row.caption) for row in rows if row.caption]
    endpoint = Endpoint(
        base_url, model, api_key_env=api_key_env, concurrency=concurrency, requests_per_minute=requests_per_minute,
        max_attempts=max_attempts, price_in=price_in, price_out=price_out, budget=budget,
    )  # fmt: skip
    console = Console(stderr=True, highlight=False, quiet=quiet)
    if dry_run:
        found = paraphrase_cost(pairs, endpoint, variants=variants, seed=seed)
        money = "unknown without prices" if found.cost is None else f"at most {found.cost:.2f} {found.currency}"
        print(f"{found.requests:,} requests, {found.tokens_in:,} tokens sent, {found.tokens_out:,} received: {money}")
        return 0
    if output is None:
        raise UsageError("Name the file to write with --output, or tell the cost with --dry-run.")
    results: dict[str, Paraphrases] = {}
    for one in paraphrases_of(
        pairs, endpoint, cache=cache or output.with_name(f"{output.name}.sqlite"), variants=variants, seed=seed,
        progress=lambda line: console.print(line, style="dim", markup=False),
    ):  # fmt: skip
        results[one.key] = one
    _write(rows, results, output)
    _tell(rows, results, output, console)
    if measure:
        _measure(rows, results, seed)
    return 0 if all(one.texts for one in results.values()) else 1


def _read(path: Path) -> list[_Row]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}); expected a file of JSON lines.") from error
    rows: list[_Row] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _row(line, number, path)
        if row.key in seen:
            raise UsageError(f"{path}, line {number}: line {seen[row.key]} has the key {row.key!r}, too.")
        seen[row.key] = number
        rows.append(row)
    if not any(row.caption for row in rows):
        raise UsageError(f"{path} holds no caption; expected JSON lines with `text`.")
    return rows


def _row(line: str, number: int, path: Path) -> _Row:
    wrong = UsageError(f'{path}, line {number}: expected a JSON object such as {{"text": "a caption"}}.')
    try:
        facts = json.loads(line)
    except ValueError:
        raise wrong from None
    if not isinstance(facts, dict):
        raise wrong
    text = facts.get("text", "")
    # A region without a caption has a status that says why, and no text.
    if not isinstance(text, str) or ("text" not in facts and facts.get("status", "ok") == "ok"):
        raise wrong
    return _Row(str(facts.get("key", number)), text, facts)


def _write(rows: Sequence[_Row], results: Mapping[str, Paraphrases], output: Path) -> None:
    from emonet.reports import write_text

    lines = []
    for row in rows:
        found = results.get(row.key)
        told: dict[str, Any] = {"paraphrases": [] if found is None else list(found.texts)}
        if found is not None and found.dropped:
            told["paraphrases_dropped"] = dict(found.dropped)
        if found is not None and found.message:
            told["paraphrases_message"] = found.message
        lines.append(json.dumps({**row.facts, **told}, ensure_ascii=False) + "\n")
    write_text(output, "".join(lines))


def _tell(rows: Sequence[_Row], results: Mapping[str, Paraphrases], output: Path, console: Console) -> None:
    kept = sum(len(one.texts) for one in results.values())
    dropped: Counter[str] = Counter()
    for one in results.values():
        dropped.update(one.dropped)
    failed = Counter(one.message for one in results.values() if one.message)
    without = sum(not row.caption for row in rows)
    console.print(f"{kept:,} paraphrases of {len(results):,} captions: {output}", markup=False, soft_wrap=True)
    if without:
        console.print(f"{without:,} lines have no caption and are left as they are", style="dim")
    for fault, number in dropped.most_common(5):
        console.print(f"dropped {number:,} times: {fault}", style="dim", markup=False)
    for message, number in failed.most_common(5):
        console.print(f"no answer for {number:,} captions: {message}", style="yellow", markup=False)


def _measure(rows: Sequence[_Row], results: Mapping[str, Paraphrases], seed: int) -> None:
    """Diversity of captions and of paraphrases, a line each."""
    captions = [(row, row.caption) for row in rows if row.caption]
    other = [(row, text) for row, _ in captions if row.key in results for text in results[row.key].texts]
    for name, texts in (("captions", captions), ("paraphrases", other)):
        if len(texts) < 2:
            print(f"{name}: too few to measure")
        else:
            print(f"{name}: {_in_words(_diversity(texts, seed))}")


def _diversity(texts: Sequence[tuple[_Row, str]], seed: int) -> Diversity:
    from emonet.captions import diversity

    templates = [row.facts.get("template") for row, _ in texts]
    groups: list[str] | None = [str(template) for template in templates]
    if None in templates or not _enough(texts):
        groups = None
    return diversity([text for _, text in texts], groups, sources=[row.key for row, _ in texts], seed=seed)


def _enough(texts: Sequence[tuple[_Row, str]]) -> bool:
    """Whether a classifier of templates can be trained and tested: five captions of each of two templates."""
    captions = {(row.facts.get("template"), row.key) for row, _ in texts}
    counts = Counter(template for template, _ in captions)
    return len(counts) > 1 and min(counts.values()) >= 5


def _in_words(found: Diversity) -> str:
    one, two, three = found.distinct
    told = f"distinct-1/2/3 {one:.3f} {two:.3f} {three:.3f}; self-BLEU {found.self_bleu:.1f}"
    if found.predictability is None:
        return f"{told}; template predictability not measured (needs 5 captions of each of 2 templates)"
    share = found.predictability
    return (
        f"{told}; template told right {share.value:.2f} [{share.low:.2f}, {share.high:.2f}], chance {found.chance:.2f}"
    )
