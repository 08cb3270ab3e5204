"""Results as a report: figures for print, tables as Markdown and LaTeX, the leaderboards as JSON, one HTML page.

Everything is drawn from `Results` alone. Figures need the extra `benchmark` (matplotlib); tables and page do not.
"""

from __future__ import annotations

from emonet.benchmark.report._formats import as_latex, as_markdown, leaderboard_data
from emonet.benchmark.report._page import html_leaderboard
from emonet.benchmark.report._write import figures, tables, write_report

__all__ = [
    "as_latex",
    "as_markdown",
    "figures",
    "html_leaderboard",
    "leaderboard_data",
    "tables",
    "write_report",
]
