"""Simple drawn faces for tests of pages: no photograph of anybody, and every one different."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw

SIZE = 360


def draw_face(path: Path, *, smile: float, seed: int) -> None:
    """A face with a mouth from -1 (down) to 1 (up)."""
    generator = np.random.default_rng(seed)
    skin = tuple(int(v) for v in np.array([236, 190, 150]) * generator.uniform(0.45, 1.05))
    back = tuple(int(v) for v in generator.uniform(120, 225, 3))
    picture = PIL.Image.new("RGB", (SIZE, SIZE), back)
    pen = PIL.ImageDraw.Draw(picture)
    pen.ellipse((70, 40, 290, 320), fill=tuple(min(v, 255) for v in skin))
    brow = int(14 * smile * generator.uniform(0.3, 1))
    for x, side in ((125, -1), (235, 1)):
        pen.ellipse((x - 16, 140, x + 16, 164), fill="#fff")
        pen.ellipse((x - 8, 144, x + 8, 160), fill="#2a1d12")
        pen.line((x - 24, 122 + side * -brow, x + 24, 122 + side * brow), fill="#3a2a1a", width=7)
    pen.line((180, 165, 174, 215, 188, 217), fill="#8a5a3a", width=4)
    points = [(130 + k, 255 + int(30 * smile * (1 - ((k - 50) / 50) ** 2))) for k in range(0, 101, 5)]
    pen.line(points, fill="#8c2f2f", width=8, joint="curve")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=88)


def drawn_folder(folder: Path, emotions: tuple[str, ...], each: int) -> Path:
    """`each` faces in a folder for every emotion, as `emonet annotate init` takes them."""
    for place, emotion in enumerate(emotions):
        for k in range(each):
            draw_face(
                folder / emotion / f"{emotion}-{k:03}.jpg",
                smile=1 - 2 * place / max(1, len(emotions) - 1),
                seed=100 * place + k,
            )
    return folder
