"""Tones of workers: legible, the same in Python and in the browser, apart for every kind of eye."""

from __future__ import annotations

import json
from math import dist
from pathlib import Path

import pytest

from workbench.view.palette import DARK, LIGHT, SHADES, TONES, Theme, hex_of, tone

ROOT = Path(__file__).parents[2]
SHEET = (ROOT / "extension" / "src" / "viz" / "workbench.css").read_text(encoding="utf-8")
# Source: Machado, Oliveira, Fernandes, "A physiologically-based model for simulation of color
# vision deficiency", 2009, severity 1; on linear RGB.
EYES = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red cone": ((0.1523, 1.0526, -0.2049), (0.1145, 0.7863, 0.0992), (-0.0039, -0.0481, 1.052)),
    "no green cone": (
        (0.3673, 0.8606, -0.228),
        (0.2801, 0.6725, 0.0474),
        (-0.0118, 0.0429, 0.9689),
    ),
    "no blue cone": (
        (1.2555, -0.0767, -0.1788),
        (-0.0784, 0.9308, 0.1476),
        (0.0047, 0.6914, 0.3039),
    ),
}


def linear(rgb: tuple[int, int, int]) -> list[float]:
    parts = [part / 255 for part in rgb]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def oklab(rgb: list[float]) -> tuple[float, ...]:
    cones = (
        (0.4122214708, 0.5363325363, 0.0514459929),
        (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005),
    )
    mixed = (
        (0.2104542553, 0.793617785, -0.0040720468),
        (1.9779984951, -2.428592205, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.808675766),
    )
    roots = [
        max(0.0, sum(a * b for a, b in zip(row, rgb, strict=True))) ** (1 / 3) for row in cones
    ]
    return tuple(sum(a * b for a, b in zip(row, roots, strict=True)) for row in mixed)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("eye", EYES)
def test_neighbouring_hues_differ_for_every_eye(theme: Theme, eye: str):
    seen = [
        oklab(
            [
                sum(a * b for a, b in zip(row, linear(tone(k, theme)), strict=True))
                for row in EYES[eye]
            ]
        )
        for k in range(1, TONES, SHADES)
    ]
    gaps = [dist(a, b) for a, b in zip(seen, seen[1:] + seen[:1], strict=True)]
    assert min(gaps) > 0.05  # a just noticeable difference is near 0.02


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_labels_are_legible_on_every_tone(theme: Theme):
    def luminance(rgb: tuple[int, int, int]) -> float:
        red, green, blue = linear(rgb)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    ink = tuple(bytes.fromhex(theme.ink[1:]))
    for k in range(TONES):
        dark, light = sorted((luminance(ink[:3]), luminance(tone(k, theme))))
        assert (light + 0.05) / (dark + 0.05) > 4.5  # WCAG 2.2, AA


def test_the_browser_has_the_same_tones():
    drawn = json.loads((ROOT / "extension" / "src" / "viz" / "tones.json").read_text())
    for name, theme in (("light", LIGHT), ("dark", DARK)):
        assert drawn[name] == [hex_of(tone(k, theme)) for k in range(TONES)]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "soft", "faint", "accent", "good", "warn"])
def test_every_ink_is_legible_and_the_browser_has_the_same(theme: Theme, ink: str):
    def luminance(colour: str) -> float:
        red, green, blue = linear(
            (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    said = getattr(theme, ink)
    assert f"--kw-{ink}: {said};" in SHEET.split("}")[theme is DARK]
    grounds = ["#ffffff", "#f7f8fa"] if theme is LIGHT else ["#14171b", "#212121"]
    for ground in grounds:  # the panel; the ground of JupyterLab's dark notebooks
        dark, light = sorted((luminance(said), luminance(ground)))
        assert (light + 0.05) / (dark + 0.05) > 4.5  # WCAG 2.2, AA
