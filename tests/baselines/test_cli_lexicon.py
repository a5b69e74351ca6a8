"""``babelboard lexicon``: what it shows, and what it writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunsCommand


@pytest.fixture
def muse(tmp_path: Path) -> Path:
    (tmp_path / "en-de.txt").write_text("red rot\nred rötlich\ntaxi taxi\ndog Hund\n", "utf-8")
    (tmp_path / "en-es.txt").write_text("red rojo\n#it #lo\n", "utf-8")
    return tmp_path


def test_show(babelboard: RunsCommand, muse: Path) -> None:
    corpus = muse / "corpus.tsv"
    corpus.write_text("1\tThe red dog\n2\tthe cat\n", "utf-8")
    arguments = ("lexicon", "show", f"muse:{muse}", "--to", "de,es", "--corpus", corpus)
    done = babelboard(*arguments, "--field", "2")
    assert done.returncode == 0, done.stderr
    heading, german, spanish = done.stdout.splitlines()
    assert heading.split()[-5:] == ["types", "tokens", "content", "words", "sha256"]
    assert german.split()[:10] == [
        *("muse/en-de", "2", "0", "3", "1.50", "1", "0"),
        *("50.0%", "40.0%", "66.7%"),
    ]
    assert spanish.split()[:7] == ["muse/en-es", "1", "0", "1", "1.00", "0", "1"]
    found = json.loads(babelboard(*arguments, "--field", "2", "--json").stdout)
    assert found["schema_version"] == 1
    assert found["lexicons"][0] | {"checksum": ""} == {
        "name": "muse/en-de",
        "source": "en",
        "target": "de",
        "entries": 2,
        "pairs": 3,
        "translations_per_entry": 1.5,
        "phrases": 0,
        "dropped": {"identical": 1},
        "checksum": "",
        "coverage": {
            "types": {"all": 4, "covered": 2, "share": 0.5},
            "tokens": {"all": 5, "covered": 2, "share": 0.4},
            "content_words": {"all": 3, "covered": 2, "share": 2 / 3},
        },
    }
    assert found["lexicons"][0]["checksum"].startswith(german.split()[-1])


def test_the_built_in_lexicon_needs_no_file(babelboard: RunsCommand) -> None:
    done = babelboard("lexicon", "show", "cldr", "--to", "sw", "--from", "de")
    assert done.returncode == 0, done.stderr
    assert "cldr/de-sw" in done.stdout


def test_what_is_written_is_read_again(babelboard: RunsCommand, muse: Path) -> None:
    out = muse / "out" / "en-de.tsv"
    done = babelboard("lexicon", "write", f"muse:{muse}", "--to", "de", "--out", out)
    assert done.returncode == 0, done.stderr
    assert out.read_text("utf-8") == "# en\tde\ndog\tHund\t1\nred\trot\t0.5\nred\trötlich\t0.5\n"
    again = babelboard("lexicon", "show", f"pairs:{out}", "--to", "de", "--json")
    first = babelboard("lexicon", "show", f"muse:{muse}", "--to", "de", "--json")
    checksums = [json.loads(d.stdout)["lexicons"][0]["checksum"] for d in (again, first)]
    assert checksums[0] == checksums[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "muse:{muse}", "--to", "yo"), "has no lexicon for en-yo. It has: en-de, en-es."),
        (("show", "muze", "--to", "de"), "Unknown kind of lexicon: 'muze'. Did you mean muse?"),
        (("show", "cldr", "--to", ","), "--to names no language"),
        (("show", "cldr", "--to", "de", "--out", "x"), "--out is for 'lexicon write'"),
        (("write", "cldr", "--to", "de"), "give one language with --to, and --out FILE"),
        (("write", "cldr", "--to", "de,es", "--out", "x"), "give one language with --to"),
        (("show", "cldr", "--to", "de", "--corpus", "none.txt"), "none.txt is not a file"),
        (("show", "muse:{muse}/wrong.txt", "--to", "de"), "wrong.txt:2: not a pair: 'red'"),
        (("show", "muse:{muse}/latin.txt", "--to", "de"), "latin.txt:1: not a text file in UTF-8"),
    ],
)
def test_what_is_wrong(
    babelboard: RunsCommand, muse: Path, arguments: tuple[str, ...], message: str
) -> None:
    (muse / "wrong.txt").write_text("dog Hund\nred\n", "utf-8")
    (muse / "latin.txt").write_bytes("green grün\n".encode("latin-1"))
    done = babelboard("lexicon", *(argument.format(muse=muse) for argument in arguments))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
