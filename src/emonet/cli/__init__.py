"""The `emonet` command: one thin file per command group, each a twin of importable functions.

Exit codes: 0 all well; 1 something failed (a file, a check); 2 wrong usage; 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, Parameter
from cyclopts.exceptions import CycloptsError

import emonet
from emonet.cli._annotate import app as annotate
from emonet.cli._benchmark import app as benchmark
from emonet.cli._bulk import app as bulk
from emonet.cli._caption import caption
from emonet.cli._dataset import app as dataset
from emonet.cli._doctor import doctor
from emonet.cli._estimate import estimate
from emonet.cli._models import app as models
from emonet.cli._paraphrase import paraphrase
from emonet.cli._serve import serve
from emonet.cli._synthesize import app as synthesize
from emonet.cli._taxonomy import app as taxonomy
from emonet.cli._train import app as train
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
# These files are light: what a command needs beyond the standard library is imported when it runs.
app.command(estimate)
app.command(caption)
app.command(paraphrase)
app.command(serve)
app.command(taxonomy)
app.command(models)
app.command(train)
app.command(annotate)
app.command(dataset)
app.command(synthesize)
app.command(benchmark)
app.command(bulk)
app.command(doctor)


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
