"""The `emonet` command: one thin file per command group, each a twin of importable functions.

Exit codes: 0 all well; 1 something failed (a file, a check); 2 wrong usage; 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, Parameter
from cyclopts.exceptions import CycloptsError

import emonet
from emonet.errors import EmonetError, UsageError

app = App(
    name="emonet",
    version=emonet.__version__,
    help="Estimate 40 graded emotions in faces and voices. Scores are perceived intensity, not facts about a person.",
    default_parameter=Parameter(negative_iterable=()),  # no `--empty-...` twin of every list option
    exit_on_error=False,
    print_error=True,
    result_action="return_value",  # commands return their exit code; ending the process is main's business
)
# Given as text, so that a command's file is imported only when the command is used or listed.
app.command("emonet.cli._estimate:estimate")
app.command("emonet.cli._taxonomy:app", name="taxonomy")
app.command("emonet.cli._models:app", name="models")
app.command("emonet.cli._train:app", name="train")
app.command("emonet.cli._doctor:doctor")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    try:
        result = app(arguments)
    except CycloptsError:
        sys.exit(2)  # the command-line library has already printed what is wrong
    except EmonetError as error:
        print(f"emonet: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except BrokenPipeError:
        sys.exit(1)  # the reader of our output, such as `head`, has left
    except KeyboardInterrupt:
        print("emonet: interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(result if isinstance(result, int) else 0)
