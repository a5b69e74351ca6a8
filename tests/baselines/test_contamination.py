"""Contamination: which test texts training texts share, found as the slow and obvious way does."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from submissions.baselines.contamination import check_contamination, tasks_at_hand
from submissions.baselines.folded_text import script_of, units
from submissions.baselines.overlap_index import WINDOWS, OverlapIndex
from submissions.baselines.training_texts import TextForm, form_of, read_texts
from tasks.errors import DataFileError, UnknownNameError, UsageError
from tests.irds_homes import miracl_home

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from submissions.baselines.contamination_report import ContaminationReport

LONG = " ".join(f"w{n}" for n in range(30))


def counts(report: ContaminationReport, role: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Texts that are the same and that overlap, by task and language, where there are any."""
    return {
        (one.task, one.language): (one.same, one.overlapping)
        for one in report.compared
        if one.role == role and one.shared
    }


# ---- units -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Who won  Super-Bowl XLIX?", ["who", "won", "super", "bowl", "xlix"]),
        ("ＦＵＬＬ ﬁne Straße", ["full", "fine", "strasse"]),
        ("co\u00adoperate\u200b zero", ["cooperate", "zero"]),
        ("naïve nai\u0308ve naive", ["naïve", "naïve", "naive"]),
        ("हिन्दी भाषा।", ["हिन्दी", "भाषा"]),
        ("IBM公司在1911年", ["ibm", "公", "司", "在", "1911", "年"]),
        ("ทีม1", ["ท", "ี", "ม", "1"]),
        ("?! …", []),
    ],
)
def test_units(text: str, expected: list[str]) -> None:
    assert units(text) == expected


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert units(" ".join(units(text))) == units(text)


@pytest.mark.parametrize(
    ("unit", "script"),
    [("公", "east"), ("カ", "east"), ("ท", "south-east"), ("ខ", "south-east"), ("a", "word")],
)
def test_scripts_without_spaces(unit: str, script: str) -> None:
    assert script_of(unit) == script


# ---- overlaps --------------------------------------------------------------------------------


def overlap(known: Sequence[str], other: Sequence[str]) -> bool:
    """By definition: a run of the known text stands in the other."""
    scripts = [script_of(unit) for unit in known]
    window = WINDOWS[max(WINDOWS, key=scripts.count)]
    if len(known) < window.short:
        return False
    size = min(len(known), window.long)
    runs = {tuple(known[i : i + size]) for i in range(len(known) - size + 1)}
    return any(tuple(other[i : i + size]) in runs for i in range(len(other) - size + 1))


def found(known: Sequence[Sequence[str]], others: Sequence[Sequence[str]]) -> set[tuple[int, int]]:
    pairs, done = set(), 0
    taken = 0

    def taking() -> Iterator[Sequence[str]]:
        nonlocal taken
        for other in others:
            taken += 1
            yield other

    for batch in OverlapIndex(known).overlaps(taking()):
        pairs |= {(done + number, text) for number, text in batch}
        done = taken
    return pairs


WORDS = st.lists(st.sampled_from(["a", "b"]), max_size=20)
EAST = st.lists(st.sampled_from("公司"), max_size=40)
SOUTH_EAST = st.lists(st.sampled_from("กข"), max_size=100)


@st.composite
def texts_with_runs_in_common(draw: st.DrawFn) -> tuple[list[list[str]], list[list[str]]]:
    known = draw(st.lists(WORDS | EAST | SOUTH_EAST, min_size=1, max_size=6))
    others = []
    for _ in range(draw(st.integers(1, 4))):
        other: list[str] = []
        for _ in range(draw(st.integers(0, 3))):
            source = draw(st.sampled_from(known))
            first = draw(st.integers(0, len(source)))
            last = draw(st.integers(first, len(source)))
            other += source[first:last] + draw(st.lists(st.sampled_from(["a", "new", "公"])))
        others.append(other)
    return known, others


@settings(max_examples=300)
@given(texts_with_runs_in_common())
def test_overlaps_are_those_of_the_definition(
    texts: tuple[list[list[str]], list[list[str]]],
) -> None:
    known, others = texts
    expected = {
        (number, index)
        for number, other in enumerate(others)
        for index, one in enumerate(known)
        if overlap(one, other)
    }
    assert found(known, others) == expected


def test_a_run_over_the_end_of_a_text_is_none() -> None:
    words = LONG.split()[:8]
    assert found([words], [words[:4], words[4:], ["x", *words, "y"]]) == {(2, 0)}


def test_batches_do_not_change_what_is_found() -> None:
    filler = ["other"] * 50_000
    known = [["known"] * 150_000, *(LONG.split()[i : i + 13] for i in range(10))]
    others = [known[1], filler, filler, known[4], filler, [*filler, *known[10]], known[6]]
    assert found(known, others) == {(0, 1), (3, 4), (5, 10), (6, 6)}


# ---- reports ---------------------------------------------------------------------------------


def test_questions_and_passages_are_told_apart(own_task: Path) -> None:
    texts = [
        ("1", "which THING looks -- green"),
        ("2", "Gras wirkt grün"),
        ("3", "Which thing looks red?"),
        ("4", "grass looks green"),
        ("5", "Grass looks green!"),
    ]
    report = check_contamination(texts, [str(own_task)])
    assert counts(report, "question") == {("own", "en"): (1, 0)}
    assert counts(report, "passage") == {("own", "de"): (1, 0), ("own", "en"): (1, 0)}
    assert report.leaks
    assert report.training_texts == 5
    assert report.training_counts == {"question": 1, "passage": 3}
    assert report.training_ids == {"question": ("1",), "passage": ("2", "4", "5")}
    assert [(one.role, one.id, one.training_id) for one in report.shared] == [
        ("question", "q0", "1"),
        ("passage", "de_0_0", "2"),
        ("passage", "en_0_0", "4"),
    ]
    assert "own en 1 of 2" in report.refusal()
    assert "'Which thing looks green?'" in report.refusal()
    assert report.summary() == {"leaks": True, "questions": {"own": 1}, "passages": {"own": 2}}


def test_passages_alone_are_no_leak(own_task: Path) -> None:
    report = check_contamination([("1", "Snow looks white.")], [str(own_task)])
    assert not report.leaks
    assert report.count("passage") == 1


def test_without_training_texts_nothing_is_shared(own_task: Path) -> None:
    report = check_contamination([], [str(own_task)])
    assert (report.training_texts, report.leaks, report.shared) == (0, False, ())
    assert [one.texts for one in report.compared] == [2, 2, 2, 2]


def test_texts_without_words_are_not_the_same(own_task: Path) -> None:
    for path in own_task.parent.glob("texts/*.json"):
        path.write_text(path.read_text("utf-8").replace("Which thing looks green?", "?!"), "utf-8")
    report = check_contamination([("1", "..."), ("2", "")], [str(own_task)])
    assert report.shared == ()


def test_the_order_of_training_texts_changes_the_examples_alone() -> None:
    texts = [("a", LONG), ("b", "In which mountains does the Amazon begin"), ("c", LONG)]
    reports = [check_contamination(each, ["pocket"]) for each in (texts, texts[::-1])]
    assert reports[0].compared == reports[1].compared
    assert reports[0].count("question") == 1


def test_large_tasks_are_compared_by_their_relevant_passages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ir_datasets", reason="needs the extra 'score'")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("IR_DATASETS_HOME", str(tmp_path / "home"))
    task = miracl_home(tmp_path)
    texts = [("1", "Mji mkuu wa Kenya ni upi?"), ("2", "Mombasa Mombasa ni bandari kubwa.")]
    texts.append(("3", "Nairobi Mji huo una wakazi wengi."))  # judged, and not relevant
    report = check_contamination(texts, [str(task)])
    assert counts(report, "question") == {("tiny-miracl", "sw"): (1, 0)}
    assert counts(report, "passage") == {("tiny-miracl", "sw"): (1, 0)}
    assert report.relevant_only == ("tiny-miracl",)
    sizes = {one.language: one.texts for one in report.compared if one.role == "passage"}
    assert sizes == {"hi": 1, "sw": 2, "yo": 1}


def test_unknown_tasks_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="pocket"):
        check_contamination([], ["poket"])
    with pytest.raises(UsageError, match="at least one task"):
        check_contamination([], [])


def test_memory_does_not_grow_with_the_training_texts() -> None:
    def peak(number: int) -> int:
        texts = ((str(n), f"text {n} has words {n * 7} of its own {n * 11}") for n in range(number))
        tracemalloc.start()
        assert check_contamination(texts, ["pocket"]).training_texts == number
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)  # fills what is kept once
    few, many = peak(30_000), peak(60_000)  # 3 batches and 5
    assert many < few + 2_000_000


# ---- real data -------------------------------------------------------------------------------


def squad_train(data: Path) -> Iterator[tuple[str, str]]:
    for line in (data / "train" / "squad.en.jsonl").read_text("utf-8").splitlines():
        pair = json.loads(line)
        yield pair["id"], pair["query"]
        yield pair["id"], pair["positive"]


def test_squad_train_shares_two_sentences_with_mlqa_r_and_no_question(data: Path) -> None:
    report = check_contamination(squad_train(data), tasks_at_hand(data), data)
    assert {one.task for one in report.compared} == {"mlqa-r", "pocket", "xquad-r"}
    assert counts(report, "question") == {}
    same = {(one.id, one.training_id) for one in report.shared if one.match == "same"}
    assert same == {("en_349_2", "squad-train-62669"), ("en_351_13", "squad-train-62612")}
    overlapping = {one.id for one in report.shared if one.match == "overlap"}
    assert overlapping == {"en_183_1", "en_642_4", "en_853_1"}


def test_training_on_squad_dev_is_caught(data: Path) -> None:
    content = json.loads((data / "xquad-r" / "en.json").read_text("utf-8"))
    questions = [
        (asked["id"], asked["question"])
        for article in content["data"]
        for paragraph in article["paragraphs"]
        for asked in paragraph["qas"]
    ]
    report = check_contamination(questions, ["xquad-r"], data)
    assert report.leaks
    # Three questions of the Greek file are in English.
    assert counts(report, "question") == {("xquad-r", "el"): (3, 0), ("xquad-r", "en"): (1190, 0)}
    assert "xquad-r en 1,190 of 1,190" in report.refusal()


def test_tokenised_and_lower_cased_questions_are_caught_too(data: Path) -> None:
    # As the Penn Treebank tokenises, and within a longer text. The last question has 7 words: too
    # few to be looked for there.
    texts = [
        ("1", "when was warsaw 's first stock exchange established ?"),
        ("2", "Question : how many career sacks did jared allen have ? Answer : 136"),
        ("3", "问：在评估图灵机解决任何给定问题集的能力时，最关键的资源是什么？答："),
        ("4", "คำถาม ผลงานที่เป็นที่รู้จักมากที่สุดของลูเทอร์เผยแพร่เมื่อใด?"),
        ("5", "Question: What was Warsaw's population in 1901?"),
    ]
    report = check_contamination(texts, ["xquad-r"], data)
    expected = {"en": (1, 1), "zh": (0, 1), "th": (0, 1)}
    assert counts(report, "question") == {("xquad-r", code): n for code, n in expected.items()}


# ---- files -----------------------------------------------------------------------------------


def read(path: Path, form: TextForm | None = None, *fields: str) -> list[tuple[str, str]]:
    return list(read_texts(path, form or form_of(path), fields, lambda _: None))


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.jsonl", "jsonl"),
        ("a.JSONL.gz", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.tsv", "tsv"),
        ("dev-v1.1.json", "squad"),
        ("a.en", "text"),
        ("a", "text"),
    ],
)
def test_the_form_is_told_by_the_name(tmp_path: Path, name: str, form: str) -> None:
    assert form_of(tmp_path / name) == form


def test_forms(tmp_path: Path) -> None:
    text = written(tmp_path / "a.txt", "\ufeffone\r\n\ntwo")
    assert read(text) == [("line 1", "one"), ("line 3", "two")]
    table = written(tmp_path / "a.tsv", "1\tq\tp\n2\tr\ts\n")
    assert read(table)[:3] == [("line 1", "1"), ("line 1", "q"), ("line 1", "p")]
    assert read(table, None, "3", "2")[2:] == [("line 2", "s"), ("line 2", "r")]
    record = {"id": 7, "query": "q", "negatives": ["m", {"text": "n"}], "score": 0.5}
    lines = json.dumps(record) + "\n" + json.dumps({"query": "r"}) + "\n"
    objects = written(tmp_path / "a.jsonl", lines)
    assert read(objects) == [("7", "q"), ("7", "m"), ("7", "n"), ("line 2", "r")]
    assert read(objects, None, "query") == [("7", "q"), ("line 2", "r")]
    packed = written(tmp_path / "a.jsonl.gz", gzip.compress(lines.encode()))
    assert read(packed) == read(objects)
    paragraph = {"context": "C", "qas": [{"id": "x", "question": "Q", "is_impossible": True}]}
    squad = {"data": [{"title": "T", "paragraphs": [paragraph]}]}
    assert read(written(tmp_path / "a.json", json.dumps(squad))) == [
        ("T, paragraph 1", "C"),
        ("x", "Q"),
    ]


def test_all_bytes_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "one\ntwo\n\nthree")
    told: list[int] = []
    list(read_texts(path, TextForm.text, (), told.append))
    assert sum(told) == path.stat().st_size


# Without a time of day: the bytes name a test, and each worker must collect the same names.
CUT_GZIP = gzip.compress(b"a\n" * 5000, mtime=0)[:-9]


@pytest.mark.parametrize(
    ("name", "content", "fields", "message"),
    [
        ("a.jsonl", b'{"a": "b"}\n{"a": \n', [], r"a\.jsonl:2: not JSON"),
        ("a.jsonl", b"[1]\n", [], r"a\.jsonl:1: not a JSON object"),
        ("a.jsonl", b'{"q": "b"}\n', ["query"], r"a\.jsonl:1: has no field 'query'. It has: q"),
        ("a.jsonl", b'{"q": 3}\n', ["q"], r"a\.jsonl:1: the field 'q' holds no text"),
        ("a.tsv", b"a\tb\nc\n", ["2"], r"a\.tsv:2: has 1 columns, and column 2"),
        ("a.txt", b"a\n\xff\n", [], r"a\.txt:2: not a text file in UTF-8"),
        pytest.param("a.gz", CUT_GZIP, [], r"a\.gz:\d+: the gzip file is cut short", id="cut-gzip"),
        ("a.json", b'{"data": [{"paragraphs": [{"qas": []}]}]}', [], "data.0.paragraphs.0.context"),
        ("a.json", b"[]", [], "name another with --form"),
    ],
)
def test_bad_files(
    tmp_path: Path, name: str, content: bytes, fields: list[str], message: str
) -> None:
    with pytest.raises(DataFileError, match=message):
        read(written(tmp_path / name, content), None, *fields)


def test_fields_that_a_form_lacks(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="read as text, which has no fields"):
        read(written(tmp_path / "a.txt", "a"), None, "query")
    with pytest.raises(UsageError, match="'query' is no column of a TSV file"):
        read(written(tmp_path / "a.tsv", "a"), None, "query")


# ---- the command -----------------------------------------------------------------------------


def test_the_command_fails_if_questions_are_shared(
    babelboard, own_task: Path, tmp_path: Path
) -> None:
    rows = [{"id": "t1", "query": "Which thing looks green?", "positive": "Something else."}]
    path = written(tmp_path / "pairs.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    done = babelboard("contamination", path, "--task", own_task)
    assert done.returncode == 1, done.stderr
    assert "A leak: 1 test question shared." in done.stdout
    assert "t1 is own en q0" in done.stdout
    report = json.loads(babelboard("contamination", path, "--task", own_task, "--json").stdout)
    assert report["leaks"] is True
    assert report["training"]["share_a_question"] == {"count": 1, "ids": ["t1"]}
    only = babelboard("contamination", path, "--task", own_task, "--field", "positive")
    assert only.returncode == 0
    assert "Nothing is shared." in only.stdout


def test_the_command_warns_of_passages(babelboard, own_task: Path, tmp_path: Path) -> None:
    first = written(tmp_path / "a.txt", "Nothing\nGrass looks green.\n")
    second = written(tmp_path / "b.tsv", "Schnee wirkt weiß.\tx\n")
    done = babelboard("contamination", first, second, "--task", own_task)
    assert done.returncode == 0, done.stderr
    assert "No test question is shared, 2 passages" in done.stdout
    assert "a.txt: line 2 is own en en_0_0" in done.stdout
    assert "b.tsv: line 1 is own de de_0_1" in done.stdout


def test_the_command_says_what_it_did_not_compare(babelboard, tmp_path: Path) -> None:
    done = babelboard("contamination", written(tmp_path / "a.txt", "Nothing\n"))
    assert done.returncode == 0, done.stderr
    assert "compared with pocket." in done.stdout
    assert "Not compared: miracl, mlqa-r, mmarco," in done.stdout


def test_bad_input_of_the_command(babelboard, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"a": "b"}\n')
    for arguments, message in (
        ((tmp_path / "none.txt",), "There is no file"),
        ((path, "--field", "query"), "has no field 'query'"),
        ((path, "--task", "poket"), "Did you mean pocket?"),
    ):
        done = babelboard("contamination", *arguments)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert message in done.stderr
