"""Small projects on generated pictures and sounds, and people who are signed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from emonet.annotation.accounts import RoleName, start_session
from emonet.annotation.protocols import Item, Protocol, binary, hq, make_units, presence
from emonet.annotation.store import Project, Store, add_person, create_project, open_store
from emonet.annotation.web import WebSettings, create_app

DAY = timedelta(days=1)
EMOTIONS = ("anger", "fear", "elation", "sadness")


@dataclass(frozen=True)
class Made:
    """A project with its application. `items`: opaque id of each item by key."""

    store: Store
    app: FastAPI
    media: Path

    def client(self, role: RoleName | None = None) -> TestClient:
        """A browser without a window; with a role, somebody new who is signed in and sends the right token."""
        client = TestClient(self.app, base_url="http://testserver", follow_redirects=False)
        if role is not None:
            token, csrf = self.session(role)
            client.cookies.set("emonet", token)
            client.headers["X-CSRF-Token"] = csrf
        return client

    def session(self, role: RoleName = "rater") -> tuple[str, str]:
        """Token and CSRF token of somebody new."""
        person = add_person(self.store, role=role, name=f"A {role}")
        with self.store.writing() as connection:
            made = start_session(connection, person.id, lasts=DAY)
        return made.token, made.csrf


def picture(path: Path, seed: int) -> None:
    """A portrait of sorts: a bright oval with two eyes on a dark ground, JPEG of 160 x 160."""
    y, x = np.mgrid[:160, :160] / 80 - 1
    tone = 70 + 40 * np.random.default_rng(seed).random(3)
    face = (x / 0.62) ** 2 + (y / 0.8) ** 2 < 1
    eyes = ((abs(x) - 0.25) ** 2 + (y + 0.2) ** 2) < 0.006
    mouth = (abs(y - 0.35 - (0.2 if seed % 2 else -0.2) * x**2 * 4) < 0.035) & (abs(x) < 0.3)
    pixels = np.where(face[..., None], tone + 100, tone / 3)
    pixels[eyes | mouth] = 20
    Image.fromarray(pixels.astype(np.uint8)).save(path, quality=85)


def sound(path: Path, seed: int) -> None:
    """One second of a tone that swells and fades, 16 kHz."""
    time = np.linspace(0, 1, 16_000, endpoint=False)
    tone = np.sin(2 * np.pi * (180 + 40 * seed) * time) * np.sin(np.pi * time) ** 2 * 0.6
    soundfile.write(path, tone.astype(np.float32), 16_000)


def make_items(folder: Path, count: int, modality: str, gold: Mapping[str, float], asked: bool) -> list[Item]:
    """`count` items of work, then one for practice with the known answer `gold`; the second is sensitive."""
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for number in range(count + 1):
        name = f"{modality}-{number}.{'wav' if modality == 'voice' else 'jpg'}"
        (sound if modality == "voice" else picture)(folder / name, number)
        practice = number == count
        items.append(
            Item(
                name,
                name,
                "voice" if modality == "voice" else "face",
                dimensions=() if practice or not asked else (EMOTIONS[number % 4],),
                sensitive=number == 1,
                gold=dict(gold) if practice else {},
                training=practice,
            )
        )
    return items


def make_project(folder: Path, protocol: Protocol, items: list[Item], **settings: Any) -> Made:
    """Store and application of a project whose media lie in `folder/media`."""
    folder.mkdir(parents=True, exist_ok=True)
    store = open_store(f"sqlite:///{folder / 'annotation.db'}", create=True)
    create_project(
        store, Project(name="Portraits", protocol=protocol, seed=1), items, make_units(protocol, items, seed=1)
    )
    media = folder / "media"
    return Made(store, create_app(store, media=media, settings=WebSettings(**settings)), media)


def binary_project(folder: Path, count: int = 6, **settings: Any) -> Made:
    """Yes or no for one emotion of each picture, a practice unit first, no contrasts."""
    protocol = binary(dimensions=EMOTIONS, contrast=False, gold_every=0, training=1)
    return make_project(folder, protocol, make_items(folder / "media", count, "face", {"fear": 1.0}, True), **settings)


def hq_project(folder: Path, count: int = 3, **settings: Any) -> Made:
    """40 sliders for each picture."""
    protocol = hq(gold_every=0, training=1)
    items = make_items(folder / "media", count, "face", {"fear": 5.0}, False)
    return make_project(folder, protocol, items, **settings)


def presence_project(folder: Path, count: int = 4, **settings: Any) -> Made:
    """Not, weakly or strongly present in each recording."""
    protocol = presence(dimensions=EMOTIONS, gold_every=0, training=1)
    items = make_items(folder / "media", count, "voice", {"fear": 2.0}, True)
    return make_project(folder, protocol, items, **settings)


def first_unit(client: TestClient) -> dict[str, Any]:
    """The unit that a rater gets next."""
    unit: dict[str, Any] = client.post("/api/assignments", json={"count": 1}).json()["assignments"][0]
    return unit


def answer_to(unit: Mapping[str, Any], client_id: str, value: float = 1.0, **more: Any) -> dict[str, Any]:
    """Body of an answer that gives `value` to every dimension."""
    return {
        "client_id": client_id,
        "unit": unit["unit"],
        "lease": unit["lease"],
        "values": dict.fromkeys(unit["dimensions"], value),
        "duration_ms": 1500,
        "time": "2026-01-02T03:04:05Z",
        **more,
    }
