"""Sizes of memory as people write them."""

from __future__ import annotations

import pytest

from harness.memory import parse_memory
from tasks.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [("16M", 2**24), ("512M", 2**29), ("4G", 2**32), ("1.5g", 3 * 2**29), ("2GiB", 2**31)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "much", "-4G", "15M", "0", "4 potatoes", "1e9", "٤G"])
def test_what_is_no_size_or_too_little_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="at least 16M"):
        parse_memory(text)
