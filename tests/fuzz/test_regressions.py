"""Inputs that once led to a traceback, a hang or too much memory, cut down to what did it."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from harness.paired_scores import read_csv
from harness.parquet_pages import MalformedPageError, pages
from submissions.baselines.recipe_file import load_recipe
from submissions.baselines.search_file import load_search
from tasks.errors import BabelboardError, UsageError
from tests.fuzz.readers import READERS

LONG_NUMBER = b"9" * 5000
DEEP = b"[" * 5000
GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
XML = b'<?xml version="1.0" encoding="%s"?><a/>'
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "a number of 5,000 digits in a recipe": ("recipes", b"a=" + LONG_NUMBER, "not a TOML file"),
    "a recipe nested deep": ("recipes", b"a=" + DEEP, "nested deeper than 16 levels"),
    "a recipe with a key of many parts": ("recipes", b"a." * 50_000 + b"a=1", ":1 is nested"),
    "a recipe of a megabyte": ("recipes", b"#" * 2**20, "has more than 262,144 bytes"),
    "a recipe that shares with NUL": ("recipes", rb'shared = "\u0000"', "a file beside the recipe"),
    "a recipe that shares with its folder": ("recipes", b'shared = "."', "There is no recipe"),
    "a recipe that shares with a name that no disk takes": (
        "recipes",
        b'shared = "' + b"a" * 300 + b'"',
        "a file beside the recipe",
    ),
    "a number of 5,000 digits in a search": ("searches", b"a=" + LONG_NUMBER, "not a TOML file"),
    "a search nested deep": ("searches", b"a=" + DEEP, "nested deeper than 16 levels"),
    "a number of 5,000 digits in a task": ("tasks", b"a=" + LONG_NUMBER, "not a TOML file"),
    "a task nested deep": ("tasks", b"a=" + DEEP, "not a TOML file"),
    "titles in an encoding that is none": ("titles-xml", XML % b"UTF-4", "unknown encoding"),
    "titles in an encoding of several bytes": ("titles-xml", XML % b"euc-jp", "not XML in UTF-8"),
    "titles in an encoding that is no text": ("titles-xml", XML % b"rot13", "not XML in UTF-8"),
    "titles that are damaged gzip": ("titles-xml", GZIP_HEAD + b"\xff" * 4, "damaged"),
    "a page number of 5,000 digits": (
        "titles-sql",
        b"(" + LONG_NUMBER + b",'de','x')",
        "no link to a page in de",
    ),
    "half a character in training pairs": (
        "training-pairs",
        rb'{"id": "\ud800", "query": "a", "positive": "b"}',
        "not as expected",
    ),
    "training pairs nested deep": ("training-pairs", DEEP, "not as expected"),
    "a score with an underscore": ("score-csvs", b"question_id,a\n1,1_0\n", "not a finite number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_words(case: str, tmp_path: Path) -> None:
    reader, content, said = REFUSED[case]
    with pytest.raises(BabelboardError) as refused:
        READERS[reader](content, tmp_path)
    assert said in str(refused.value)


def test_a_table_of_scattered_cells_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    rows = "".join(f"q{n},s{n},0.5\n" for n in range(20_000))
    path.write_text(f"question_id,setting,a\n{rows}", encoding="utf-8")
    with pytest.raises(UsageError, match="more than the 268,435,456 scores that fit"):
        read_csv(path)


HEADER = bytes((0x15, 0, 0x15, 4, 0x15, 0))
"""Of a page: its kind and sizes."""


@pytest.mark.parametrize(
    ("reader", "content", "said"),
    [
        ("jobs", b"a=" + LONG_NUMBER, "not a TOML file"),
        ("json-records", rb'["\ud800"]', "not a JSON file"),
        ("json-records", b"[1e999]", "not a JSON file"),
    ],
    ids=["a long number in a job", "half a character", "a number without end"],
)
def test_a_record_is_refused_in_words(reader, content, said, tmp_path: Path) -> None:
    with pytest.raises(BabelboardError, match=said):
        READERS[reader](content, tmp_path)


@pytest.mark.parametrize("name", ["codes", "statistics"])
def test_a_rank_file_does_not_end_the_process(name: str) -> None:
    """Codes beyond the dictionary in one, statistics against the schema in the other."""
    file = Path(__file__).with_name("faults") / f"{name}.parquet"
    script = "import sys; from pathlib import Path; from harness.ranks import read_ranks\n"
    script += "from tasks.errors import EntryError\ntry:\n    read_ranks(Path(sys.argv[1]))\n"
    script += "except EntryError as error:\n    print(error)"
    done = subprocess.run(
        [sys.executable, "-c", script, file], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be read as Parquet" in done.stdout


@pytest.mark.parametrize(
    "rest",
    [bytes((0x2C, 0x15, 0, 0x1C, 0, 0, 0)), b"\x19" * 20_000],
    ids=["an encoding that is a struct", "lists within lists"],
)
def test_a_page_header_of_another_form_is_malformed(rest: bytes) -> None:
    content = HEADER + rest
    try:
        found = list(pages(io.BytesIO(content), 0, len(content)))
    except MalformedPageError:
        return
    assert [page.encoding for page in found] == ["unknown"]


@pytest.mark.parametrize("load", [load_recipe, load_search])
def test_a_recipe_may_come_through_a_link(load, tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("name = 1", encoding="utf-8")
    (tmp_path / "link.toml").symlink_to("real.toml")
    with pytest.raises(BabelboardError, match="schema_version"):
        load(tmp_path / "link.toml")
