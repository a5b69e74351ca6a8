"""``docs/submitting.md`` has the codes and sizes of the code."""

from __future__ import annotations

import re
from pathlib import Path

import submissions
from submissions import archives
from submissions.checks.codes import CODES
from submissions.checks.folder_checks import CAPS, MOST_FILES

DOCUMENT = Path(__file__).parents[1] / "docs" / "submitting.md"
CHECKS = Path(submissions.__file__).parent


def test_the_codes_are_those_of_the_code() -> None:
    text = DOCUMENT.read_text("utf-8")
    listed = dict(re.findall(r"^\| ([EW][0-9]{3}) \| (.*) \|$", text, re.M))
    assert listed == dict(CODES)


def test_every_code_is_given_by_the_code() -> None:
    files = [*(CHECKS / "checks").glob("*.py"), CHECKS / "archives.py"]
    source = "\n".join(path.read_text("utf-8") for path in files if path.name != "codes.py")
    assert set(re.findall(r"\"([EW][0-9]{3})\"", source)) == set(CODES)


def test_the_sizes_are_those_of_the_code() -> None:
    text = DOCUMENT.read_text("utf-8")
    for size in {*CAPS.values(), archives.MOST_BYTES, archives.MOST_UNPACKED}:
        assert f"| {_words(size)} |" in text
    assert MOST_FILES == archives.MOST_FILES
    assert f"| {MOST_FILES} |" in text
    assert f"| {archives.MOST_RATIO} times" in text


def _words(size: int) -> str:
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 2**power:
            return f"{size // 2**power} {unit}"
    raise ValueError(size)
