"""`emonet serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def serve(
    *,
    model: Annotated[list[str] | None, Parameter(negative=())] = None,
    host: str = "127.0.0.1",
    port: int = 8022,
    keys: Path | None = None,
    open: Annotated[bool, Parameter(negative=())] = False,
    max_bytes: int = 50_000_000,
    max_duration_s: float = 600.0,
    max_pixels: int = 40_000_000,
    queue: int = 64,
    per_minute: float | None = None,
    batch: int = 16,
    threads: int | None = None,
    score_root: Path | None = None,
    explorer: Path | None = None,
    proxies: int = 0,
) -> int:
    """Serve estimates over HTTP, with a web page at "/".

    Nothing is stored and nothing is sent elsewhere. SIGTERM or Ctrl-C finishes what was accepted, then stops.

    Parameters
    ----------
    model
        A model to load, by name, folder or Hub id; may be given several times. The embedded face and voice models
        when none is given.
    host
        Address to listen on. Any but this machine's own needs keys, or --open.
    port
        Port to listen on; 0 takes a free one, which the log tells.
    keys
        File of API keys, one a line; the variable EMONET_API_KEYS adds more, separated by commas.
    open
        Serve other machines without keys.
    max_bytes
        Largest request.
    max_duration_s
        Longest recording or video.
    max_pixels
        Largest picture or video frame.
    queue
        Requests that may wait, shared evenly by the clients.
    per_minute
        Requests a minute of one client; any number when not given.
    batch
        Most faces or windows scored together.
    threads
        Cores that one model call may use.
    score_root
        Folder whose files the path-taking route /score may read; the route is off when not given.
    explorer
        Parquet table for the routes /columns and /rank.
    proxies
        Reverse proxies in front that append to X-Forwarded-For; clients without a key are told apart by it.
    """
    from emonet.errors import UsageError, require

    for package in ("fastapi", "uvicorn", "python_multipart", "jinja2", "prometheus_client", "websockets"):
        require(package, extra="serve", feature="`emonet serve`")
    from emonet.serve import Limits, ServeSettings, read_keys, refuse_open_door, run

    if not 0 <= port <= 65535:
        raise UsageError(f"port is {port}; expected 0 to 65535.")
    if proxies < 0:
        raise UsageError(f"proxies is {proxies}; expected 0 or more.")
    if score_root is not None and not score_root.is_dir():
        raise UsageError(f"--score-root {score_root} is no folder.")
    if explorer is not None and not explorer.is_file():
        raise UsageError(f"--explorer {explorer} is no file.")
    settings = ServeSettings(
        models=tuple(model or ("face", "voice")),
        keys=read_keys(keys),
        limits=Limits(
            max_bytes=max_bytes,
            max_duration_s=max_duration_s,
            max_pixels=max_pixels,
            queue=queue,
            per_minute=per_minute,
        ),
        score_root=score_root,
        explorer=explorer,
        batch=batch,
        threads=threads,
        proxies=proxies,
    )
    refuse_open_door(host, settings.keys, open_door=open)
    return run(settings, host=host, port=port, open_door=open)
