"""``babelboard codeswitch``: text, TSV or JSONL in, the same out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from submissions.baselines.code_switching import CodeSwitcher, SwitchOptions
from submissions.baselines.lexicon import load_lexicon

if TYPE_CHECKING:
    from conftest import RunsCommand

MUSE = "the die\nred rot\ngreen grün\ndog Hund\nhouse Haus\n"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working folder with a lexicon and a file of each form."""
    (tmp_path / "en-de.txt").write_text(MUSE, "utf-8")
    (tmp_path / "en-es.txt").write_text("red rojo\ndog perro\n", "utf-8")
    (tmp_path / "a.txt").write_bytes("The red dog.\r\n\r\n“No” red-green".encode())
    (tmp_path / "a.tsv").write_text("7\tred dog\tgreen house\tred\n", "utf-8")
    lines = [
        {"id": "q1", "query": "Red dog?", "positive": "A green house", "n": 1.5, "more": ["red"]},
        {"id": "q2", "query": "\u2028dog", "positive": 'dog \\ "red"\n'},
    ]
    content = "\n".join(json.dumps(line) for line in lines)
    (tmp_path / "a.jsonl").write_text(content + "\n", "utf-8")
    return tmp_path


def run(
    babelboard: RunsCommand, work: Path, *arguments: str, lexicon: str = "muse:."
) -> subprocess.CompletedProcess[str]:
    return babelboard("codeswitch", *arguments, "--lexicon", lexicon, cwd=work)


def test_text(babelboard: RunsCommand, work: Path) -> None:
    done = run(babelboard, work, "a.txt", "--to", "de", "--p", "1", "--out", "b.txt")
    assert done.returncode == 0, done.stderr
    assert (work / "b.txt").read_bytes() == "Die rot Hund.\r\n\r\n“No” rot-grün".encode()
    assert done.stdout == ""
    assert "Asked for 100.0%; switched 83.3% of 6 words (de 5). 83.3% could be switched." in (
        done.stderr
    )
    assert "Switching a.txt: 34 bytes" in done.stderr


def test_tsv(babelboard: RunsCommand, work: Path) -> None:
    fields = ("--query-field", "2", "--document-field", "3", "--id-field", "1")
    for side, expected in {
        "both": "7\trot Hund\tgrün Haus\tred\n",
        "query": "7\trot Hund\tgreen house\tred\n",
        "document": "7\tred dog\tgrün Haus\tred\n",
    }.items():
        done = run(babelboard, work, "a.tsv", "--to", "de", "--p", "1", *fields, "--side", side)
        assert done.stdout == expected, done.stderr


def test_jsonl(babelboard: RunsCommand, work: Path) -> None:
    arguments = ("a.jsonl", "--to", "de", "--p", "1", "--id-field", "id")
    done = run(babelboard, work, *arguments)
    first, second = (json.loads(line) for line in done.stdout.split("\n")[:2])
    assert first == {
        "id": "q1",
        "query": "Rot Hund?",
        "positive": "A grün Haus",
        "n": 1.5,
        "more": ["red"],
    }
    assert list(first) == ["id", "query", "positive", "n", "more"]
    assert second == {"id": "q2", "query": "\u2028Hund", "positive": 'Hund \\ "rot"\n'}
    other = run(babelboard, work, *arguments, "--query-field", "positive")
    assert json.loads(other.stdout.split("\n")[0])["query"] == "Red dog?"


def test_the_record(babelboard: RunsCommand, work: Path) -> None:
    done = run(
        babelboard, work, *("a.jsonl", "--to", "de", "--to", "es", "--p", "1", "--seed", "4"),
        *("--redraw", "--keep-stop-words", "--out", "b.jsonl", "--json"),
    )  # fmt: skip
    record = json.loads(done.stdout)
    assert record["requested"] == 1
    assert record["tokens"] == 8
    assert record["switched"] == record["covered"] == sum(record["languages"].values()) == 7
    assert record["achieved"] == record["coverage"] == 7 / 8
    assert record["options"] == {
        "seed": 4,
        "level": "word",
        "stop_words": False,
        "redraw": True,
        "language_by": "token",
        "choice": "drawn",
        "capitals": False,
    }
    assert [lexicon["name"] for lexicon in record["lexicons"]] == ["muse/en-de", "muse/en-es"]
    german = load_lexicon(f"muse:{work}", "en", "de")
    assert record["lexicons"][0]["checksum"] == german.checksum


def test_the_command_does_what_the_library_does(babelboard: RunsCommand, work: Path) -> None:
    texts = [f"the red dog {n} green house red dog the house" for n in range(40)]
    content = "".join(json.dumps({"id": f"t{n}", "query": t}) + "\n" for n, t in enumerate(texts))
    (work / "c.jsonl").write_text(content, "utf-8")
    arguments = ("--to", "de,es", "--p", "0.6", "--seed", "9", "--query-field", "query")
    done = run(babelboard, work, "c.jsonl", *arguments, "--id-field", "id")
    lexicons = [load_lexicon(f"muse:{work}", "en", code) for code in ("de", "es")]
    switcher = CodeSwitcher(lexicons, SwitchOptions(probability=0.6, seed=9))
    expected = [switcher.switch(f"t{n}", text, "query").text for n, text in enumerate(texts)]
    assert [json.loads(line)["query"] for line in done.stdout.splitlines()] == expected
    # Nor does it matter which lines there are, in which order, or the seed of Python's own hashes.
    lines = content.splitlines(keepends=True)
    (work / "d.jsonl").write_text("".join(lines[:10:-2]), "utf-8")
    some = babelboard(
        "codeswitch", "d.jsonl", *arguments, "--id-field", "id", "--lexicon", "muse:.",
        cwd=work, env={"PYTHONHASHSEED": "77"},
    )  # fmt: skip
    assert len(some.stdout.splitlines()) == 15
    assert set(some.stdout.splitlines()) <= set(done.stdout.splitlines())


def test_two_fields_of_a_side_are_drawn_for_apart(babelboard: RunsCommand, work: Path) -> None:
    text = "red dog " * 20
    (work / "c.tsv").write_text(f"{text}\t{text}\n", "utf-8")
    fields = ("--document-field", "1", "--document-field", "2")
    first, second = run(babelboard, work, "c.tsv", "--to", "de", *fields).stdout.split("\t")
    assert first.strip() != second.strip()


def test_standard_input(work: Path) -> None:
    command = [Path(sys.executable).with_name("babelboard"), "codeswitch", "--to", "fr", "--p", "1"]
    done = subprocess.run(
        command, input=b"From Germany, Monday", capture_output=True, cwd=work, check=True
    )
    assert done.stdout.decode() == "From Allemagne, Lundi"
    assert b"switched 66.7% of 3 words" in done.stderr


def test_options_reach_the_switcher(babelboard: RunsCommand, work: Path) -> None:
    (work / "en-de.txt").write_text("the die\nred\trot\n", "utf-8")
    (work / "pairs.tsv").write_text("the\tdie\nred dog\tRothund\nred\trot\n", "utf-8")
    (work / "c.txt").write_text("the red dog\n", "utf-8")
    for options, expected in {
        ("--level", "word"): "die rot dog\n",
        ("--level", "phrase"): "die Rothund\n",
        ("--level", "entity"): "the Rothund\n",
        ("--keep-stop-words",): "the rot dog\n",
        ("--capitals",): "the red dog\n",
    }.items():
        arguments = ("c.txt", "--to", "de", "--p", "1", *options)
        assert run(babelboard, work, *arguments, lexicon="pairs:pairs.tsv").stdout == expected


def test_rates_of_classes_of_words(babelboard: RunsCommand, work: Path) -> None:
    (work / "c.txt").write_text("the red Dog\n", "utf-8")
    arguments = ("c.txt", "--to", "de", "--p", "1", "--rate", "stop=0", "--rate", "name=0.0")
    done = run(babelboard, work, *arguments, "--out", "b.txt", "--json")
    assert (work / "b.txt").read_text("utf-8") == "the rot Dog\n"
    assert "Asked for 100.0% (name 0.0%, stop 0.0%); switched 33.3% of 3 words" in done.stderr
    record = json.loads(done.stdout)
    assert record["options"]["rates"] == {"name": 0.0, "stop": 0.0}
    assert record["coverage"] == 1.0
    plain = run(babelboard, work, *arguments[:5], "--out", "b.txt", "--json")
    assert "rates" not in json.loads(plain.stdout)["options"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.txt", "--to", "de", "--p", "1.5"), "probability is 1.5; it must be from 0 to 1"),
        (("a.txt", "--to", "de", "--p", "nan"), "it must be from 0 to 1"),
        (("a.txt", "--to", "yo"), "has no lexicon for en-yo. It has: en-de, en-es."),
        (("a.txt", "--to", "de", "--rate", "stop"), "--rate stop: give a class and a number"),
        (("a.txt", "--to", "de", "--rate", "stop=1.5"), "rate of stop is 1.5; it must be from 0"),
        (("a.txt", "--to", "de", "--rate", "noun=1"), "Unknown class of words in --rate: 'noun'"),
        (("a.txt", "--to", "de", "--rate", "stop=1", "--rate", "stop=0"), "names stop twice"),
        (("none.txt", "--to", "de"), "none.txt is not a file"),
        (("a.txt", "--to", "de", "--json"), "give --out FILE"),
        (("a.txt", "--to", "de", "--out", "./a.txt"), "is the file that is read"),
        (("a.txt", "--to", "de", "--query-field", "2"), "A text file has no fields"),
        (("a.tsv", "--to", "de"), "Name the columns of a TSV file"),
        (("a.tsv", "--to", "de", "--query-field", "two"), "'two' is no column"),
        (("a.tsv", "--to", "de", "--query-field", "0"), "'0' is no column"),
        (("a.tsv", "--to", "de", "--query-field", "9"), "a.tsv:1: has 4 columns, and column 9"),
        (("a.tsv", "--to", "de", "--query-field", "2", "--document-field", "2"), "named twice"),
        (("a.tsv", "--to", "de", "--query-field", "2", "--side", "document"), "no field of that"),
        (("a.jsonl", "--to", "de", "--query-field", "question"), "a.jsonl:1: has no field"),
        (("a.jsonl", "--to", "de", "--query-field", "n"), "'n' is not a string"),
        (("a.txt", "--form", "jsonl", "--to", "de"), "a.txt:1: not JSON"),
        (("list.jsonl", "--to", "de"), "list.jsonl:1: not a JSON object"),
        (("half.jsonl", "--to", "de"), "half.jsonl:2: has half of a surrogate pair"),
        (("latin.txt", "--to", "de"), "latin.txt:2: not a text file in UTF-8"),
        (("gzip.txt", "--to", "de"), "zcat FILE | babelboard codeswitch"),
    ],
)
def test_what_is_wrong(
    babelboard: RunsCommand, work: Path, arguments: tuple[str, ...], message: str
) -> None:
    (work / "list.jsonl").write_text("[]\n", "utf-8")
    (work / "half.jsonl").write_text(
        '{"query": "red", "positive": "red"}\n{"query": "\\ud800 red", "positive": "red"}\n',
        "utf-8",
    )
    (work / "latin.txt").write_bytes("red\ngrün\n".encode("latin-1"))
    (work / "gzip.txt").write_bytes(b"\x1f\x8b\x08\x00 some")
    (work / "b.out").write_text("kept", "utf-8")
    out = () if "--json" in arguments or "--out" in arguments else ("--out", "b.out")
    done = run(babelboard, work, *arguments, *out)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert (work / "b.out").read_text("utf-8") == "kept"
    assert not [path for path in work.iterdir() if path.name.startswith(".")]


def test_memory_is_flat(work: Path) -> None:
    # 20 MB of text of many different words: reading it whole would show.
    with (work / "large.txt").open("w", encoding="utf-8") as file:
        for number in range(100_000):
            words = " ".join(f"w{number * 1_000_003 + n}" for n in range(15))
            file.write(f"{number} the red dog {words}\n")
    size = (work / "large.txt").stat().st_size
    assert size > 20e6
    code = (
        "import resource, sys\n"
        "from harness.cli.app import main\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "import submissions.cli.codeswitch\n"
        "before = peak()\n"
        "sys.argv[0] = 'babelboard'\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "print(peak() - before, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", code, "codeswitch", "large.txt", "--to", "de", "--p", "1"]
    done = subprocess.run(
        [*command, "--lexicon", "muse:.", "--out", "out.txt"],
        cwd=work,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert (work / "out.txt").stat().st_size > 20e6
    assert int(done.stderr.splitlines()[-1]) < 6e6
