from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from submissions.baselines.loss_curve import loss_curve, nice_interval, running_means

SVG = "{http://www.w3.org/2000/svg}"


def test_the_curve_has_a_point_for_each_step_within_its_frame():
    root = ET.fromstring(loss_curve("a < b", [4.0, 2.0, 1.0, 0.5]))  # noqa: S314  # our own text
    lines = [line.get("points").split() for line in root.iter(f"{SVG}polyline")]
    assert [len(line) for line in lines] == [4, 4]
    points = [tuple(map(float, point.split(","))) for point in lines[0]]
    assert [x for x, _ in points] == sorted({x for x, _ in points})
    # Higher on the picture is less in SVG; the axis goes from 0 at 274 to 4 at 30.
    assert [y for _, y in points] == [30, 152, 213, 243.5]
    assert root.find(f"{SVG}title").text == "a < b"


def test_a_curve_of_one_step_or_of_zeros_can_be_drawn():
    for losses in ([1.0], [0.0, 0.0]):
        assert not re.search("nan|inf", loss_curve("one", losses))


@pytest.mark.parametrize(
    ("least", "interval"), [(0.9, 1), (1, 1), (1.1, 2), (2.5, 5), (6, 10), (0.03, 0.05), (0, 1)]
)
def test_intervals_are_1_2_or_5(least, interval):
    assert nice_interval(least) == pytest.approx(interval)


def test_running_means():
    assert running_means([4.0, 2.0, 0.0, 4.0], 2) == [4.0, 3.0, 1.0, 2.0]
