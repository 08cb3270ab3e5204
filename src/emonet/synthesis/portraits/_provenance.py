"""A mark inside each picture that says it is synthetic: XMP with IPTC's digital source type, as C2PA manifests name it.

It is not a signed C2PA manifest: anybody can remove or alter it. It tells honest tools what the picture is.
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from html import escape, unescape

import PIL.Image

from emonet.errors import MediaError

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC NewsCodes, digital source type: made by a model trained on data."""
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:emonet="urn:emonet:provenance:1"'
    ' Iptc4xmpExt:DigitalSourceType="{source_type}" xmp:CreatorTool="{generator}"'
    ' emonet:PromptSHA256="{prompt_sha256}" emonet:Seed="{seed}" emonet:Key="{key}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the mark says. `prompt_sha256`: of the prompt's text in UTF-8; the text itself is beside the picture."""

    generator: str
    prompt_sha256: str
    seed: str
    key: str
    source_type: str = SOURCE_TYPE


def mark_picture(data: bytes, mark: Provenance) -> bytes:
    """The picture (PNG, JPEG or WebP) with the mark in it; its pixels stay as they are.

    Raises `MediaError` for what is no such picture.
    """
    fields = {
        name: escape(getattr(mark, name)) for name in ("generator", "prompt_sha256", "seed", "key", "source_type")
    }
    xmp = _XMP.format(**fields).encode("utf-8")
    out = io.BytesIO()
    try:
        with PIL.Image.open(io.BytesIO(data)) as picture:
            kind = picture.format
            if kind == "PNG":
                from PIL.PngImagePlugin import PngInfo

                info = PngInfo()
                info.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8"))
                picture.save(out, "PNG", pnginfo=info)
            elif kind == "JPEG":
                return _in_jpeg(data, xmp)
            elif kind == "WEBP":
                picture.save(out, "WEBP", lossless=True, xmp=xmp)
            else:
                raise MediaError(mark.key, f"is a {kind}; a mark can be put into PNG, JPEG and WebP")
    except (OSError, ValueError) as error:
        raise MediaError(mark.key, f"cannot be marked ({error})") from error
    return out.getvalue()


def read_provenance(data: bytes) -> Provenance | None:
    """The mark of a picture, None without one."""
    try:
        with PIL.Image.open(io.BytesIO(data)) as picture, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
    except (OSError, ValueError):
        return None
    text = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
    values = {name: _field(text, name) for name in ("CreatorTool", "PromptSHA256", "Seed", "Key", "DigitalSourceType")}
    if values["DigitalSourceType"] is None:
        return None
    tool, prompt, seed, key, kind = (values[name] or "" for name in values)
    return Provenance(tool, prompt, seed, key, kind)


def _in_jpeg(data: bytes, xmp: bytes) -> bytes:
    """The file with one segment more, so that nothing is encoded anew (XMP specification, part 3).

    It stands after JFIF's own segment, which has to come first. XMP that a generator wrote is left out: readers take
    one packet. Raises `ValueError` for a file whose segments cannot be followed.
    """
    head, at = bytearray(data[:2]), 2
    own = b"http://ns.adobe.com/xap/1.0/\x00"
    place = 2
    while data[at : at + 1] == b"\xff" and (kind := data[at + 1]) in range(0xE0, 0xF0):
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data) or end < at + 4:
            raise ValueError("a segment of the file is cut off")
        if not (kind == 0xE1 and data[at + 4 : end].startswith(own)):
            head += data[at:end]
            place = len(head) if kind == 0xE0 and len(head) - (end - at) == 2 else place
        at = end
    content = own + xmp
    if len(content) + 2 > 0xFFFF:
        raise ValueError("the mark is longer than a segment of a JPEG file can be")
    segment = b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content
    return bytes(head[:place]) + segment + bytes(head[place:]) + data[at:]


def _field(text: str, name: str) -> str | None:
    match = re.search(rf':{name}="([^"]*)"', text)
    return unescape(match[1]) if match else None
