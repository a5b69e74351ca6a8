"""MIRACL from a home of ir_datasets: a tiny one made here, and the real questions of dev."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import socket

import numpy as np
import pytest
import requests
from irds_homes import (
    MIRACL_JUDGMENTS,
    MIRACL_PASSAGES,
    MIRACL_QUERIES,
    MIRACL_TASK,
    json_lines,
    miracl_home,
    write_gzip,
)

from tasks.arrow_strings import ArrowStrings
from tasks.definition import load_definition
from tasks.errors import DataFileError, UnknownNameError
from tasks.sources import irds, miracl
from tasks.task import load_task, questions_asked

pytest.importorskip("ir_datasets", reason="needs the extra 'score'")

LISTED_SW_CORPUS = "afdb146539d0f488f14c2833e14df799"
"""MD5 of the Swahili passages, as ir_datasets lists it."""


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """A cache and a home of its own, and no network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("IR_DATASETS_HOME", str(tmp_path / "named-home"))

    def refused(*_, **__):
        pytest.fail("a test reached for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.fixture
def task_file(tmp_path):
    return miracl_home(tmp_path)


@pytest.fixture
def home(task_file):
    return task_file.parent / "home" / "miracl" / "v1.0"


def md5_of(path):
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def described(task_file, old, new):
    """The task file with a part of it replaced."""
    text = task_file.read_text(encoding="utf-8")
    assert old in text
    task_file.write_text(text.replace(old, new), encoding="utf-8")
    return str(task_file)


# ---- what is loaded ----------------------------------------------------------------------------


def test_queries_passages_and_judgments(task_file):
    task = load_task(str(task_file))
    collection = task.collection
    assert task.candidates is None
    assert task.draw is None
    assert collection.questions == ("hi_6", "sw_12", "sw_6", "yo_1")
    for code, parts in MIRACL_PASSAGES.items():
        corpus, queries = collection.corpora[code], collection.queries[code]
        passages = [passage for part in parts for passage in part]
        assert tuple(corpus.ids) == tuple(f"{code}_{name}" for name, _, _ in passages)
        # A passage without a title has no space before it.
        assert tuple(corpus.texts) == tuple(f"{t} {x}" if t else x for _, t, x in passages)
        named = [collection.questions[number] for number in queries.question]
        assert list(zip(named, queries.texts, strict=True)) == [
            (f"{code}_{name}", text) for name, text in MIRACL_QUERIES[code]
        ]
        judged = collection.judgments[code]
        found = [
            (collection.questions[q], corpus.ids[int(d)], int(grade))
            for q, d, grade in zip(judged.question, judged.document, judged.relevance, strict=True)
        ]
        assert len(found) == len(MIRACL_JUDGMENTS[code])
        assert set(found) == {
            (f"{code}_{q}", f"{code}_{d}", g) for q, d, g in MIRACL_JUDGMENTS[code]
        }
        assert (np.diff(judged.question) >= 0).all()


def test_questions_of_each_setting(task_file):
    task = load_task(str(task_file))
    assert questions_asked(task) == {
        "moir/hi-hi": 1,
        "moir/sw-sw": 2,
        "moir/yo-yo": 1,
        "mlir/hi-xx": 1,
        "mlir/sw-xx": 2,
        "mlir/yo-xx": 1,
    }
    assert task.selected == task.settings


def test_a_question_without_a_relevant_passage_is_not_asked(task_file, home):
    path = home / "sw" / "dev" / "qrels.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace("7#0\t1", "7#0\t0"), encoding="utf-8")
    assert questions_asked(load_task(str(task_file)))["moir/sw-sw"] == 1


def test_only_the_languages_that_are_needed_are_read(task_file, home):
    for code in ("hi", "yo"):
        for path in sorted((home / code).rglob("*.*")):
            path.unlink()
    task = load_task(str(task_file), patterns=["moir/sw-*"])
    assert [setting.id for setting in task.selected] == ["moir/sw-sw"]
    assert len(task.settings) == 6
    assert set(task.collection.corpora) == set(task.collection.queries) == {"sw"}
    assert set(task.checksums) == {
        "miracl/v1.0/sw/dev/qrels.tsv",
        "miracl/v1.0/sw/dev/topics.tsv",
        "miracl/v1.0/sw/docs/docs-0.jsonl.gz",
    }
    assert questions_asked(task) == {"moir/sw-sw": 2}


def test_a_pool_needs_every_corpus_and_one_language_of_queries(task_file):
    task = load_task(str(task_file), patterns=["mlir/sw-xx"])
    assert set(task.collection.corpora) == set(task.collection.judgments) == {"hi", "sw", "yo"}
    assert set(task.collection.queries) == {"sw"}
    assert questions_asked(task) == {"mlir/sw-xx": 2}


def test_a_setting_that_the_task_does_not_have(task_file):
    with pytest.raises(UnknownNameError, match=r"Unknown setting: 'moir/sw-hi'\. Did you mean"):
        load_task(str(task_file), patterns=["moir/sw-hi"])


def test_checksums_are_sha256_of_the_files(task_file):
    task = load_task(str(task_file))
    assert len(task.checksums) == 3 + 3 + 4
    assert list(task.checksums) == sorted(task.checksums)
    for name, sha256 in task.checksums.items():
        content = (task_file.parent / "home" / name).read_bytes()
        assert sha256 == hashlib.sha256(content).hexdigest()


def test_the_home_is_that_of_ir_datasets(task_file, tmp_path):
    (task_file.parent / "home").rename(tmp_path / "named-home")
    task = load_task(described(task_file, 'folder = "home"\n', ""))
    assert len(task.collection.corpora["sw"].ids) == 3


# ---- conversion --------------------------------------------------------------------------------


def test_passages_stay_on_disk_and_are_converted_once(task_file, monkeypatch):
    before = load_task(str(task_file))
    monkeypatch.setattr(miracl, "_passages", lambda *_: pytest.fail("converted again"))
    again = load_task(str(task_file))
    for code in ("hi", "sw", "yo"):
        one, other = before.collection.corpora[code], again.collection.corpora[code]
        assert isinstance(one.ids, ArrowStrings)
        assert isinstance(one.texts, ArrowStrings)
        assert tuple(one.texts) == tuple(other.texts)


def test_a_changed_file_is_converted_again(task_file, home):
    assert load_task(str(task_file)).collection.corpora["yo"].texts[0] == "Èkó Èkó jẹ́ ìlú ńlá."
    changed = [("1#0", "Lagos", "New text."), *MIRACL_PASSAGES["yo"][0][1:]]
    write_gzip(home / "yo" / "docs" / "docs-1.jsonl.gz", json_lines(changed))
    assert load_task(str(task_file)).collection.corpora["yo"].texts[0] == "Lagos New text."


def test_sizes_are_compared_with_what_was_converted_before(task_file):
    load_task(str(task_file))
    name = described(task_file, "yo = { queries = 1, documents = 2", "yo = { documents = 3")
    with pytest.raises(DataFileError, match="passages: found 2, the task says 3"):
        load_task(name)


def test_batches_of_a_conversion_are_small(task_file, home):
    many = [(f"{n}#0", "", f"text {n}") for n in range(25_000)]
    passages = [*MIRACL_PASSAGES["yo"][0], *(p for p in many if p[0] not in ("1#0", "2#0"))]
    write_gzip(home / "yo" / "docs" / "docs-1.jsonl.gz", json_lines(passages))
    name = described(task_file, "yo = { queries = 1, documents = 2", "yo = { documents = 25000")
    texts = load_task(name, patterns=["moir/yo-yo"]).collection.corpora["yo"].texts
    assert [len(chunk) for chunk in texts.array.chunks] == [10_000, 10_000, 5_000]
    assert texts[24_999] == "text 24999"


# ---- bad input ---------------------------------------------------------------------------------


def lines(name, change):
    """Replaces the lines of a text file."""

    def damage(home):
        path = home / name
        content = path.read_text(encoding="utf-8").splitlines()
        path.write_text("".join(f"{line}\n" for line in change(content)), encoding="utf-8")

    return damage


def corpus(*passages, raw=None):
    """Replaces the Swahili passages."""
    text = raw if raw is not None else json_lines(passages)
    return lambda home: write_gzip(home / "sw" / "docs" / "docs-0.jsonl.gz", text)


def cut_short(home):
    path = home / "sw" / "docs" / "docs-0.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-20])


def not_gzip(home):
    (home / "sw" / "docs" / "docs-0.jsonl.gz").write_bytes(b"plain text\n")


def not_utf_8(home):
    (home / "sw" / "dev" / "topics.tsv").write_bytes("6\tWo?\n12\tPréau\n".encode("latin-1"))


GIVEN = MIRACL_PASSAGES["sw"][0]
TOPICS, QRELS = "sw/dev/topics.tsv", "sw/dev/qrels.tsv"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lines(TOPICS, lambda c: [c[0], "12 no tab"]), r"topics\.tsv:2: expected .* 1 column: '12"),
        (lines(TOPICS, lambda c: [*c, "13\ta\tb"]), r"topics\.tsv:3: expected .* found 3 columns"),
        (lines(TOPICS, lambda c: ["\tno id", *c]), r"topics\.tsv:1: expected an id"),
        (lines(TOPICS, lambda c: [c[0], "12\t "]), r"topics\.tsv:2: the text of query '12' is"),
        (lines(TOPICS, lambda c: [*c, c[0]]), r"topics\.tsv:3: query '6' occurs twice"),
        (lines(TOPICS, lambda c: [*c, "13\tx"]), r"topics\.tsv, queries: found 3, the task says 2"),
        (lines(TOPICS, lambda c: ["99\tx", c[1]]), r"qrels\.tsv:1: query '6' is judged and has no"),
        (not_utf_8, r"topics\.tsv:2: expected UTF-8"),
        (lines(QRELS, lambda c: [*c, "6 7#0 1"]), r"qrels\.tsv:5: expected 4 columns .* found 3"),
        (lines(QRELS, lambda c: ["6 Q0 7#0 x", *c]), r"qrels\.tsv:1: a grade is .* found 'x'"),
        (lines(QRELS, lambda c: ["6 Q0 7#0 -1", *c]), r"qrels\.tsv:1: a grade is .* found '-1'"),
        (lines(QRELS, lambda c: ["6 Q0 7#0 0.5", *c]), r"qrels\.tsv:1: a grade is .* found '0.5'"),
        (lines(QRELS, lambda c: [*c, c[1]]), r"qrels\.tsv:5: document '10#1' is judged twice for"),
        (lines(QRELS, lambda c: c[:-1]), r"qrels\.tsv, judgments: found 3, the task says 4"),
        (lines(QRELS, lambda c: [*c[:3], "6 Q0 8#8 1"]), r":4: document '8#8' is judged and is"),
        (corpus(raw=json_lines(GIVEN) + "{\n"), r"docs-0\.jsonl\.gz:4: expected a JSON object"),
        (corpus(raw=json_lines(GIVEN[:1]) + '{"docid": "1#1"}\n'), r"gz:2: .* KeyError: 'title'"),
        (corpus(raw="[1]\n"), r"gz:1: expected a JSON object"),
        (corpus(raw='{"docid": 1, "title": "", "text": "x"}'), r"gz:1: .* must be strings"),
        (corpus(*GIVEN[:2], ("7#0", "Title", " ")), r"gz:3: the text of '7#0' is empty"),
        (corpus(*GIVEN[:2], ("7 0", "", "x")), r"gz:3: a docid is a word .* found '7 0'"),
        (corpus(*GIVEN[:2], ("", "", "x")), r"gz:3: a docid is a word .* found ''"),
        (
            corpus(raw=json_lines(GIVEN[:2]) + '{"docid":"7#0","title":"","text":"\\ud800"}'),
            r"gz:3: half a surrogate pair",
        ),
        (corpus(*GIVEN[:2]), r"docs, passages: found 2, the task says 3"),
        (corpus(*GIVEN[:2], GIVEN[0]), r"docs: the passage '10#0' occurs twice"),
        (cut_short, r"gz:\d: the compressed file is damaged or cut short"),
        (not_gzip, r"gz:0: the compressed file is damaged"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_refused_with_its_place(task_file, home, damage, message):
    damage(home)
    with pytest.raises(DataFileError) as caught:
        load_task(str(task_file), patterns=["moir/sw-sw"])
    assert re.search(message, str(caught.value)), str(caught.value)
    assert str(home / "sw") in str(caught.value)
    # Nothing of a refused corpus is kept.
    with pytest.raises(DataFileError):
        load_task(str(task_file), patterns=["moir/sw-sw"])


def test_white_space_around_lines(task_file, home):
    # As ir_datasets reads them: empty lines are skipped, a line may end as in Windows.
    path = home / "sw" / "dev" / "topics.tsv"
    path.write_bytes(b"6\tWapi?\r\n\n12\t Nini? \n\n")
    texts = load_task(str(task_file), patterns=["moir/sw-sw"]).collection.queries["sw"].texts
    assert texts == ("Wapi?", " Nini? ")


# ---- checksums and fetching --------------------------------------------------------------------


def test_a_file_that_is_not_the_published_one(task_file, home):
    path = home / "sw" / "dev" / "topics.tsv"
    with pytest.raises(DataFileError) as caught:
        load_task(described(task_file, 'md5 = "unchecked"\n', ""), patterns=["moir/sw-sw"])
    message = str(caught.value)
    assert message.startswith(f"{path} is not the file that task 'tiny-miracl' expects.")
    assert "expected md5 5ffbaf70e2a5868780ee6fc09fe08944" in message
    found = md5_of(path)
    assert f"found md5    {found}" in message
    assert "/topics.miracl-v1.0-sw-dev.tsv" in message


def test_checksums_that_the_task_file_gives(task_file, home):
    names = ("sw/dev/topics.tsv", "sw/dev/qrels.tsv", "sw/docs/docs-0.jsonl.gz")
    sums = {f"miracl/v1.0/{name}": md5_of(home / name) for name in names}
    table = ", ".join(f'"{name}" = "{md5}"' for name, md5 in sums.items())
    name = described(task_file, 'md5 = "unchecked"', f"md5 = {{ {table} }}")
    assert len(load_task(name, patterns=["moir/sw-sw"]).collection.questions) == 2
    with pytest.raises(DataFileError, match=r"hi/dev/topics\.tsv is not the file"):
        load_task(name, patterns=["moir/hi-hi"])
    with (home / "sw" / "docs" / "docs-0.jsonl.gz").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(DataFileError, match=r"docs-0\.jsonl\.gz is not the file"):
        load_task(name, patterns=["moir/sw-sw"])


def test_a_missing_file_offline(task_file, home, monkeypatch):
    asked = []

    def no_network(**arguments):
        asked.append(arguments["url"])
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(requests, "get", no_network)
    path = home / "yo" / "docs" / "docs-1.jsonl.gz"
    path.unlink()
    with pytest.raises(DataFileError) as caught:
        load_task(str(task_file), patterns=["moir/yo-yo"])
    message = str(caught.value)
    address = set(asked).pop()
    assert address.startswith("https://")
    assert f"Task 'tiny-miracl' lacks {path}, and fetching it failed: no network" in message
    assert f"Get it from {address}\nand put it there" in message
    assert "$IR_DATASETS_HOME" in message
    assert not path.exists()


def test_ir_datasets_fetches_what_is_missing(task_file, home, monkeypatch):
    path = home / "sw" / "docs" / "docs-0.jsonl.gz"
    content = path.read_bytes()
    path.unlink()

    class Answer:
        status_code = 200
        headers = {"content-length": str(len(content))}  # noqa: RUF012

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def iter_content(self, chunk_size):
            yield from (content[i : i + chunk_size] for i in range(0, len(content), chunk_size))

    monkeypatch.setattr(requests, "get", lambda **_: Answer())
    # Fetched files are compared with the checksum on the way.
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    good, bad = (
        f'md5 = {{ "miracl/v1.0/sw/dev/topics.tsv" = "unchecked", "miracl/v1.0/sw/dev/qrels.tsv"'
        f' = "unchecked", "miracl/v1.0/sw/docs/docs-0.jsonl.gz" = "{one}" }}'
        for one in (md5, "0" * 32)
    )
    name = described(task_file, 'md5 = "unchecked"', bad)
    with pytest.raises(DataFileError, match=f"fetching it failed: .*{md5}"):
        load_task(name, patterns=["moir/sw-sw"])
    assert not path.exists()
    name = described(task_file, bad, good)
    assert len(load_task(name, patterns=["moir/sw-sw"]).collection.corpora["sw"].ids) == 3
    assert path.read_bytes() == content


def test_a_copy_among_the_downloads_of_ir_datasets_is_taken(task_file, home):
    path = home / "sw" / "docs" / "docs-0.jsonl.gz"
    downloads = home.parents[1] / "downloads"
    downloads.mkdir()
    path.rename(downloads / LISTED_SW_CORPUS)
    task = load_task(str(task_file), patterns=["moir/sw-sw"])
    assert task.collection.corpora["sw"].ids[0] == "sw_10#0"
    assert path.is_file()


def test_published_passages_are_taken_as_they_are(task_file, home, monkeypatch):
    # The real files cannot be made here: what ir_datasets lists is replaced.
    passages = [*GIVEN[:2], ("7#0", "", "")]
    path = home / "sw" / "docs" / "docs-0.jsonl.gz"
    write_gzip(path, json_lines(passages))
    with pytest.raises(DataFileError, match="the text of '7#0' is empty"):
        load_task(str(task_file), patterns=["moir/sw-sw"])
    everything = json.loads(json.dumps(irds._downloads()))
    everything["miracl"]["v1.0/sw/corpus/0"]["expected_md5"] = md5_of(path)
    monkeypatch.setattr(irds, "_downloads", lambda: everything)
    names = ("miracl/v1.0/sw/dev/topics.tsv", "miracl/v1.0/sw/dev/qrels.tsv")
    unchecked = ", ".join(f'"{name}" = "unchecked"' for name in names)
    name = described(task_file, 'md5 = "unchecked"', f"md5 = {{ {unchecked} }}")
    texts = load_task(name, patterns=["moir/sw-sw"]).collection.corpora["sw"].texts
    assert texts[2] == ""


# ---- the real questions ------------------------------------------------------------------------


def test_real_questions_and_judgments(tmp_path, data):
    """The published files of dev, whose checksums are those that ir_datasets lists.

    The passages are made up: those that are judged, in their languages.
    """
    definition = load_definition("miracl")[0]
    sizes, unchecked = [], []
    for code in definition.languages:
        place = tmp_path / "home" / "miracl" / "v1.0" / code
        (place / "dev").mkdir(parents=True)
        (place / "docs").mkdir()
        for part in ("topics", "qrels"):
            (place / "dev" / f"{part}.tsv").symlink_to(data / "miracl" / f"{part}.{code}.dev.tsv")
        rows = (data / "miracl" / f"qrels.{code}.dev.tsv").read_text(encoding="utf-8").splitlines()
        names = sorted({row.split()[2] for row in rows})
        for number, file in enumerate(miracl.corpus_files(definition, code)):
            part = [(name, "Title", name) for name in (names if number == 0 else [])]
            write_gzip(tmp_path / "home" / file.name, json_lines(part))
            unchecked.append(f'"{file.name}" = "unchecked"')
        size = definition.sizes[code]
        sizes.append(
            f"{code} = {{ queries = {size.queries}, documents = {len(names)}, "
            f"judgments = {size.judgments} }}\n"
        )
    text = MIRACL_TASK.partition("[sizes]")[0].replace(
        '"unchecked"', f"{{ {', '.join(unchecked)} }}"
    )
    (tmp_path / "real.toml").write_text(f"{text}[sizes]\n{''.join(sizes)}", encoding="utf-8")
    task = load_task(str(tmp_path / "real.toml"))
    queries = {code: len(q.texts) for code, q in task.collection.queries.items()}
    judged = {code: len(j.question) for code, j in task.collection.judgments.items()}
    assert sum(queries.values()) == len(task.collection.questions) == 13_495
    # Counted by the authors, in the 16 languages that are no surprise.
    known = [code for code in queries if code not in ("de", "yo")]
    assert sum(queries[code] for code in known) == 13_071
    assert sum(judged[code] for code in known) == 126_076
    assert (queries["ar"], queries["en"], queries["es"]) == (2896, 799, 648)
    asked = questions_asked(task)
    assert all(
        asked[f"moir/{code}-{code}"] == asked[f"mlir/{code}-xx"] == n for code, n in queries.items()
    )


# ---- the command line --------------------------------------------------------------------------


def printed(done):
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_list_knows_sizes_without_the_data(babelboard, tmp_path):
    env = {"IR_DATASETS_HOME": str(tmp_path / "nowhere")}
    rows = {
        line.split()[0]: line for line in printed(babelboard("tasks", env=env)).splitlines() if line
    }
    assert re.search(r"miracl +18 +36 +13,495 +106,332,152 .*to fetch$", rows["miracl"].rstrip())
    assert not (tmp_path / "nowhere").exists()


def test_details_without_the_data(babelboard, tmp_path):
    env = {"IR_DATASETS_HOME": str(tmp_path / "nowhere")}
    text = printed(babelboard("tasks", "miracl", env=env))
    assert "MoIR        18 settings such as moir/zh-zh, 119 to 2,896 questions each" in text
    assert "Judgments are of passages in the language of the query only." in text
    assert (
        f"fetched when needed into {tmp_path / 'nowhere'}, or name a folder: $IR_DATASETS_H" in text
    )
    assert re.search(r"German +de +305 +15,866,222", text)
    content = json.loads(printed(babelboard("tasks", "miracl", "--json", env=env)))
    assert content["languages"]["yo"] == {"queries": 119, "documents": 49_043}
    asked = {setting["id"]: setting["n"] for setting in content["settings"]}
    assert asked["moir/sw-sw"] == asked["mlir/sw-xx"] == 482
    assert len(asked) == 36
    assert content["protocol"] == "full"
    assert "query" in content["note"]


def test_details_say_which_files_are_missing(babelboard, task_file, home):
    assert f"Files      {home.parents[1]}\n" in printed(babelboard("tasks", task_file))
    (home / "hi" / "docs" / "docs-1.jsonl.gz").unlink()
    text = printed(babelboard("tasks", task_file))
    missing = "miracl/v1.0/hi/docs/docs-1.jsonl.gz"
    assert f"9 of 10 in {home.parents[1]}; the first that is missing is {missing}\n" in text


def test_a_missing_corpus_stops_the_command_with_exit_code_2(
    babelboard_apart, task_file, home, closed
):
    (home / "sw" / "docs" / "docs-0.jsonl.gz").unlink()
    some = ("--task", task_file, "--settings", "moir/sw-sw")
    done = babelboard_apart("score", "bm25", *some, env=closed)
    assert done.returncode == 2
    assert done.stdout == ""
    assert (
        f"babelboard: Task 'tiny-miracl' lacks {home / 'sw' / 'docs' / 'docs-0.jsonl.gz'}"
        in done.stderr
    )
    assert "Traceback" not in done.stderr


@pytest.fixture
def closed():
    """Settings under which nothing can be fetched: a proxy at a port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{taken.getsockname()[1]}"
        yield {"HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "", "no_proxy": ""}


def test_a_compressed_member_of_several_parts_is_read_whole(task_file, home):
    # gzip files may be joined.
    path = home / "sw" / "docs" / "docs-0.jsonl.gz"
    parts = [gzip.compress(json_lines([passage]).encode()) for passage in GIVEN]
    path.write_bytes(b"".join(parts))
    assert len(load_task(str(task_file), patterns=["moir/sw-sw"]).collection.corpora["sw"].ids) == 3
