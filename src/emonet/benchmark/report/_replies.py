"""What became of the requests to each rater: refusals, failures, tries, time, tokens, cost."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from emonet.benchmark._results import Results
from emonet.benchmark.report._words import number

_FAILED = ("timeout", "error")


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """Sums over one rater's requests; `cost` in the currency of the rater's settings, None when no request names one.
    `messages`: the most frequent reasons of what was not answered."""

    rater: str
    requests: int
    ok: int
    refused: int
    malformed: int
    failed: int
    attempts: float | None
    seconds: float | None
    tokens: int | None
    cost: float | None
    messages: tuple[tuple[str, int], ...]

    def texts(self) -> list[str]:
        """Name and figures, for a table."""
        counts = [str(value) for value in (self.requests, self.ok, self.refused, self.malformed, self.failed)]
        tokens = "–" if self.tokens is None else f"{self.tokens:,}"
        return [self.rater, *counts, number(self.attempts), number(self.seconds, 1), tokens, number(self.cost)]


def reply_rows(results: Results) -> list[ReplyRow]:
    """One row a rater that was sent requests, in the order of the replies."""
    out = []
    for (name,), table in results.replies.group_by("rater", maintain_order=True):
        status = table["status"]
        tokens = table.select(pl.sum_horizontal(pl.col("tokens_in", "tokens_out").sum()))
        told = table["tokens_in"].null_count() < table.height or table["tokens_out"].null_count() < table.height
        out.append(
            ReplyRow(
                rater=str(name),
                requests=table.height,
                ok=int((status == "ok").sum()),
                refused=int((status == "refused").sum()),
                malformed=int((status == "malformed").sum()),
                failed=int(status.is_in(_FAILED).sum()),
                attempts=_real(table["attempts"].mean()),
                seconds=_real(table["seconds"].median()),
                tokens=int(tokens.item()) if told else None,
                cost=_real(table["cost"].sum()) if table["cost"].null_count() < table.height else None,
                messages=_messages(table),
            )
        )
    return out


def _messages(table: pl.DataFrame, most: int = 3) -> tuple[tuple[str, int], ...]:
    said = table.filter(pl.col("status") != "ok", pl.col("message").is_not_null())
    counted = said.group_by("message", maintain_order=True).len().sort("len", descending=True, maintain_order=True)
    return tuple((str(text), int(count)) for text, count in counted.head(most).iter_rows())


def _real(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
