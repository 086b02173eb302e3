"""Colours: tones for workers, and the ink of a card, each for light and for dark.

Tones are even in OKLCH. Neighbouring hues alternate in lightness and are ordered so that they
also differ for eyes without one kind of cone; a label or a pattern always says the same.

Source: OKLab, B. Ottosson, "A perceptual color space for image processing", 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

HUES = (20, 245, 110, 335, 155, 290, 65, 200)
SHADES = 4
TONES = len(HUES) * SHADES
CHROMA = 0.075
SHADE_STEP = 0.03
ALTERNATE = 0.02


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a card, as CSS.

    Attributes
    ----------
    lightness : float
        Of the middle tone of a worker, in OKLCH.
    group_lightness, group_chroma : float
        Of the ground behind lines or nodes that belong together.
    """

    ground: str
    ink: str
    soft: str
    faint: str
    line: str
    panel: str
    accent: str
    good: str
    warn: str
    keyword: str
    number: str
    lightness: float
    group_lightness: float
    group_chroma: float


LIGHT = Theme(
    ground="#ffffff",
    ink="#1b1f24",
    soft="#56606c",
    faint="#5c6672",
    line="#e1e5ea",
    panel="#f7f8fa",
    accent="#0b65c2",
    good="#1a7f48",
    warn="#9a5b00",
    keyword="#7a3e9d",
    number="#0b6e6e",
    lightness=0.86,
    group_lightness=0.955,
    group_chroma=0.03,
)
DARK = Theme(
    ground="#14171b",
    ink="#e6e9ed",
    soft="#a3acb8",
    faint="#98a2ae",
    line="#2c323a",
    panel="#1b1f25",
    accent="#6cb2ff",
    good="#57c78a",
    warn="#e0a34a",
    keyword="#c69af0",
    number="#69c9c9",
    lightness=0.40,
    group_lightness=0.25,
    group_chroma=0.04,
)


def tone_of(worker: int, workers: int, grain: int = 1) -> int:
    """Which of the tones a worker has; `grain` neighbours share one.

    Up to 8 workers have a hue each. Of more, four neighbours share a hue, in four shades; after
    32 the tones begin again.

    Examples
    --------
    >>> tone_of(3, 4), tone_of(5, 64), tone_of(37, 64), tone_of(37, 64, grain=8)
    (13, 5, 5, 4)
    """
    if workers <= len(HUES):
        return worker * SHADES + 1
    return worker // grain % TONES


def tone(index: int, theme: Theme) -> tuple[int, int, int]:
    """Red, green and blue of a tone, 0 … 255.

    Examples
    --------
    >>> tone(0, LIGHT)
    (233, 169, 168)
    """
    hue, shade = divmod(index, SHADES)
    lightness = theme.lightness + (ALTERNATE if hue % 2 else -ALTERNATE)
    return oklch(lightness + (shade - (SHADES - 1) / 2) * SHADE_STEP, CHROMA, HUES[hue])


def hex_of(rgb: tuple[int, int, int]) -> str:
    """The colour as CSS writes it."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def oklch(lightness: float, chroma: float, hue: float) -> tuple[int, int, int]:
    """Red, green and blue of a colour in OKLCH (hue in degrees), clipped to sRGB."""
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _byte(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _byte(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _byte(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _byte(linear: float) -> int:
    """A linear component as a byte of sRGB."""
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * min(1.0, max(0.0, value)))
