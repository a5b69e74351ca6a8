"""mMARCO from a tiny home of ir_datasets: whole corpora, candidates for reranking, and draws."""

from __future__ import annotations

import io
import random
import re
import socket
from collections import Counter
from contextlib import contextmanager
from hashlib import blake2b

import numpy as np
import pytest
import requests
from irds_homes import (
    CANDIDATES,
    JUDGED,
    MMARCO_NAMES,
    NEEDED,
    PASSAGES,
    QUERIES,
    RERANK_TASK,
    mmarco_home,
    mmarco_texts,
    passage_text,
    write_archive,
)

from tasks.arrow_strings import ArrowStrings
from tasks.collection import document_language
from tasks.draws import PAPER_ORDER, hashed_draw, paper_draw
from tasks.errors import DataFileError
from tasks.sources import msmarco, parallel_passages
from tasks.sources.text_source import TextSource
from tasks.task import load_task, questions_asked

pytest.importorskip("ir_datasets", reason="needs the extra 'score'")

LANGUAGES = ("ar", "de", "en", "nl")
ARCHIVE = "msmarco-passage/collectionandqueries.tar.gz"
TOP_1000 = "downloads/8c140662bdf123a98fbfe3bb174c5831"
"""Where ir_datasets looks for the archive of candidates."""

QUESTIONS = ("200", "30", "4")
"""The judged queries, ascending as strings."""


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """A cache and a home of its own, and no network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("IR_DATASETS_HOME", str(tmp_path / "named-home"))

    def refused(*_, **__):
        pytest.fail("a test reached for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.fixture(params=[True, False], ids=["archives", "unpacked"])
def full(request, tmp_path):
    """The task file of protocol full; MS MARCO as published, or as ir_datasets leaves it."""
    return mmarco_home(tmp_path, archives=request.param)


@pytest.fixture
def task_file(tmp_path):
    return mmarco_home(tmp_path)


@pytest.fixture
def rerank(task_file):
    return task_file.with_name("rerank.toml")


@pytest.fixture
def home(task_file):
    return task_file.parent / "home"


def no_network(**_):
    raise requests.ConnectionError("no network")


def described(task_file, old, new):
    text = task_file.read_text(encoding="utf-8")
    assert old in text
    task_file.write_text(text.replace(old, new), encoding="utf-8")
    return str(task_file)


def judged_by_id(task, language):
    judged = task.collection.judgments[language]
    assert (np.diff(judged.question) >= 0).all()
    ids = task.collection.corpora[language].ids
    return {
        (task.collection.questions[q], ids[int(d)], int(grade))
        for q, d, grade in zip(judged.question, judged.document, judged.relevance, strict=True)
    }


# ---- the protocol full -------------------------------------------------------------------------


def test_whole_corpora_and_parallel_questions(full):
    task = load_task(str(full))
    collection = task.collection
    assert task.candidates is None
    assert task.draw is None
    assert collection.questions == QUESTIONS
    assert set(collection.queries) == set(collection.corpora) == set(LANGUAGES)
    for code in LANGUAGES:
        queries, corpus = collection.queries[code], collection.corpora[code]
        assert queries.question.tolist() == [0, 1, 2]
        assert queries.texts == tuple(f"{code} question {name}" for name in QUESTIONS)
        assert isinstance(corpus.texts, ArrowStrings)
        assert tuple(corpus.ids) == tuple(f"{code}_{number}" for number in range(PASSAGES))
        assert tuple(corpus.texts) == tuple(passage_text(code, n) for n in range(PASSAGES))
        assert judged_by_id(task, code) == {(q, f"{code}_{d}", 1) for q, d in JUDGED}
    assert set(questions_asked(task).values()) == {3}
    assert len(task.settings) == 16


def test_only_the_files_that_a_setting_needs_are_read(full):
    task = load_task(str(full), patterns=["clir/de-nl"])
    assert set(task.collection.queries) == {"de"}
    assert set(task.collection.corpora) == set(task.collection.judgments) == {"nl"}
    assert set(task.checksums) == {
        "mmarco/qrels.dev.small.tsv",
        "mmarco/v2/german.queries.dev.tsv",
        "mmarco/v2/dutch_collection.tsv",
    }
    assert questions_asked(task) == {"clir/de-nl": 3}


def test_the_encoding_of_english_passages_is_repaired(home, task_file):
    # As ir_datasets does it: UTF-8 that was taken for Latin-1 and encoded once more.
    collection, queries = mmarco_texts("en")
    broken = collection.replace("passage 3", "un cafÃ© crÃ¨me").replace("passage 4", "naïve")
    write_archive(
        home / ARCHIVE,
        {"collection.tsv": broken, "queries.dev.small.tsv": queries},
    )
    texts = load_task(str(task_file), patterns=["moir/en-en"]).collection.corpora["en"].texts
    assert texts[3:5] == ("un café crème", "naïve")


def test_the_repair_is_that_of_ir_datasets(tmp_path, monkeypatch):
    from ir_datasets.datasets.msmarco_passage import FixEncoding

    generator = random.Random(5)  # noqa: S311
    pieces = ["plain", "cafÃ©", "naïve", "â\x80\x99s", "Â°", "日本", "ÐÐ", "Ã", "a\rb"]
    texts = [" ".join(generator.choices(pieces, [20, *[1] * 8], k=6)) for _ in range(300)]
    content = "".join(f"{number}\t{text}\n" for number, text in enumerate(texts)).encode()
    write_archive(tmp_path / "archive.tar.gz", {"collection.tsv": content})

    class Whole:
        @contextmanager
        def stream(self):
            yield io.BytesIO(content)

    expected = [line.decode().rstrip("\n") for line in FixEncoding(Whole())]
    assert sum(line.isascii() for line in expected) > 50
    assert expected != content.decode().splitlines()
    for most in (1000, 3):
        monkeypatch.setattr(msmarco, "MOST_PLAIN", most)
        source = TextSource(tmp_path / "archive.tar.gz", "collection.tsv")
        assert list(msmarco.passage_lines(source)) == list(enumerate(expected, start=1))


def test_an_unpacked_collection_that_was_not_repaired_is_not_taken(tmp_path, monkeypatch):
    task_file = mmarco_home(tmp_path, archives=False)
    (task_file.parent / "home" / "msmarco-passage" / "irds_version.txt").unlink()

    monkeypatch.setattr(requests, "get", no_network)
    with pytest.raises(DataFileError, match=r"lacks .*collectionandqueries\.tar\.gz"):
        load_task(str(task_file), patterns=["moir/en-en"])
    assert (task_file.parent / "home" / "msmarco-passage" / "collection.tsv").is_file()


def test_passages_in_another_order(home, task_file):
    path = home / "mmarco" / "v2" / "german_collection.tsv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(reversed(lines)), encoding="utf-8")
    task = load_task(str(task_file), patterns=["moir/de-de"])
    assert task.collection.corpora["de"].ids[0] == "de_11"
    assert judged_by_id(task, "de") == {(q, f"de_{d}", 1) for q, d in JUDGED}


# ---- the protocol rerank -----------------------------------------------------------------------


def test_candidates_are_the_same_rows_in_every_language(full):
    task = load_task(str(full.with_name("rerank.toml")))
    candidates = task.candidates
    # Question 200 has none, 30 has three, 4 has two; rows count the needed passages only.
    assert candidates.start.tolist() == [0, 0, 3, 5]
    assert candidates.start.dtype == candidates.document.dtype == np.int64
    assert candidates.document.tolist() == [1, 3, 5, 0, 4]
    for code in LANGUAGES:
        corpus = task.collection.corpora[code]
        assert tuple(corpus.ids) == tuple(f"{code}_{number}" for number in NEEDED)
        assert tuple(corpus.texts) == tuple(passage_text(code, number) for number in NEEDED)
        assert {document_language(name) for name in corpus.ids} == {code}
        found = {
            (QUESTIONS[q], corpus.ids[row])
            for q in range(3)
            for row in candidates.document[candidates.start[q] : candidates.start[q + 1]].tolist()
        }
        assert found == {(q, f"{code}_{p}") for q, p in CANDIDATES}
        # A judged passage is in the corpus though it is no candidate.
        assert judged_by_id(task, code) == {(q, f"{code}_{d}", 1) for q, d in JUDGED}


def test_a_collection_in_another_order_gives_the_same_rows(home, rerank):
    before = load_task(str(rerank), patterns=["moir/de-de"])
    path = home / "mmarco" / "v2" / "german_collection.tsv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    random.Random(1).shuffle(lines)  # noqa: S311
    path.write_text("".join(lines), encoding="utf-8")
    for _ in range(2):
        after = load_task(str(rerank), patterns=["moir/de-de"])
        one, other = (task.collection.corpora["de"] for task in (before, after))
        assert tuple(one.ids) == tuple(other.ids)
        assert tuple(one.texts) == tuple(other.texts)
    kept = {path.name for path in (home.parent / "cache" / "babelboard" / "corpora").iterdir()}
    assert not [name for name in kept if "unordered" in name]


def test_settings_of_a_rerank_task(rerank):
    task = load_task(str(rerank), patterns=["moir/*", "clir/*"])
    assert task.draw is None
    assert set(task.collection.queries) == {"de", "en"}
    assert set(task.collection.corpora) == {"de", "nl"}
    task = load_task(str(rerank), patterns=["mlir/xx-en"])
    assert set(task.collection.queries) == set(LANGUAGES)
    assert set(task.collection.corpora) == {"en"}
    # Each question is asked once, in the language that is drawn for it.
    assert questions_asked(task) == {"mlir/xx-en": 3}


def test_candidates_and_corpora_are_converted_once(rerank, monkeypatch):
    before = load_task(str(rerank))
    monkeypatch.setattr(parallel_passages, "_passages", lambda *_: pytest.fail("again"))
    monkeypatch.setattr("tasks.sources.msmarco.candidate_pairs", lambda *_: pytest.fail("again"))
    after = load_task(str(rerank))
    assert after.candidates.document.tolist() == before.candidates.document.tolist()
    assert tuple(after.collection.corpora["nl"].texts) == tuple(
        before.collection.corpora["nl"].texts
    )


def test_other_candidates_are_another_corpus(home, rerank):
    load_task(str(rerank))
    # As many passages as before, one of them another.
    others = [("30", 5) if pair == ("30", 2) else pair for pair in CANDIDATES]
    pairs = "".join(f"{query}\t{passage}\tq\tp\n" for query, passage in others)
    write_archive(home / TOP_1000, {"top1000.dev": pairs})
    task = load_task(str(rerank))
    numbers = sorted({*NEEDED, 5} - {2})
    assert task.collection.corpora["de"].ids[:] == tuple(f"de_{number}" for number in numbers)
    assert task.candidates.document.tolist() == [2, 3, 5, 0, 4]


def test_sizes_are_compared_with_what_was_converted_before(task_file, rerank):
    for path in (task_file, rerank):
        load_task(str(path), patterns=["moir/de-de"])
        name = described(path, "de = { queries = 3, documents = 12", "de = { documents = 13")
        with pytest.raises(DataFileError, match="passages: found 12, the task says 13"):
            load_task(name, patterns=["moir/de-de"])


# ---- draws -------------------------------------------------------------------------------------


def drawn_by_id(task):
    """The language of each question and passage."""
    draw = task.draw
    numbers = [name.partition("_")[2] for name in task.collection.corpora["en"].ids]
    assert draw.question.dtype == draw.document.dtype == np.int8
    questions = [draw.languages[number] for number in draw.question]
    documents = [draw.languages[number] for number in draw.document]
    return (
        dict(zip(task.collection.questions, questions, strict=True)),
        dict(zip(numbers, documents, strict=True)),
    )


def by_hash(what, name, languages):
    """The draw as its docstring says it, in exact arithmetic."""
    first = int(blake2b(f"draw:v1:{what}:{name}".encode(), digest_size=8).hexdigest(), 16)
    return languages[first * len(languages) // 2**64]


def test_the_draw_is_a_hash_of_the_id(rerank):
    questions, documents = drawn_by_id(load_task(str(rerank)))
    assert questions == {name: by_hash("question", name, LANGUAGES) for name in QUESTIONS}
    assert documents == {str(n): by_hash("document", str(n), LANGUAGES) for n in NEEDED}


def test_the_draw_does_not_change():
    # Published scores rest on it: these are the values of version 1.
    documents = hashed_draw("document", map(str, range(20)), 6).tolist()
    questions = hashed_draw("question", map(str, range(20)), 14).tolist()
    assert documents == [2, 5, 3, 2, 1, 4, 2, 0, 0, 4, 2, 5, 2, 1, 0, 4, 5, 5, 1, 5]
    assert questions == [2, 9, 11, 8, 6, 4, 12, 6, 8, 12, 8, 3, 9, 1, 6, 6, 1, 11, 2, 10]


def test_the_draw_of_an_id_depends_on_nothing_else():
    ids = [str(number) for number in range(1000)]
    whole = dict(zip(ids, hashed_draw("document", ids, 14).tolist(), strict=True))
    some = random.Random(3).sample(ids, 100)  # noqa: S311
    assert hashed_draw("document", some, 14).tolist() == [whole[name] for name in some]
    assert hashed_draw("question", some, 14).tolist() != [whole[name] for name in some]


@pytest.mark.parametrize("languages", [6, 14])
def test_the_draw_is_even(languages):
    counts = Counter(hashed_draw("document", map(str, range(60_000)), languages).tolist())
    assert set(counts) == set(range(languages))
    expected = 60_000 / languages
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_square < {6: 20.5, 14: 34.5}[languages]  # 0.1% of even draws exceed it


def papers_own(languages, passages, queries):
    """What create_multilingual.py does, line by line."""
    random.seed(0)
    corpus = {}
    for pid in range(passages):
        corpus[pid] = languages[random.randint(0, len(languages) - 1)]  # noqa: S311
    asked = {}
    for qid in queries:
        asked[qid] = languages[random.randint(0, len(languages) - 1)]  # noqa: S311
    return corpus, asked


def test_the_papers_draw(rerank):
    task = load_task(f"{rerank}+paper-draw")
    assert task.name == "tiny-rerank+paper-draw"
    # The order of the paper's code, and of the English file of queries.
    assert task.draw.languages == ("en", "de", "nl", "ar")
    state = random.getstate()
    corpus, asked = papers_own(["en", "de", "nl", "ar"], PASSAGES, QUERIES)
    random.setstate(state)
    questions, documents = drawn_by_id(task)
    assert questions == asked
    assert documents == {str(number): corpus[number] for number in NEEDED}


def test_a_draw_leaves_the_global_generator_alone():
    state = random.getstate()
    paper_draw(6, 100, np.arange(100), 10)
    assert random.getstate() == state


@pytest.mark.parametrize("languages", [6, 14])
def test_the_papers_draw_of_many(languages):
    names = list(PAPER_ORDER[:languages])
    state = random.getstate()
    corpus, asked = papers_own(names, 5000, range(50))
    random.setstate(state)
    needed = np.array([0, 17, 4999])
    document, question = paper_draw(languages, 5000, needed, 50)
    assert [names[n] for n in document] == [corpus[n] for n in needed]
    assert [names[n] for n in question] == list(asked.values())


def test_languages_of_the_papers_draw():
    assert set(PAPER_ORDER[:6]) == {"en", "de", "it", "nl", "ru", "ar"}
    assert len(set(PAPER_ORDER)) == 14


def test_the_papers_draw_needs_the_number_of_passages(rerank):
    load_task(described(rerank, "documents = 12, ", ""))
    with pytest.raises(DataFileError, match=r"how many there are: documents in \[sizes\.en\]"):
        load_task(f"{rerank}+paper-draw")


# ---- bad input ---------------------------------------------------------------------------------


def lines(name, change):
    """Replaces the lines of a file of mMARCO."""

    def damage(home):
        path = home / "mmarco" / name
        content = path.read_text(encoding="utf-8").splitlines()
        path.write_text("".join(f"{line}\n" for line in change(content)), encoding="utf-8")

    return damage


def candidates(text):
    return lambda home: write_archive(home / TOP_1000, {"top1000.dev": text})


def english(collection=None, queries=None):
    given = dict(zip(("collection.tsv", "queries.dev.small.tsv"), mmarco_texts("en"), strict=True))
    if collection is not None:
        given["collection.tsv"] = collection
    if queries is not None:
        given["queries.dev.small.tsv"] = queries
    kept = {name: content for name, content in given.items() if content}
    return lambda home: write_archive(home / ARCHIVE, kept)


def cut_short(home):
    path = home / ARCHIVE
    path.write_bytes(path.read_bytes()[:-60])


def no_archive(home):
    (home / ARCHIVE).write_bytes(b"text")


QRELS, TOPICS, TEXTS = (
    "qrels.dev.small.tsv", "v2/german.queries.dev.tsv", "v2/german_collection.tsv",
)  # fmt: skip
TAR = r"collectionandqueries\.tar\.gz"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lines(QRELS, lambda c: [*c, "30 0 x 1"]), r"small\.tsv:5: .* found '30' and 'x'"),
        (lines(QRELS, lambda c: [*c, "030 0 7 1"]), r":5: queries and passages are numbers"),
        (lines(QRELS, lambda c: c[:3]), r"small\.tsv, judgments \(ar\): found 3, the task says 4"),
        (lines(QRELS, lambda c: [*c[:3], "200 0 99 1"]), r"_collection\.tsv lacks the passage 99"),
        (lines(QRELS, lambda c: [*c[:3], "201 0 3 1"]), r"has no text for query '201', which is"),
        (lines(TOPICS, lambda c: [*c, c[1]]), r"dev\.tsv:5: query '30' occurs twice"),
        (lines(TOPICS, lambda c: [c[0], "30\t", *c[2:]]), r":2: the text of query '30' is"),
        (lines(TOPICS, lambda c: c[:2]), r"dev\.tsv has no text for query '200'"),
        (lines(TEXTS, lambda c: ["0", *c[1:]]), r"_collection\.tsv:1: expected an id, a"),
        (lines(TEXTS, lambda c: ["a\tb", *c[1:]]), r":1: expected a passage's number, found 'a"),
        (lines(TEXTS, lambda c: ["00\tb", *c[1:]]), r":1: expected a passage's number, .*'00'"),
        (lines(TEXTS, lambda c: [*c[:7], "7\t ", *c[8:]]), r"tsv:8: the text of passage 7 is"),
        (lines(TEXTS, lambda c: c[:11]), r"tsv, passages: found 11, the task says 12"),
        (lines(TEXTS, lambda c: [*c[:11], c[0]]), r"n_collection\.tsv: the passage 0 occurs"),
        (lines(TEXTS, lambda c: [*c[:7], "70\tx", *c[8:]]), r"lacks the passage 7, which is"),
        (english(collection="0\tx\ty\n"), TAR + r"\[collection\.tsv\]:1: expected an id"),
        (english(collection=b"0\t\xff\n"), TAR + r"\[collection\.tsv\]:1: expected UTF-8"),
        (english(collection=""), TAR + r" does not hold collection\.tsv"),
        (english(queries="30\tx\n4\ty\n"), TAR + r" has no text for query '200'"),
        (cut_short, TAR + r"\[.*\]:\d+: the compressed file is damaged or cut short"),
        (no_archive, TAR + r"\[.*\]:0: the compressed file is damaged"),
        (candidates("4\t9\n"), r"\[top1000\.dev\]:1: expected 4 columns"),
        (candidates("4\t9\tq\tp\nx\t9\tq\tp\n"), r"\[top1000\.dev\]:2: .* found 'x"),
        (candidates("4\t9\tq\tp\n31\t9\tq\tp\n"), r":2: query 31 has candidates and no judgments"),
        (candidates("4\t9\tq\tp\n" * 5), r"the passage 9 is twice a candidate of query 4"),
        (candidates("4\t9\tq\tp\n"), r"\d, candidates: found 1, the task says 5"),
        (
            candidates("".join(f"4\t{n}\tq\tp\n" for n in (0, 1, 2, 3, 77))),
            r"_collection\.tsv lacks the passage 77, which is judged or a candidate",
        ),
    ],
)  # fmt: skip
def test_a_malformed_file_is_refused_with_its_place(home, task_file, rerank, damage, message):
    damage(home)
    found = []
    for name in (task_file, rerank):
        try:
            load_task(str(name))
        except DataFileError as error:
            found.append(str(error))
    assert found
    assert [text for text in found if re.search(message, text)], found
    if "candidate" not in message and "top1000" not in message:
        assert len(found) == 2


def test_a_draw_of_passages_that_the_paper_does_not_number():
    with pytest.raises(DataFileError, match="passage 12 is needed; use the task without"):
        paper_draw(4, 12, np.array([3, 12]), 2)


def test_the_published_checksums_are_compared(home, rerank):
    for damage, name in (
        (f'"mmarco/{QRELS}" = "unchecked"', "v2/arabic"),
        ('"mmarco/v2/arabic_collection.tsv" = "unchecked"', QRELS),
    ):
        text = described(rerank, 'md5 = "unchecked"', f"md5 = {{ {damage} }}")
        with pytest.raises(
            DataFileError, match=rf"{re.escape(str(home / 'mmarco'))}/{name}.* is not"
        ):
            load_task(text)
        described(rerank, f"md5 = {{ {damage} }}", 'md5 = "unchecked"')


def test_files_that_are_missing(home, rerank, monkeypatch):
    monkeypatch.setattr(
        requests, "get", lambda **_: (_ for _ in ()).throw(requests.ConnectionError("offline"))
    )
    archive = home / TOP_1000
    archive.unlink()
    with pytest.raises(DataFileError) as caught:
        load_task(str(rerank))
    message = str(caught.value)
    assert f"lacks {archive}, and fetching it failed" in message
    assert "/top1000.dev.tar.gz\nand put it there" in message
    (home / "mmarco" / TOPICS).unlink()
    with pytest.raises(DataFileError, match=r"lacks .*german\.queries\.dev\.tsv, and fetching"):
        load_task(str(rerank))


# ---- the real questions ------------------------------------------------------------------------


def test_real_questions_and_judgments(tmp_path, data):
    """The published dev.small, whose judgments have the checksum that ir_datasets lists.

    The passages are made up: those that are judged, by their numbers.
    """
    judged = (data / "msmarco" / "qrels.dev-small.tsv").read_text(encoding="utf-8")
    queries = (data / "msmarco" / "topics.dev-small.en.tsv").read_text(encoding="utf-8")
    place = tmp_path / "home" / "mmarco"
    (place / "v2").mkdir(parents=True)
    (place / QRELS).write_text(judged.replace(" ", "\t"), encoding="utf-8")
    numbers = sorted({int(line.split()[2]) for line in judged.splitlines()})
    write_archive(
        tmp_path / "home" / ARCHIVE,
        {
            "collection.tsv": "".join(f"{number}\tpassage {number}\n" for number in numbers),
            "queries.dev.small.tsv": queries,
        },
    )
    pairs = "".join(f"{line.split()[0]}\t{numbers[0]}\tq\tp\n" for line in judged.splitlines()[:1])
    write_archive(tmp_path / "home" / TOP_1000, {"top1000.dev": pairs})
    text = RERANK_TASK.partition("[sizes]")[0] + "[sizes]\n"
    names = (
        "msmarco-passage/collectionandqueries.tar.gz",
        "downloads/8c140662bdf123a98fbfe3bb174c5831",
    )
    unchecked = ", ".join(f'"{name}" = "unchecked"' for name in names)
    text = text.replace('"unchecked"', f"{{ {unchecked} }}").replace("candidate_pairs = 5\n", "")
    text = re.sub(r"settings = .*", 'settings = ["moir/en-en"]', text)
    text += f"en = {{ queries = 6980, documents = {len(numbers)}, judgments = 7437 }}\n"
    (tmp_path / "real.toml").write_text(text, encoding="utf-8")
    task = load_task(str(tmp_path / "real.toml"))
    assert len(task.collection.questions) == len(task.collection.queries["en"].texts) == 6980
    assert len(task.collection.judgments["en"].question) == 7437
    assert questions_asked(task) == {"moir/en-en": 6980}
    position = task.collection.questions.index("1048585")
    assert task.collection.queries["en"].texts[position] == "what is paula deen's brother"


# ---- the command line --------------------------------------------------------------------------


def test_details_of_a_rerank_task(babelboard, rerank, home):
    done = babelboard("tasks", rerank)
    assert done.returncode == 0, done.stderr
    assert "MLIR         3 settings such as mlir/xx-xx, 3 questions each" in done.stdout
    assert "rerank: each question's candidates are ranked" in done.stdout
    assert "Forms      passage, passage+paper-draw" in done.stdout
    assert f"Files      {home}\n" in done.stdout
    (home / "mmarco" / "v2" / "dutch_collection.tsv").unlink()
    missing = "the first that is missing is mmarco/v2/dutch_collection.tsv"
    assert missing in babelboard("tasks", rerank).stdout


def test_names_of_languages_in_ir_datasets():
    # Dutch is dt there.
    assert MMARCO_NAMES["nl"] == "dutch"
