"""Small charts: drawn within their frame, said in words."""

import re

import pytest

from crm.headline import Trail
from crm.reporting.small_charts import HEIGHT, WIDTH, small_chart

NUMBER = r"-?\d+(?:\.\d+)?"


def numbers(svg: str, attribute: str) -> list[float]:
    return [float(found) for found in re.findall(rf' {attribute}="({NUMBER})"', svg)]


@pytest.mark.parametrize("values", [[1, 5, 3], [-1, -5], [2, 2, 2], [0, 0], [-3, 3], [1e12, 1e-12]])
def test_every_mark_is_within_the_frame(values):
    names = [f"d{at}" for at in range(len(values))]
    line = small_chart(Trail.of("Days", names, values))
    (points,) = re.findall(r'points="([^"]*)"', line)
    for x, y in (point.split(",") for point in points.split()):
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT
    bars = small_chart(Trail.of("Days", names, values, drawn="bars"))
    for x, y, width, height in zip(*(numbers(bars, name) for name in ("x", "y", "width", "height")), strict=True):
        assert 0 <= x <= x + width <= WIDTH
        assert 0 <= y <= y + height <= HEIGHT


def test_bars_stand_upwards_and_downwards_from_zero():
    bars = small_chart(Trail.of("Profit", ["a", "b"], [2, -2], drawn="bars"))
    (up, down), (tall, deep) = numbers(bars, "y"), numbers(bars, "height")
    assert up + tall == pytest.approx(down, abs=0.2)
    assert tall == pytest.approx(deep, abs=0.2)


def test_a_chart_is_said_in_words():
    bars = small_chart(Trail.of("Profit of each", ["May", "June", "July"], [2, -2.5, 1], drawn="bars", unit="USD"))
    assert (
        'aria-label="Profit of each: May: 2 USD first, July: 1 USD last; lowest June: \u22122.50 USD, '
        'highest May: 2 USD; 3 values"' in bars
    )


def test_named_bars_have_their_names_and_numbers_beside_them():
    chart = small_chart(Trail.of("Share", ["A", "B"], [0.5, 0.25], drawn="named", unit="share"))
    assert re.findall(r'class="(?:name|amount)">([^<]*)<', chart) == ["A", "50%", "B", "25%"]
    assert numbers(chart, "width") == [100.0, 50.0]
    assert chart.count('aria-hidden="true"') == 2
