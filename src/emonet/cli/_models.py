"""`emonet models`: list, show, pull, convert and verify models."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from cyclopts import App
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emonet.taxonomy import display_name

app = App(help="Models at hand: what they judge, how well, under which licence; LAION's checkpoints converted.")
