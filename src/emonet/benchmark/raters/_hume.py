"""Hume's Expression Measurement: its present upload service, and the jobs of the one that closed on 14 June 2026.

Formats as published at dev.hume.ai (read in November 2026). Both answer with lists of named numbers 0..1. The upload
service leaves out what lies under its own cutoff, so a name that is not returned is unknown here and never 0. LAION
mapped 25 of the names to EmoNet's for voices (arXiv 2506.09827); where several names mean one dimension, the highest
counts. LAION sent recordings of at most 5 s; `max_seconds = 5` does the same.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

from emonet.benchmark.raters._chat import api_key, close_client
from emonet.benchmark.raters._media_parts import Part, audio_part, image_part
from emonet.benchmark.raters._prompts import Prompt
from emonet.benchmark.raters._questions import Question
from emonet.benchmark.raters._service import Answer, Call
from emonet.benchmark.raters._settings import HumeSettings
from emonet.errors import MediaError, require
from emonet.services._records import public_address
from emonet.services._replies import Received, Usage, http_error, json_object, received_of
from emonet.taxonomy import EMOTIONS, Modality

ADDRESSES = {"upload": "https://api.cloud.hume.ai", "batch": "https://api.hume.ai"}
_LONGEST_SIDE = 1600  # px; keeps a picture under the 2 MB that the service takes
_PATHS: Mapping[Modality, str] = {"face": "/v1/expression/video/file", "voice": "/v1/expression/audio/file"}
_MODELS: Mapping[Modality, str] = {"face": "face", "voice": "prosody"}
# Beside the taxonomy's own table: LAION counts Excitement as the attribute of voices, and Ecstasy is our addition.
_FURTHER: Mapping[str, str] = {"ecstasy": "pleasure_ecstasy"}
_OF_VOICES: Mapping[str, str] = {"excitement": "arousal"}
_NOT_OF_FACES = frozenset({"desire"})  # LAION's comparison of faces has no Sexual Lust for Hume


@lru_cache(maxsize=2)
def hume_labels(modality: Modality) -> Mapping[str, str]:
    """Hume's name in lower case → dimension."""
    out = {emotion.name.casefold(): emotion.key for emotion in EMOTIONS}
    out |= {label.casefold(): emotion.key for emotion in EMOTIONS for label in emotion.hume}
    out |= _FURTHER
    if modality == "voice":
        return {**out, **_OF_VOICES}
    return {label: key for label, key in out.items() if label not in _NOT_OF_FACES}


class _Hume:
    """What both services share; a `Service`."""

    def __init__(self, settings: HumeSettings, modality: Modality) -> None:
        self._settings, self._modality = settings, modality
        self._address = settings.base_url.rstrip("/") or ADDRESSES[settings.api]

    @property
    def configuration(self) -> Mapping[str, Any]:
        """See `Service`."""
        return {"type": "hume", "base_url": public_address(self._address), "api": self._settings.api}

    def prompt(self, question: Question) -> Prompt:
        """See `Service`. The service is told nothing but the file, so one reply serves every question on it."""
        del question
        return Prompt("", f"hume {self._settings.api} {_MODELS[self._modality]}", {})

    def part(self, item: str, data: bytes) -> Part:
        """See `Service`. Recordings go as 16-bit WAV, 16 kHz mono, pictures as JPEG: the only formats it takes."""
        if self._modality == "face":
            return image_part(data, item, accepted=("image/jpeg",), max_side=_LONGEST_SIDE)
        part = audio_part(data, item, accepted=())
        longest = self._settings.max_seconds
        if longest is not None and (part.seconds or 0) > longest:
            raise MediaError(item, f"is {part.seconds:.2f} s long; at most {longest:g} s are sent (max_seconds)")
        return part

    def open(self) -> None:
        """See `Service`."""
        _ = self._client

    def close(self) -> None:
        """See `Service`."""
        close_client(self)

    def adapt(self, received: Received) -> str | None:
        """See `Service`."""
        del received
        return None

    def interpret(self, body: str, question: Question) -> Answer:
        """See `Service`. No measurement at all means that the service found no face or no speech."""
        try:
            reply = json.loads(body)
        except (ValueError, RecursionError):
            return Answer("error", message="the reply is no JSON")
        measured = list(_measurements(reply))
        if self._modality == "face":
            measured = measured[:1]  # the largest face comes first
        if not measured:
            return _without_measurements(reply, self._modality)
        values = _by_dimension(measured, self._modality)
        known = {key: values[key] for key in question.dimensions if key in values}
        missing = len(question.dimensions) - len(known)
        return Answer("ok", known, f"{missing} of {len(question.dimensions)} not returned" if missing else "")

    def usage(self, body: str) -> Usage:
        """See `Service`. Nothing is counted in tokens."""
        del body
        return Usage(0, 0)

    def most(self, call: Call) -> Usage:
        """See `Service`."""
        del call
        return Usage(0, 0)

    @cached_property
    def _client(self) -> Any:
        httpx = require("httpx", extra="benchmark", feature="Rating with Hume's API")
        key = api_key(self._settings.model_copy(update={"base_url": self._address}))
        headers = {"X-Hume-Api-Key": key} if key else {}
        return httpx.Client(base_url=self._address, headers=headers, timeout=self._settings.timeout_s)

    def _file(self, part: Part) -> tuple[str, bytes, str]:
        return ("item.jpg" if part.mime == "image/jpeg" else "item.wav", part.data, part.mime)


class HumeUpload(_Hume):
    """One request an item: the file goes up, the measurements come back."""

    def send(self, call: Call) -> Received:
        """See `Service`."""
        try:
            response = self._client.post(_PATHS[self._modality], files={"file": self._file(call.part)})
        except Exception as error:
            return received_of(error)
        return Received("reply", response.text, 200) if response.status_code == 200 else http_error(response)


class HumeBatch(_Hume):
    """One job an item: submit, look until it is complete, fetch the predictions. The job's number is kept as soon as it
    is known, so that an interrupted run fetches what it has paid for instead of paying again."""

    def send(self, call: Call) -> Received:
        """See `Service`."""
        deadline = time.monotonic() + self._settings.timeout_s
        try:
            job, begun = call.handle, None
            if not job or self._client.get(f"/v0/batch/jobs/{job}").status_code == 404:  # forgotten by the service
                begun = self._submitted(call)
                job = json_object(begun.body).get("job_id")
                if begun.state != "reply" or not isinstance(job, str):
                    return begun
                call.keep_handle(job)
            return self._awaited(job, deadline)
        except Exception as error:
            return received_of(error)

    def _submitted(self, call: Call) -> Received:
        wanted = {"models": {_MODELS[self._modality]: {}}, "notify": False}
        response = self._client.post(
            "/v0/batch/jobs", data={"json": json.dumps(wanted)}, files={"file": self._file(call.part)}
        )
        return Received("reply", response.text, 200) if response.status_code == 200 else http_error(response)

    def _awaited(self, job: str, deadline: float) -> Received:
        while True:
            details = self._client.get(f"/v0/batch/jobs/{job}")
            if details.status_code != 200:
                return http_error(details)
            state = json_object(details.text).get("state")
            status = state.get("status") if isinstance(state, dict) else None
            if status == "FAILED":
                return Received("reply", details.text, 200)
            if status == "COMPLETED":
                found = self._client.get(f"/v0/batch/jobs/{job}/predictions")
                return Received("reply", found.text, 200) if found.status_code == 200 else http_error(found)
            if time.monotonic() + self._settings.poll_s > deadline:
                message = f"job {job} is still {status} after {self._settings.timeout_s:g} s"
                return Received("timeout", message=message)
            time.sleep(self._settings.poll_s)


def hume_service(settings: HumeSettings, modality: Modality) -> HumeUpload | HumeBatch:
    """The service that the settings name."""
    return HumeUpload(settings, modality) if settings.api == "upload" else HumeBatch(settings, modality)


def _measurements(reply: Any, depth: int = 0) -> Iterator[Mapping[str, float]]:
    """Name → number of every list of expressions in a reply, in its order: `expressions` of name and probability
    (upload), `emotions` of name and score (jobs). Where in the reply they stand does not matter."""
    if depth > 20:
        return
    if isinstance(reply, list):
        for entry in reply:
            yield from _measurements(entry, depth + 1)
    if not isinstance(reply, dict):
        return
    for key, value in reply.items():
        if key in ("expressions", "emotions") and isinstance(value, list):
            yield dict(_scores(value))
        elif isinstance(value, dict | list):
            yield from _measurements(value, depth + 1)


def _scores(entries: list[Any]) -> Iterator[tuple[str, float]]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        name, value = entry.get("name"), entry.get("probability", entry.get("score"))
        if isinstance(name, str) and isinstance(value, int | float) and not isinstance(value, bool) and value == value:
            yield name.casefold(), float(value)


def _by_dimension(measured: Sequence[Mapping[str, float]], modality: Modality) -> dict[str, float]:
    """Mean over the measurements that have a name, then the highest of the names that mean one dimension."""
    by_label: dict[str, list[float]] = defaultdict(list)
    for measurement in measured:
        for label, value in measurement.items():
            by_label[label].append(value)
    labels, out = hume_labels(modality), dict[str, float]()
    for label, values in by_label.items():
        if key := labels.get(label):
            mean = sum(values) / len(values)
            out[key] = max(mean, out.get(key, mean))
    return out


def _without_measurements(reply: Any, modality: Modality) -> Answer:
    state = reply.get("state") if isinstance(reply, dict) else None
    if isinstance(state, dict) and state.get("status") == "FAILED":
        return Answer("error", message=f"the job failed: {state.get('message') or 'no reason given'}"[:300])
    if isinstance(reply, dict) and "job_id" in reply:
        return Answer("error", message="the reply is not of the service's documented form")
    found = "face" if modality == "face" else "speech"
    return Answer("refused", message=f"the service returned no measurement: it found no {found}")
