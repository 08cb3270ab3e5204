"""Estimates to terminal, JSON, CSV, Parquet, LAION's layouts, PNG and HTML."""

from emonet.reports._captions import Captions, by_source
from emonet.reports._chart import draw_chart
from emonet.reports._html import html_report, write_html
from emonet.reports._laion import LaionFolder, laion_face, laion_voice
from emonet.reports._sections import GROUP_COLORS, NOTE
from emonet.reports._tables import FORMATS, EmbeddingTable, Format, Writer, format_of, open_table, write_text
from emonet.reports._terminal import compact, detail, print_estimates

__all__ = [
    "FORMATS",
    "GROUP_COLORS",
    "NOTE",
    "Captions",
    "EmbeddingTable",
    "Format",
    "LaionFolder",
    "Writer",
    "by_source",
    "compact",
    "detail",
    "draw_chart",
    "format_of",
    "html_report",
    "laion_face",
    "laion_voice",
    "open_table",
    "print_estimates",
    "write_html",
    "write_text",
]
