"""Requests as pydantic models, and the examples that the OpenAPI document shows."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from emonet.serve._engine import Options
from emonet.serve._problems import Problem
from emonet.serve._settings import Limits
from emonet.serve._uploads import Upload, shown_name

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {
            "application/problem+json": {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status", "code", "detail"],
                    "properties": {name: {"type": "string"} for name in ("type", "title", "code", "detail")}
                    | {"status": {"type": "integer"}},
                }
            }
        },
    }
    for status, text in {
        400: "Not understood", 401: "An API key is needed", 404: "No such model", 408: "The body came too slowly",
        413: "Over a limit of size, length or pixels", 415: "Not a picture, recording or video",
        422: "Not as it should be", 429: "Queue or rate is used up; see Retry-After", 503: "Stopping",
    }.items()
}  # fmt: skip


class Chosen(BaseModel):
    """Options of a request, in JSON or as form fields."""

    model_config = ConfigDict(extra="forbid")
    model: Annotated[str, Field(max_length=200, description="id of a loaded model; chosen by the file when empty")] = ""
    values: Literal["relative", "raw", "softmax", "calibrated", "all"] = "relative"
    top: Annotated[int, Field(ge=0, le=40, description="also rank the strongest emotions of each file")] = 0
    window_s: Annotated[float | None, Field(ge=1, le=600, description="longest window of a recording")] = None
    whole_audio: bool = False
    fps: Annotated[float, Field(gt=0, le=30, description="frames a second taken of a video")] = 2.0
    whole_image: bool = False
    max_faces: Annotated[int | None, Field(ge=1, le=1000)] = None

    def options(self) -> Options:
        """What the engine takes."""
        return Options(self.model, self.window_s, self.whole_audio, self.fps, self.whole_image, self.max_faces)


class File64(BaseModel):
    """A file in JSON."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=1000)] = "upload"
    data: Annotated[str, Field(description="the bytes in base64")]


class EstimateJson(Chosen):
    """JSON body of /v1/estimate."""

    files: Annotated[list[File64], Field(min_length=1)]


class CaptionChosen(Chosen):
    """Options of /v1/caption."""

    template: Annotated[str, Field(max_length=40)] = "default"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class CaptionJson(CaptionChosen):
    """JSON body of /v1/caption: files, or raw scores of an earlier reply together with their model."""

    files: list[File64] = []
    scores: dict[str, Annotated[float, Field(allow_inf_nan=False)]] | None = None


_FORM = dict(Chosen.model_json_schema()["properties"])


def body_docs(json: dict[str, Any], example: dict[str, Any], extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """OpenAPI's description of a body that is a form with files or JSON."""
    files = {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
    form = {"type": "object", "required": ["file"], "properties": {"file": files} | _FORM | (extra or {})}
    content = {
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": json, "examples": {"one": {"value": example}}},
    }
    return {"requestBody": {"required": True, "content": content}}


Form = TypeVar("Form", bound=Chosen)
Json = TypeVar("Json", "CaptionJson", "EstimateJson")


async def read_body(
    request: Request, form: type[Form], json: type[Json], limits: Limits
) -> tuple[Form | Json, list[Upload]]:
    """Options and files of a request of either kind. Raises `Problem` 400, 413, 415 or 422."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "multipart/form-data":
            async with request.form(max_files=limits.max_files + 1, max_fields=32, max_part_size=65_536) as parts:
                chosen: Form | Json = form.model_validate(_fields(parts))
                uploads = [Upload(shown_name(p.filename), await p.read()) for p in _files(parts)]
        elif kind == "application/json":
            chosen = json.model_validate_json(await request.body())
            uploads = [Upload(shown_name(item.name), _decoded(item)) for item in chosen.files]
        else:
            raise Problem("unknown_media", f"The body is {kind[:100] or 'of no type'}; "
                          "expected multipart/form-data or application/json.")  # fmt: skip
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise Problem("invalid", f"{where or 'body'}: {fault['msg']}") from error
    if len(uploads) > limits.max_files:
        raise Problem("too_large", f"{len(uploads)} files; at most {limits.max_files} in one request.")
    return chosen, uploads


def _fields(parts: FormData) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in parts.multi_items():
        if isinstance(value, UploadFile):
            if name not in ("file", "files"):
                raise Problem("invalid", f"{name[:100]}: files come in the field `file`.")
        elif value != "":
            found[name] = value
    return found


def _files(parts: FormData) -> list[UploadFile]:
    return [value for _, value in parts.multi_items() if isinstance(value, UploadFile)]


def _decoded(item: File64) -> bytes:
    try:
        return base64.b64decode(item.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem("invalid", "files.data: is not base64") from error
