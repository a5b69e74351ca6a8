"""Labels of a scatter plot: none covers another one or a mark, at any width of the page."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.charts.placement import EVERY_WIDTH, WIDE, Box, Placed, label_box, place_labels


def test_labels_that_would_meet_take_another_side_or_none() -> None:
    # 21.6 pixels apart on a phone: no room for a label between the first two.
    points = [(0.4, 100.0), (0.5, 100.0), (0.45, 300.0)]
    found = place_labels(points, [60, 60, 60], 340)
    assert [place.side if place else None for place in found] == ["left", "right", "right"]
    crowd = [(0.5, 100.0 + 3 * number) for number in range(9)]
    assert None in place_labels(crowd, [80] * 9, 340)
    # At the upper right corner neither right nor above is within the plot.
    assert place_labels([(1.0, 8.0)], [50], 340)[0].side == "left"


def test_a_label_too_wide_for_a_phone_is_for_wide_plots() -> None:
    assert place_labels([(0.5, 100.0)], [250], 340)[0].wide_only
    assert not place_labels([(0.5, 100.0)], [80], 340)[0].wide_only


def test_a_label_that_a_phone_has_no_room_for_beside_a_mark_is_for_wide_plots() -> None:
    # On a phone the second mark is where the first label would be; in a wide plot it is not.
    assert place_labels([(0.1, 100.0), (0.6, 100.0)], [120], 340) == (
        Placed("right", wide_only=True),
    )


def test_marks_above_each_other_have_labels_to_both_sides() -> None:
    found = place_labels([(0.5, 100.0), (0.5, 110.0)], [40, 40], 340)
    assert [place and place.side for place in found] == ["right", "left"]


def test_a_label_goes_off_the_corner_of_its_mark_for_want_of_a_better_place() -> None:
    # At the left end no label can be left of it, above or below; right of it is another mark.
    found = place_labels([(0.0, 100.0), (0.06, 104.0)], [60], 340)
    assert found == (Placed("upper right", wide_only=False),)


def test_a_mark_that_lies_under_another_one_has_no_label() -> None:
    found = place_labels([(0.5, 100.0), (0.5, 101.0)], [40, 40], 340)
    assert found[0] is not None
    assert found[1] is None


shares = st.floats(0, 1, allow_nan=False)
downs = st.floats(0, 340, allow_nan=False)


@given(st.lists(st.tuples(shares, downs), min_size=1, max_size=12), st.integers(20, 220))
@settings(deadline=None)
def test_no_two_labels_meet_and_none_covers_a_mark(
    points: list[tuple[float, float]], width: int
) -> None:
    placed = place_labels(points, [width] * len(points), 340)
    for shown in (EVERY_WIDTH[0], 300.0, WIDE[0], 641.0, WIDE[1]):
        labels = []
        for number, (point, place) in enumerate(zip(points, placed, strict=True)):
            if place and (shown >= WIDE[0] or not place.wide_only):
                labels.append((number, at_width(label_box(point, width, place.side), shown)))
        marks = [
            (number, at_width(Box(share, -6, 6, down - 6, down + 6), shown))
            for number, (share, down) in enumerate(points)
        ]
        for number, label in labels:
            assert label[0] >= -1e-6
            assert label[1] <= shown + 10 + 1e-6
            for other, box in labels + marks:
                assert number == other or not overlap(label, box)


def at_width(box: Box, width: float) -> tuple[float, float, float, float]:
    across = box.share * width
    return across + box.left, across + box.right, box.top, box.bottom


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    near = 1e-6
    across = a[0] < b[1] - near and b[0] < a[1] - near
    return across and a[2] < b[3] - near and b[2] < a[3] - near
