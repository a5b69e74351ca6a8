"""Scales of the charts: places, round ticks within the axis, labels that say them exactly."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from leaderboard.charts.scales import Scale, linear_scale, log_scale, nice_ticks
from leaderboard.numerals import between, plain, signed, tick_labels

UNITS = {"B": 10**9, "M": 10**6}
numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 6))
ratios = st.floats(1e-6, 1e11, allow_nan=False)


def read(label: str) -> float:
    """The number that a label says."""
    text, _, unit = label.replace("−", "-").replace(",", "").partition(" ")
    return float(text) * UNITS.get(unit, 1)


def test_a_linear_scale_by_hand() -> None:
    scale = linear_scale([0.0, 0.2, 0.1], padding=0.0)
    assert scale == Scale(0.0, 0.2, (0.0, 0.05, 0.1, 0.15, 0.2))
    assert [scale.at(tick) for tick in scale.ticks] == [0, 25, 50, 75, 100]
    assert scale.at(1 / 15) == 33.33
    drawn = scale.drawn_ticks()
    assert [tick.label for tick in drawn] == ["0", ".05", ".10", ".15", ".20"]


def test_a_tick_a_hair_outside_is_left_out() -> None:
    assert nice_ticks(0.0, 1.0) == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert nice_ticks(1e-11, 1.0) == (0.2, 0.4, 0.6, 0.8, 1.0)


def test_padding_is_a_share_of_the_span_and_stops_at_the_floor() -> None:
    padded = linear_scale([1.0, 2.0], padding=0.1)
    assert (padded.low, padded.high) == pytest.approx((0.9, 2.1))
    assert linear_scale([0.01, 1.0], floor=0.0).low == 0.0
    assert linear_scale([-1.0, 1.0], padding=0.0, floor=0.0).low == -1.0


def test_a_log_scale_by_hand() -> None:
    scale = log_scale([10.0, 1000.0], padding=0.0)
    assert scale.ticks == (10, 100, 1000)
    assert [scale.at(value) for value in (10, 100, 1000)] == [0, 50, 100]
    assert log_scale([10.0, 100.0], padding=0.0).ticks == (10, 20, 50, 100)
    assert log_scale([1e-4, 1e10], padding=0.0).ticks == (1e-3, 1, 1e3, 1e6, 1e9)


def test_less_than_a_decade_gets_linear_ticks() -> None:
    ticks = log_scale([22e6, 23e6]).ticks
    assert len(ticks) >= 3
    assert ticks[1] - ticks[0] == pytest.approx(ticks[2] - ticks[1])


@given(st.lists(numbers, min_size=1, max_size=8), st.integers(3, 9))
def test_linear_ticks_are_few_round_and_inside(values: list[float], most: int) -> None:
    scale = linear_scale(values, most_ticks=most)
    assert scale.low < min(values)
    assert max(values) < scale.high
    assert 1 <= len(scale.ticks) <= most
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks)
    assert list(scale.ticks) == sorted(set(scale.ticks))
    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)


@given(st.lists(ratios, min_size=1, max_size=8), st.integers(3, 9))
def test_log_ticks_are_few_and_inside(values: list[float], most: int) -> None:
    scale = log_scale(values, most_ticks=most)
    assert scale.low < min(values)
    assert max(values) < scale.high
    assert 1 <= len(scale.ticks) <= most
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks)
    assert list(scale.ticks) == sorted(set(scale.ticks))
    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places)


@given(numbers, numbers)
def test_labels_say_their_ticks_exactly_and_differ(low: float, high: float) -> None:
    assume(high - low > 1e-4)
    ticks = nice_ticks(low, high)
    labels = tick_labels(ticks)
    assert [read(label) for label in labels] == pytest.approx(list(ticks), rel=1e-12, abs=1e-12)
    assert len(set(labels)) == len(ticks)


@given(ratios, ratios)
def test_labels_of_a_log_axis_say_their_ticks_exactly(low: float, high: float) -> None:
    ticks = log_scale([low, high]).ticks
    labels = tick_labels(ticks)
    assert [read(label) for label in labels] == pytest.approx(list(ticks), rel=1e-9)


def test_labels_of_sizes_have_units() -> None:
    assert tick_labels([500_000, 1e6, 2.5e6, 5e8, 1e9]) == (
        "500,000",
        "1 M",
        "2.5 M",
        "500 M",
        "1 B",
    )
    assert tick_labels([-0.05, 0.0, 0.1]) == ("−.05", "0", ".10")


def test_labels_that_a_phone_has_no_room_for_are_for_wide_plots() -> None:
    close = Scale(0.0, 1000.0, (0.0, 10.0, 500.0, 1000.0)).drawn_ticks()
    assert [tick.wide_only for tick in close] == [False, True, False, False]


@pytest.mark.parametrize("wrong", [[], [1.0, math.nan], [math.inf]], ids=["none", "nan", "inf"])
def test_a_scale_refuses_what_has_no_place(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="an axis"):
        linear_scale(wrong)


def test_a_log_scale_refuses_zero() -> None:
    with pytest.raises(ValueError, match="no place for 0"):
        log_scale([1.0, 0.0])


def test_numbers_as_the_site_writes_them() -> None:
    assert plain(0.3861) == ".386"
    assert plain(1.0) == "1.000"
    assert plain(-0.0214) == "−.021"
    assert plain(-1187.2, 0) == "−1,187"
    assert plain(0.0, 0) == "0"
    assert signed(0.1224) == "+.122"
    assert signed(-0.0001) == signed(0.0001) == ".000"
    assert signed(1187, 0) == "+1,187"
    assert between(-0.0214, 0.0042) == "[−.021, .004]"
