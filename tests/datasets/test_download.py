"""Downloads: taken up again where they broke off, checked, from the web, the Hub and other storage."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emonet.datasets import _http, download
from emonet.datasets._http import HttpFile
from emonet.errors import UnreadableMediaError, UsageError
from flaky_server import FlakyServer, flaky_server

CONTENT = random.Random(0).randbytes(3_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[FlakyServer]:
    monkeypatch.setattr(_http.time, "sleep", lambda _: None)
    with flaky_server() as server:
        yield server


@pytest.fixture
def hub(web: FlakyServer, monkeypatch: pytest.MonkeyPatch) -> FlakyServer:
    """The server as a Hub; the suite keeps the library offline otherwise."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    return web


def starts(web: FlakyServer, path: str) -> list[int]:
    return [first for method, name, first, _ in web.requests if method == "GET" and name == path]


def test_a_cut_connection_is_taken_up_where_it_broke(web: FlakyServer, tmp_path: Path) -> None:
    address = web.add("/a.tar", CONTENT)
    web.faults += [1_000_000, ("status", 503), 500_000]
    said: list[tuple[str, int, int | None]] = []
    (path,) = download(address, tmp_path, sha256={"a.tar": DIGEST}, watch=lambda *now: said.append(now))
    assert path.read_bytes() == CONTENT
    assert starts(web, "/a.tar") == [0, 1_000_000, 1_000_000, 1_500_000]
    assert said[-1] == ("a.tar", len(CONTENT), len(CONTENT))


def test_a_later_call_goes_on_where_a_killed_one_stopped(web: FlakyServer, tmp_path: Path) -> None:
    address = web.add("/a.tar", CONTENT)

    class Killed(BaseException):
        pass

    def kill(name: str, done: int, size: int | None) -> None:
        if done > 1_500_000:
            raise Killed

    with pytest.raises(Killed):
        download(address, tmp_path, watch=kill)
    assert not (tmp_path / "a.tar").exists()
    (path,) = download(address, tmp_path)
    assert path.read_bytes() == CONTENT
    assert starts(web, "/a.tar")[-1] > 1_500_000


def test_a_part_of_another_version_begins_again(web: FlakyServer, tmp_path: Path) -> None:
    address = web.add("/a.tar", CONTENT[::-1])
    web.faults += [1_000_000] + [("status", 503)] * 20
    with pytest.raises(UnreadableMediaError, match="answers 503; tried 9 times"):
        download(address, tmp_path)
    web.faults.clear()
    web.add("/a.tar", CONTENT)
    (path,) = download(address, tmp_path, sha256={"a.tar": DIGEST})
    assert path.read_bytes() == CONTENT


def test_a_file_that_changes_while_it_is_read_is_an_error(web: FlakyServer) -> None:
    address = web.add("/a.tar", CONTENT)
    web.faults.append(1_000_000)
    with HttpFile(address) as file:
        file.read(100_000)
        web.add("/a.tar", CONTENT[::-1])
        with pytest.raises(UnreadableMediaError, match="changed while it was read"):
            file.read()


def test_wrong_bytes_are_not_kept(web: FlakyServer, tmp_path: Path) -> None:
    address = web.add("/a.tar", b"other" * 1000)
    with pytest.raises(UnreadableMediaError, match=f"expected {DIGEST}"):
        download(address, tmp_path, sha256={"a.tar": DIGEST})
    assert not (tmp_path / "a.tar").exists()
    web.add("/a.tar", CONTENT)
    (path,) = download(address, tmp_path, sha256={"a.tar": DIGEST})
    assert path.read_bytes() == CONTENT


def test_what_is_complete_is_not_read_again(web: FlakyServer, tmp_path: Path) -> None:
    addresses = [web.add(f"/{k}.tar", CONTENT[k:]) for k in range(3)]
    download(addresses, tmp_path)
    before = len(web.requests)
    assert [path.name for path in download(f"{web.url}/{{0..2}}.tar", tmp_path)] == ["0.tar", "1.tar", "2.tar"]
    assert len(web.requests) == before
    (tmp_path / "1.tar").write_bytes(b"damaged since")
    assert download(addresses[1], tmp_path)[0].read_bytes() == CONTENT[1:]


def test_servers_that_know_no_parts_or_sizes_are_read(web: FlakyServer, tmp_path: Path) -> None:
    address = web.add("/a.tar", CONTENT)
    web.ranges = False
    web.faults.append(1_000_000)
    assert download(address, tmp_path / "parts")[0].read_bytes() == CONTENT
    web.sizes = False
    assert download(address, tmp_path / "sizes", sha256={"a.tar": DIGEST})[0].read_bytes() == CONTENT


def test_an_empty_file_is_a_file(web: FlakyServer, tmp_path: Path) -> None:
    (path,) = download(web.add("/empty.tar", b""), tmp_path)
    assert path.read_bytes() == b""


def test_any_place_of_a_web_file_can_be_read(web: FlakyServer) -> None:
    with HttpFile(web.add("/a.bin", CONTENT)) as file:
        assert file.size == len(CONTENT)
        for place in (2_999_990, 5, 1_500_000):
            file.seek(place)
            buffer = bytearray(10)
            assert file.readinto(buffer) == 10
            assert bytes(buffer) == CONTENT[place : place + 10]
        file.seek(0, 2)
        assert file.read() == b""


def test_credentials_do_not_travel_to_another_server(web: FlakyServer) -> None:
    with flaky_server() as other:
        other.add("/a.tar", CONTENT)
        web.add("/here.tar", b"")
        web.faults.append(("status", 302, f"{other.url}/a.tar"))
        with HttpFile(f"{web.url}/here.tar", headers={"Authorization": "Bearer secret"}) as file:
            assert file.read() == CONTENT
        assert web.requests[0][3] == "Bearer secret"
        assert other.requests[0][3] is None


def test_refusals_name_their_reason(web: FlakyServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"answers 404.*check the address"):
        download(f"{web.url}/none.tar", tmp_path)
    with pytest.raises(UsageError, match="begins with http"):
        HttpFile("ftp://example.org/a")
    with pytest.raises(UsageError, match="on this machine"):
        download(str(tmp_path / "a.tar"), tmp_path)
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        download(f"{web.url}/a.tar", tmp_path, sha256={"a.tar": "12"})
    with pytest.raises(UsageError, match=r"'b.tar', which is not among"):
        download(f"{web.url}/a.tar", tmp_path, sha256={"b.tar": DIGEST})
    with pytest.raises(UsageError, match="come from two addresses"):
        download([f"{web.url}/a.tar", f"{web.url}/x/a.tar"], tmp_path)


def test_a_server_that_is_away_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.time, "sleep", lambda _: None)
    with flaky_server() as web:
        address = web.add("/a.tar", CONTENT)
    with pytest.raises(UnreadableMediaError, match="tried 9 times"):
        download(address, tmp_path)


def test_other_storage_is_downloaded_with_its_paths(memory_files: Any, tmp_path: Path) -> None:
    memory_files("memory://set/a.tar", CONTENT)
    memory_files("memory://set/sub/b.tar", b"b")
    paths = download("memory://set", tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == ["a.tar", "sub/b.tar"]
    assert paths[0].read_bytes() == CONTENT


@pytest.mark.parametrize("lfs", [True, False])
def test_a_data_set_of_the_hub_is_downloaded_at_one_commit(hub: FlakyServer, tmp_path: Path, lfs: bool) -> None:
    files = {"data/a.tar": CONTENT, "data/b.tar": b"b" * 1000, "README.md": b"card"}
    hub.add_dataset("laion/set", files, lfs=lfs)
    paths = download("hf://datasets/laion/set/data/*.tar", tmp_path, endpoint=hub.url)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == ["data/a.tar", "data/b.tar"]
    assert [path.read_bytes() for path in paths] == [CONTENT, b"b" * 1000]
    (card,) = download("hf://datasets/laion/set@main/README.md", tmp_path, endpoint=hub.url)
    assert card.read_bytes() == b"card"
    before = len(starts(hub, f"/datasets/laion/set/resolve/{'c' * 40}/data/a.tar"))
    download("hf://datasets/laion/set", tmp_path, endpoint=hub.url)
    assert len(starts(hub, f"/datasets/laion/set/resolve/{'c' * 40}/data/a.tar")) == before


def test_a_cut_connection_to_the_hub_is_taken_up(hub: FlakyServer, tmp_path: Path) -> None:
    hub.add_dataset("laion/set", {"a.tar": CONTENT})
    hub.faults += [1_000_000]
    (path,) = download("hf://datasets/laion/set/a.tar", tmp_path, endpoint=hub.url)
    assert path.read_bytes() == CONTENT


def test_wrong_bytes_from_the_hub_are_not_kept(hub: FlakyServer, tmp_path: Path) -> None:
    hub.add_dataset("laion/set", {"a.tar": CONTENT})
    hub.files[f"/datasets/laion/set/resolve/{'c' * 40}/a.tar"] = CONTENT[::-1]
    with pytest.raises(UnreadableMediaError, match=f"expected {DIGEST}"):
        download("hf://datasets/laion/set/a.tar", tmp_path, endpoint=hub.url)
    assert not (tmp_path / "a.tar").exists()


def test_what_the_hub_lacks_is_named(hub: FlakyServer, tmp_path: Path) -> None:
    hub.add_dataset("laion/set", {"a.tar": CONTENT})
    with pytest.raises(UsageError, match="no such file among its 1"):
        download("hf://datasets/laion/set/b.tar", tmp_path, endpoint=hub.url)
    with pytest.raises(UsageError, match="expected hf://datasets/OWNER/NAME"):
        download("hf://datasets/laion", tmp_path, endpoint=hub.url)
    hub.add_dataset("laion/set", {"../a.tar": CONTENT})
    with pytest.raises(UsageError, match="is no name for a file"):
        download("hf://datasets/laion/set", tmp_path, endpoint=hub.url)
