"""`emonet taxonomy derive`: categories of emotions from a book."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from emonet.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from emonet.services import CostEstimate, Endpoint
    from emonet.taxonomy.derivation import Derived, Plan


def derive(
    book: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    words: Literal["offline", "service"] = "offline",
    vectors: Literal["book", "service"] = "book",
    chunk_words: int = 500,
    lexicon: list[str] | None = None,
    lexicon_weight: float = 0.5,
    method: Literal["agglomerative", "hdbscan"] = "agglomerative",
    categories: int | None = None,
    min_count: int = 1,
    quotes: int = 2,
    resamples: int = 50,
    seed: int = 0,
    url: str | None = None,
    model: str | None = None,
    embedding_model: str | None = None,
    embedding_url: str | None = None,
    api_key_env: str = "OPENAI_API_KEY",
    concurrency: int = 4,
    requests_per_minute: float | None = None,
    price_in: float | None = None,
    price_out: float | None = None,
    budget: float | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative=())] = False,
) -> int:
    """Derive categories of emotions from BOOK (.txt, .pdf or .epub): words, counts, pages, groups, a file to review.

    Offline, a part-of-speech tagger and a lexicon find the words; with --words service a language model does. The
    output folder holds each step's outcome; the same command goes on where it stopped, and a review.md that you have
    edited is never overwritten.

    Parameters
    ----------
    book
        The text.
    output
        Folder for pages.jsonl, chunks.jsonl, mentions.jsonl, words.csv, clusters.csv, review.md, metrics.json.
    words
        Who finds the words: tagger and lexicon, or a language model at --url.
    vectors
        What groups them: the words that stand near them in the book, or an embeddings endpoint.
    chunk_words
        Words of a chunk.
    lexicon
        general (this package's), empath (the installed package's), or a list of your own; several are joined.
    lexicon_weight
        Share of the lexicon's headings in the book's vectors, 0 (the book alone) to 1.
    method
        How words are grouped.
    categories
        How many; by default the number with the highest silhouette.
    min_count
        Occurrences that a word needs.
    quotes
        Short quotations for each category in the review file.
    resamples
        Resamples of chunks for the stability; 0 leaves it out.
    seed
        Of the resampling, and told to the model.
    url
        Address of a service that speaks OpenAI's protocol, e.g. http://localhost:8000/v1.
    model
        Its chat model, for --words service.
    embedding_model
        Its embeddings model, for --vectors service.
    embedding_url
        Address of the embeddings service when it is another one.
    api_key_env
        Environment variable that holds the key; "" sends none.
    concurrency
        Requests at a time.
    requests_per_minute
        Pace limit.
    price_in
        Price of a million tokens sent.
    price_out
        Price of a million tokens received.
    budget
        Stop before more than this is spent.
    dry_run
        Show chunks, calls, cost and time, and send and write nothing.
    quiet
        No progress.
    """
    from rich.console import Console

    from emonet.taxonomy.derivation import Settings, plan
    from emonet.taxonomy.derivation import derive as derive_from

    settings = Settings(
        chunk_words=chunk_words, finder=words, vectors=vectors, lexicons=tuple(lexicon or ("general",)),
        lexicon_weight=lexicon_weight, method=method, categories=categories, least_count=min_count, quotes=quotes,
        resamples=resamples, seed=seed,
    )  # fmt: skip
    shared = {
        "api_key_env": api_key_env, "concurrency": concurrency, "requests_per_minute": requests_per_minute,
        "price_in": price_in, "price_out": price_out, "budget": budget,
    }  # fmt: skip
    chat = _endpoint(url, model, shared, words == "service", "--words service", "--url", "--model")
    embed = _endpoint(
        embedding_url or url, embedding_model, shared, vectors == "service", "--vectors service",
        "--url (or --embedding-url)", "--embedding-model",
    )  # fmt: skip
    console, errors = Console(), Console(stderr=True)
    if dry_run:
        _show_plan(plan(book, settings, endpoint=chat, embedding_endpoint=embed), console)
        return 0

    def progress(line: str) -> None:
        if not quiet:
            errors.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)

    done = derive_from(book, output, settings, endpoint=chat, embedding_endpoint=embed, progress=progress)
    _show_derived(done, console)
    return 0


def _endpoint(
    url: str | None,
    model: str | None,
    shared: dict[str, Any],
    needed: bool,
    option: str,
    need_url: str,
    need_model: str,
) -> Endpoint | None:
    if not needed:
        return None
    if not url or not model:
        raise UsageError(f"{option} needs {need_url} and {need_model}, the address and the model of the service.")
    from emonet.services import Endpoint

    return Endpoint(url, model, **{name: value for name, value in shared.items() if value is not None})


def _show_plan(plan: Plan, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    rows = [
        ("book", f"{plan.book} ({plan.kind})"),
        ("pages" if plan.kind == "pdf" else "places", f"{plan.pages:,}"),
        ("words", f"{plan.words:,}"),
    ]
    rows += [("chunks", f"{plan.chunks:,}"), ("calls", f"{plan.calls:,}" if plan.calls else "none, offline")]
    if plan.embeddings:
        rows.append(("embeddings", "one call for each word that is found"))
    rows += [("cost", _cost(plan.cost)), ("time", f"about {_span(plan.seconds)}")]
    for label, text in rows:
        table.add_row(Text(label, style="dim"), Text(text))
    console.print(table)


def _cost(cost: CostEstimate | None) -> str:
    """In words."""
    if cost is None:
        return "nothing, offline"
    tokens = f"{cost.tokens_in:,} tokens sent, at most {cost.tokens_out:,} received"
    money = "unknown without prices" if cost.cost is None else f"at most about {cost.cost:.2f} {cost.currency}"
    return f"{money} ({tokens})"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _show_derived(done: Derived, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("category", "count", "words", box=None, pad_edge=False)
    for one in done.categories:
        table.add_row(Text(one.name), str(one.count), Text(", ".join(term.word for term in one.terms[:8]), style="dim"))
    console.print(table)
    covered, stable = done.metrics["coverage_of_published_words"], done.metrics["stability"]
    lines = [
        f"{done.words:,} words, {done.chunks:,} chunks: {len(done.terms):,} terms in {len(done.categories)} categories",
        f"of the {covered['published']} published words: {covered['exact']} found as written, {covered['by_lemma']} by "
        f"lemma; the book has {covered['in_text']} of them",
    ]
    if covered["in_lexicon"] is not None:
        lines.append(f"the lexicon has {covered['in_lexicon']} of them, so coverage tells as much of it as of the book")
    if stable:
        mean, low, high = stable["adjusted_rand"]
        lines.append(
            f"stability: adjusted Rand {mean:.2f} [{low:.2f}, {high:.2f}] over {stable['resamples']} resamples"
        )
    if done.loose:
        lines.append(f"{len(done.loose)} terms are in no category; they stand under (not grouped)")
    kept = " (left as you edited it; the new proposal is proposal.md)" if done.review_kept else ""
    lines.append(f"edit {done.review}{kept}, then: emonet taxonomy review {done.review}")
    for line in lines:
        console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)
