"""/columns and /rank of LAION's explorer, over one Parquet table.

Filters are comparisons of sums over columns ("1 < Age_best < 2", "Amusement_best + Elation_best > 5"). They are
parsed here into polars expressions; nothing of them is ever evaluated as code.
"""

from __future__ import annotations

import ast
import asyncio
import operator
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from emonet.serve._problems import Problem
from emonet.serve._state import client_of, state_of

if TYPE_CHECKING:
    import polars

router = APIRouter(tags=["compatible"])

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
_ADD: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


class Rank(BaseModel):
    """The k rows with the highest ("top") or lowest ("min") value of `column` that pass every filter."""

    metric: Literal["top", "min"] = "top"
    column: Annotated[str, Field(max_length=200)]
    k: Annotated[int, Field(ge=1, le=1000)] = 10
    filters: Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=20)] = []
    lang_codes: Annotated[list[str], Field(max_length=200)] = []
    select: Annotated[list[str], Field(max_length=500)] = []


@router.get("/columns")
async def columns(request: Request) -> list[dict[str, Any]]:
    """Every column and whether it holds numbers."""
    schema = (await asyncio.to_thread(_table, state_of(request).settings.explorer)).collect_schema()
    return [{"name": name, "is_numeric": kind.is_numeric()} for name, kind in schema.items()]


@router.post("/rank")
async def rank(request: Request, asked: Rank) -> dict[str, Any]:
    """Rows by rank."""
    state = state_of(request)
    async with state.turns.turn(client_of(request)):
        return await asyncio.to_thread(_ranked, state.settings.explorer, asked)


def _table(path: Path | None) -> polars.LazyFrame:
    if path is None:
        raise Problem("not_found", "This server has no table; start it with --explorer FILE.parquet.")
    import polars as pl

    return pl.scan_parquet(path)


def _ranked(path: Path | None, asked: Rank) -> dict[str, Any]:
    import polars as pl

    table = _table(path)
    schema = table.collect_schema()
    for name in (asked.column, *asked.select):
        _known(name, schema)
    if not schema[asked.column].is_numeric():
        raise Problem("invalid", f"column: {asked.column} holds no numbers")
    if asked.lang_codes:
        _known("language", schema)
        table = table.filter(pl.col("language").is_in(asked.lang_codes))
    for text in asked.filters:
        table = table.filter(parse_filter(text, schema))
    passed: int = table.select(pl.len()).collect().item()
    ranked = table.drop_nulls(asked.column).sort(asked.column, descending=asked.metric == "top", maintain_order=True)
    rows = ranked.head(asked.k).select(asked.select or list(schema)).collect().to_dicts()
    return {"rowcount_after_filters": passed, "rows": rows}


def parse_filter(text: str, schema: Any) -> polars.Expr:
    """A comparison as a polars expression. `Problem` 422 for anything but numbers, numeric columns, + - * / and
    comparisons, which may be chained."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Problem("invalid", f"filters: {text!r} is no comparison") from error
    if not isinstance(tree, ast.Compare):
        raise Problem("invalid", f"filters: {text!r} is no comparison, such as 1 < Age_best < 2")
    import polars as pl

    values = [_value(node, schema) for node in (tree.left, *tree.comparators)]
    parts = []
    for left, kind, right in zip(values, tree.ops, values[1:], strict=False):
        if type(kind) not in _COMPARE:
            raise Problem("invalid", f"filters: only < <= > >= == != may be used, not {ast.unparse(tree)!r}")
        parts.append(_COMPARE[type(kind)](left, right))
    return pl.all_horizontal(parts)


def _value(node: ast.expr, schema: Any) -> polars.Expr:
    import polars as pl

    if isinstance(node, ast.Name):
        _known(node.id, schema)
        if not schema[node.id].is_numeric():
            raise Problem("invalid", f"filters: {node.id} holds no numbers")
        return pl.col(node.id)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return pl.lit(float(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, schema)
    if isinstance(node, ast.BinOp) and type(node.op) in _ADD:
        made: polars.Expr = _ADD[type(node.op)](_value(node.left, schema), _value(node.right, schema))
        return made
    raise Problem("invalid", "filters: only numbers, columns, + - * / and comparisons may be used")


def _known(name: str, schema: Any) -> None:
    if name not in schema:
        raise Problem("invalid", f"There is no column {name[:200]!r}; GET /columns lists them.")
