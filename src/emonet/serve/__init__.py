"""The HTTP API: estimates, captions and rolling scores of a live voice, for programs and for the page at "/".

`create_app` is the ASGI application, `run` the process that `emonet serve` starts. docs/serve.md.
"""

from emonet.serve._app import create_app
from emonet.serve._keys import read_keys
from emonet.serve._process import refuse_open_door, run
from emonet.serve._settings import Limits, ServeSettings

__all__ = ["Limits", "ServeSettings", "create_app", "read_keys", "refuse_open_door", "run"]
