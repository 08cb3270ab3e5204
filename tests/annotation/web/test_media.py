"""Files of items: by opaque id alone, in ranges, once."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from made_projects import Made, binary_project, first_unit, presence_project

from emonet.annotation.web._media import waveform


def test_an_item_is_served_by_its_id(made: Made) -> None:
    """With its type, a tag, and for the browser to keep; a second request with the tag costs nothing."""
    client = made.client("rater")
    item = first_unit(client)["items"][0]["id"]
    answer = client.get(f"/media/{item}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content[:2] == b"\xff\xd8"
    assert "private" in answer.headers["cache-control"]
    again = client.get(f"/media/{item}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_parts_of_a_file_can_be_asked_for(made: Made) -> None:
    """Players seek by range requests."""
    client = made.client("rater")
    item = first_unit(client)["items"][0]["id"]
    whole = client.get(f"/media/{item}").content
    part = client.get(f"/media/{item}", headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == whole[10:20]
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    assert client.get(f"/media/{item}", headers={"Range": "bytes=999999-"}).status_code == 416


@pytest.mark.parametrize(
    "address",
    [
        "../annotation.db",
        "..%2fannotation.db",
        "%2e%2e/annotation.db",
        "%2e%2e%2fannotation.db",
        "..%5cannotation.db",
        "....//annotation.db",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "face-0.jpg",
        "face-0.jpg%00",
        "%00",
        "a" * 65,
        "",
        ".",
        "%c0%ae%c0%ae/annotation.db",
    ],
)
def test_nothing_but_an_id_names_a_file(made: Made, address: str) -> None:
    """Paths, names of files and tricks with either are not ids."""
    client = made.client("admin")
    for path in (f"/media/{address}", f"/api/items/{address}/peaks"):
        assert client.get(path).status_code in (404, 405, 422)


@pytest.mark.parametrize(
    "address", ["../_app.py", "%2e%2e/_app.py", "x/../../_app.py", "x/%2e%2e/_app.py", "..%2f_app.py"]
)
def test_static_files_are_those_of_the_folder(made: Made, address: str) -> None:
    """Files are read once at the start; an address is only looked up among them."""
    assert made.client().get(f"/static/{address}").status_code in (401, 303, 404)


def test_a_link_or_path_out_of_the_media_folder_is_not_followed(tmp_path: Path) -> None:
    """Also where an item's own path leads outside, by dots or by a link."""
    from made_projects import make_items, make_project

    from emonet.annotation.protocols import Item, binary

    (tmp_path / "secret.jpg").write_bytes(b"secret")
    make_items(tmp_path / "media", 1, "face", {}, False)
    (tmp_path / "media" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    items = [
        Item(name, name, dimensions=("fear",)) for name in ("../secret.jpg", "link.jpg", str(tmp_path / "secret.jpg"))
    ]
    made = make_project(tmp_path, binary(dimensions=("fear",), gold_every=0, training=0), items)
    client = made.client("rater")
    units = client.post("/api/assignments", json={"count": 5}).json()["assignments"]
    assert len(units) == 3
    assert {client.get(f"/media/{unit['items'][0]['id']}").status_code for unit in units} == {404}
    made.store.close()


def test_files_that_are_not_media_are_not_shown_in_our_name(tmp_path: Path) -> None:
    """An SVG can hold scripts; it is offered for download at most."""
    from made_projects import make_project

    from emonet.annotation.protocols import Item, binary

    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "x.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>")
    made = make_project(
        tmp_path, binary(dimensions=("fear",), gold_every=0, training=0), [Item("x.svg", "x.svg", dimensions=("fear",))]
    )
    client = made.client("rater")
    item = first_unit(client)["items"][0]["id"]
    assert client.get(f"/media/{item}").headers["content-type"] == "application/octet-stream"
    made.store.close()


def test_a_waveform_follows_the_sound(tmp_path: Path) -> None:
    """The generated tone swells to the middle and fades; pictures have no waveform."""
    made = presence_project(tmp_path)
    client = made.client("rater")
    item = first_unit(client)["items"][0]["id"]
    answer = client.get(f"/api/items/{item}/peaks").json()
    peaks = answer["peaks"]
    assert answer["duration_s"] == 1.0
    assert len(peaks) == 100  # 10 ms each: a short recording has fewer than 400
    assert max(peaks) in range(55, 65)
    assert peaks[50] > 4 * max(peaks[:5])
    assert peaks[50] > 4 * max(peaks[-5:])
    assert waveform.cache_info().currsize >= 1
    made.store.close()


def test_the_page_learns_no_name_of_a_file(made: Made) -> None:
    """Keys often tell the emotion an item was made for; neither pages nor answers hold them."""
    client = made.client("rater")
    unit = first_unit(client)
    text = str(unit) + client.get("/rate").text + client.get("/api/answers").text
    assert "face-" not in text
    assert quote("face-0.jpg") not in text
    assert "gold" not in text


def test_the_project_without_its_files_says_so(tmp_path: Path) -> None:
    """A missing file is a 404 with a sentence, not an error of the server."""
    made = binary_project(tmp_path)
    client = made.client("rater")
    item = first_unit(client)["items"][0]["id"]
    for path in made.media.iterdir():
        path.unlink()
    answer = client.get(f"/media/{item}")
    assert (answer.status_code, answer.json()["detail"]) == (404, "The file of this item is missing.")
    made.store.close()
