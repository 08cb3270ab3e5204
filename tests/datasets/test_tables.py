"""Tables of text: what is no table is refused with the file, the reason and what was expected."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from emonet.datasets._tables import numbers, read_text_table
from emonet.errors import UsageError

COLUMNS: dict[str, tuple[str, ...]] = {"item": ("path",), "value": ()}


def test_spellings_case_and_byte_order_mark_do_not_matter_and_names_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "odd [v2] *.csv"
    path.write_bytes("\ufeffPath,VALUE,other\r\n007,1,x\r\n".encode())
    table = read_text_table(path, COLUMNS, layout="a table")
    assert table.rows(named=True) == [{"item": "007", "value": "1", "other": "x"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no CSV table"),
        (b"path,value\n", "a header and no rows"),
        (b"name,value\na,1\n", "no column 'item' or 'path'; it has name, value"),
        ("path,value\nä,1\n".encode("latin-1"), "is no CSV table"),
        (b"path,value\na,1,2,3\n", "is no CSV table"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_text_table(path, COLUMNS, layout="a table of items")
    assert message in str(caught.value)
    assert "table.csv" in str(caught.value)
    assert "expected a table of items" in str(caught.value).lower()


def test_a_folder_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.csv"):
        with pytest.raises(UsageError, match="no such file"):
            read_text_table(path, COLUMNS, layout="a table")


@pytest.mark.parametrize("bad", ["nan", "inf", "1e999", "x", "", "8"])
def test_numbers_are_finite_and_inside_the_scale(bad: str) -> None:
    values = pl.Series("value", ["0", None, " 7 ".strip(), bad])
    with pytest.raises(UsageError, match="data row 4"):
        numbers(values, Path("a.csv"), low=0, high=7)
