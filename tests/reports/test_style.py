"""Colours mean the same everywhere, can be told apart by everybody, and drawing leaves nothing behind."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from crm.analyses.segmentation.rfm import RFM_SEGMENTS
from crm.reporting import segment_colours, style

MEANINGS = {
    "actual": style.ACTUAL,
    "comparison": style.COMPARISON,
    "forecast": style.FORECAST,
    "good": style.GOOD,
    "bad": style.BAD,
}

# How colours look without one kind of cone, on linear light: Machado, Oliveira and Fernandes (2009), severity 1.
SEEN_BY = {
    "everybody": np.eye(3),
    "protanopes": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopes": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopes": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def linear(colour: str) -> np.ndarray:
    c = np.array(channels(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear light, white D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(light, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast_on_white(colour: str) -> float:
    return 1.05 / (style.luminance(channels(colour)) + 0.05)


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_meanings_are_told_apart_by_all_eyes(eyes):
    seen = {name: lab(np.array(SEEN_BY[eyes]) @ linear(colour)) for name, colour in MEANINGS.items()}
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 15, (one, other)  # about 2 is just noticeable


def test_every_colour_stands_out_from_the_paper():
    colours = {*MEANINGS.values(), *style.SERIES, *style.SEGMENT_COLOURS.values(), *style.EVENT_COLOURS.values()}
    assert {c: contrast_on_white(c) for c in colours if contrast_on_white(c) < 3} == {}  # WCAG 2.2, 1.4.11
    assert contrast_on_white(style.QUIET) >= 4.5


def test_every_rfm_segment_has_its_own_colour():
    names = [segment.name for segment in RFM_SEGMENTS]
    assert set(names) == set(style.SEGMENT_COLOURS)
    assert len(set(segment_colours(names).values())) == len(names)


def test_a_name_keeps_its_colour_whoever_stands_beside_it():
    alone, among = segment_colours(["At risk"]), segment_colours(["Zebra", "At risk", "Lost", "new"])
    assert alone["At risk"] == among["At risk"] == "#D55E00"
    assert segment_colours(["at risk"]) == {"at risk": "#D55E00"}
    assert segment_colours(["Won back", "(unknown)"]) == {"Won back": "#1FA37A", "(unknown)": style.COMPARISON}


def test_colours_of_other_names_do_not_depend_on_their_order():
    names = ["frequent, big baskets", "rare, on promotion", "weekend", "Close to average", "fuel only"]
    colours = segment_colours(names)
    assert colours == segment_colours(reversed(names))
    assert len(set(colours.values())) == len(names)
    assert len(segment_colours([f"category {n}" for n in range(40)])) == 40


def test_letters_can_be_read_on_every_colour_of_a_heat_map():
    for scale in (style.rising(), style.diverging()):
        for at in np.linspace(0, 1, 101):
            paper = style.luminance(scale(at)) + 0.05
            ink = (
                style.luminance(channels({"#000000": "#000000"}.get(style.readable_on(scale(at)), "#FFFFFF"))) + 0.05
            )
            assert max(paper, ink) / min(paper, ink) >= 4.5


def test_a_style_is_lent_and_given_back():
    import matplotlib as mpl

    mpl.rcParams["font.size"] = 17
    before = dict(mpl.rcParams)
    with style.house_style():
        assert mpl.rcParams["font.size"] == 9
        assert mpl.rcParams["svg.hashsalt"] == "analytical-crm"
    assert dict(mpl.rcParams) == before
    mpl.rcdefaults()


def test_importing_the_reports_is_light():
    code = """
import sys
import crm.reporting, crm.reporting.charts, crm.reporting.tables
print([name for name in ("matplotlib", "seaborn", "nbconvert") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_of_the_door_opens():
    import crm.reporting

    assert sorted(crm.reporting.__all__) == sorted(crm.reporting._ROOM_OF)
    for name in crm.reporting.__all__:
        assert getattr(crm.reporting, name).__doc__, name
    with pytest.raises(AttributeError, match="draw_pie"):
        crm.reporting.draw_pie  # noqa: B018
