"""/v1/stream: sound in, rolling estimates out.

A client opens the socket with `sample_rate` (and `model`, `format`, `values`, `window_s`, `every_s`, `key`) in the
query, or sends a first text message {"type": "start", ...} with the same fields; then binary frames of mono PCM. The
server answers {"type": "started"} and, for each `every_s` of sound, {"type": "estimate", "estimate": row, ...}: the
last `window_s` seconds. {"type": "end"} closes after the last estimate. Only the last window is held; nothing is kept.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emonet.errors import EmonetError
from emonet.estimation import Estimate, Estimator, Piece
from emonet.media import SAMPLE_RATE, Audio, Region, WindowReport, speech_windows
from emonet.reports import NOTE
from emonet.serve._documents import brief_model, plain_row
from emonet.serve._engine import empty_row
from emonet.serve._problems import Problem
from emonet.serve._state import State, client_of, state_of

router = APIRouter()

_FRAME = 1_000_000  # most bytes of one message
_SHORTEST_S = 0.5
_IDLE_S = 30.0


class Start(BaseModel):
    """How the sound comes and what is wanted. `every_s`: seconds of sound between two estimates."""

    model_config = ConfigDict(extra="forbid")
    sample_rate: Annotated[int, Field(ge=8_000, le=96_000)] = SAMPLE_RATE
    format: Literal["s16le", "f32le"] = "s16le"
    model: Annotated[str, Field(max_length=200)] = ""
    values: Literal["relative", "raw", "softmax", "calibrated", "all"] = "relative"
    window_s: Annotated[float, Field(ge=1, le=30)] = 6.0
    every_s: Annotated[float, Field(ge=0.25, le=30)] = 0.5


@router.websocket("/v1/stream")
async def stream(socket: WebSocket) -> None:
    """One stream, until the client ends it. Refusals are a message and the close code 1008, 1013 or 1003."""
    await socket.accept()
    state = state_of(socket)
    try:
        _admit(socket, state)
    except Problem as problem:
        await _refuse(socket, problem)
        return
    state.streams += 1
    try:
        await _listen(socket, state)
    except WebSocketDisconnect:
        pass
    except Problem as problem:
        await _refuse(socket, problem)
    except EmonetError as error:
        await _refuse(socket, Problem("unreadable", str(error)))
    finally:
        state.streams -= 1


def _admit(socket: WebSocket, state: State) -> None:
    problem: Problem | None = getattr(socket.state, "problem", None)
    if problem is not None:
        raise problem
    if state.streams >= state.settings.limits.streams:
        raise Problem("queue_full", f"{state.streams} streams are open, as many as there may be.", retry_after=10)
    state.turns.charge(client_of(socket))


async def _refuse(socket: WebSocket, problem: Problem) -> None:
    code = {429: 1013, 503: 1013, 415: 1003}.get(problem.status, 1008)
    told = {"code": problem.code, "message": problem.detail, "status": problem.status}
    try:
        await socket.send_json({"type": "error", "error": told})
        await socket.close(code)
    except (RuntimeError, WebSocketDisconnect):
        return  # it has gone already


async def _listen(socket: WebSocket, state: State) -> None:
    start, first = await _started(socket)
    estimator = _voice(state, start.model)
    await socket.send_json(
        {"type": "started", "model": brief_model(estimator.card), "note": NOTE, "start": start.model_dump()}
    )
    heard, job = _Heard(start), None
    try:
        message: dict[str, Any] | None = first
        while True:
            if message is None:
                message = await _next(socket)
            ended = heard.take(message)
            message = None
            if job is not None and job.done():
                job.result()
                job = None
            if job is None and heard.due:
                job = asyncio.create_task(_answer(socket, state, estimator, start, heard))
            if ended:
                if job is not None:
                    await job
                if heard.fresh:
                    await _answer(socket, state, estimator, start, heard)
                await socket.send_json({"type": "ended", "seconds": round(heard.seconds, 3)})
                await socket.close(1000)
                return
            if state.draining:
                raise Problem("stopping", "The server is stopping.")
    finally:
        if job is not None and not job.done():
            job.cancel()


async def _started(socket: WebSocket) -> tuple[Start, dict[str, Any] | None]:
    """The settings, from the query or the first message; a first frame of sound is handed on."""
    fields: dict[str, Any] = {k: v for k, v in socket.query_params.items() if k != "key"}
    first = None if fields else await _next(socket)
    try:
        if first is not None and first.get("text"):
            given = json.loads(first["text"])
            if not isinstance(given, dict) or given.pop("type", "start") != "start":
                raise Problem("invalid", 'The first message must be {"type": "start", ...} or sound.')
            return Start.model_validate(given), None
        return Start.model_validate(fields), first
    except (ValidationError, json.JSONDecodeError, RecursionError) as error:
        raise Problem("invalid", f"The start message is not as it should be: {_fault(error)}") from error


def _fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return "no JSON"


async def _next(socket: WebSocket) -> dict[str, Any]:
    try:
        async with asyncio.timeout(_IDLE_S):
            message = dict(await socket.receive())
    except TimeoutError as error:
        raise Problem("slow_body", f"Nothing came for {_IDLE_S:g} s.") from error
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    return message


def _voice(state: State, model: str) -> Estimator:
    estimator = state.ready.find(model) if model else state.ready.of("voice")
    if estimator is None or estimator.modality != "voice":
        raise Problem("unknown_media", "A stream needs a voice model, and this is none or none is loaded.")
    return estimator


class _Heard:
    """The last window of sound. `seconds`: all that came; `due`: enough came since the last estimate."""

    def __init__(self, start: Start) -> None:
        self._start, self._size = start, 2 if start.format == "s16le" else 4
        self._keep = round(start.window_s * start.sample_rate) * self._size
        self._bytes = bytearray()
        self._total = self._asked = 0
        self.arrived = time.perf_counter()

    @property
    def seconds(self) -> float:
        return self._total / self._size / self._start.sample_rate

    @property
    def fresh(self) -> bool:
        return self._total > self._asked

    @property
    def due(self) -> bool:
        new = (self._total - self._asked) / self._size / self._start.sample_rate
        return new >= self._start.every_s and self.seconds >= _SHORTEST_S

    def take(self, message: dict[str, Any]) -> bool:
        """Keep a frame of sound; True for the message that ends the stream."""
        text, block = message.get("text"), message.get("bytes")
        if text is not None:
            try:
                kind = json.loads(text).get("type")
            except (ValueError, AttributeError, RecursionError):
                kind = None
            if kind != "end":
                raise Problem("invalid", 'Expected sound or {"type": "end"}.')
            return True
        if block is None or len(block) > _FRAME or len(block) % self._size:
            raise Problem("invalid", f"A frame must have at most {_FRAME:,} bytes, {self._size} a sample.")
        self._bytes += block
        self._total += len(block)
        del self._bytes[: max(0, len(self._bytes) - self._keep)]
        self.arrived = time.perf_counter()
        return False

    def window(self) -> tuple[NDArray[np.float32], float]:
        """Float32 [n] of the last window at the stream's rate, and when it starts, in seconds."""
        self._asked = self._total
        samples: NDArray[np.float32]
        if self._size == 2:
            samples = np.frombuffer(bytes(self._bytes), "<i2").astype(np.float32) / np.float32(32768)
        else:
            samples = np.frombuffer(bytes(self._bytes), "<f4").astype(np.float32)
        if not (np.abs(samples) <= 100).all():
            raise Problem("invalid", "The sound has samples that are not finite or far beyond full scale.")
        return samples, self.seconds - len(samples) / self._start.sample_rate


async def _answer(socket: WebSocket, state: State, estimator: Estimator, start: Start, heard: _Heard) -> None:
    arrived, (samples, began) = heard.arrived, heard.window()
    piece = await asyncio.to_thread(_piece, samples, start.sample_rate, began)
    row: Estimate
    if piece.item is None:
        row = empty_row(estimator, "stream", piece)
    else:
        row = (await state.ready.score(client_of(socket), estimator, "stream", [piece]))[0]
    lag = time.perf_counter() - arrived
    state.metrics.lag.observe(lag)
    body = plain_row(row.to_row(values=start.values))
    await socket.send_json({"type": "estimate", "estimate": body, "latency_ms": round(lag * 1000, 1)})


def _piece(samples: NDArray[np.float32], rate: int, began: float) -> Piece:
    """The window at 16 kHz, or why there is nothing to score: somebody must speak in it."""
    if rate != SAMPLE_RATE:
        import soxr

        samples = soxr.resample(samples, rate, SAMPLE_RATE, quality="HQ").astype(np.float32)
    region = Region(start_s=began, end_s=began + len(samples) / SAMPLE_RATE)
    report = WindowReport()
    sound = Audio(samples, "stream")
    for _ in speech_windows(sound, report=report):
        return Piece(region, samples)
    return Piece(region, status=report.status, message=report.message)
