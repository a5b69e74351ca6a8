"""Limits as people write them."""

from __future__ import annotations

import pytest

from submissions.queue.limits import parse_duration, parse_size, share_of_memory
from tasks.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("1.5h", 5400), ("2d", 172_800), (" 0.25s ", 0.25)],
)
def test_a_time_has_a_unit(text, seconds):
    assert parse_duration("--time-limit", text) == seconds


@pytest.mark.parametrize("text", ["", "90", "0s", "-1h", "1w", "1h30m", "nan", "1e9h", "٣h", "inf"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(UsageError, match=r"--time-limit .* such as 90s"):
        parse_duration("--time-limit", text)


def test_a_size_is_named_by_its_own_option():
    assert parse_size("--disk-limit", "20G") == 20 * 2**30
    with pytest.raises(UsageError, match=r"^--disk-limit '1M': give a size of at least 16M"):
        parse_size("--disk-limit", "1M")


def test_the_workers_share_the_memory():
    assert 0 < 4 * share_of_memory(4) <= share_of_memory(1)
