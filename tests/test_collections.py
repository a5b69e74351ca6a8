"""Loading of XQuAD-R, MLQA-R and a user's own files in the same format."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from tasks.errors import BabelboardError, DataFileError
from tasks.sources.squad_r import assemble, read_language
from tasks.task import load_task, questions_asked

# Questions and candidates of each file, counted by others: LAReQA's README and a script over the
# published files.
SIZES = {
    "xquad-r": {
        "ar": (1190, 1222),
        "de": (1190, 1276),
        "el": (1190, 1234),
        "en": (1190, 1180),
        "es": (1190, 1215),
        "hi": (1190, 1244),
        "ru": (1190, 1219),
        "th": (1190, 852),
        "tr": (1190, 1167),
        "vi": (1190, 1209),
        "zh": (1190, 1196),
    },
    "mlqa-r": {
        "ar": (517, 2545),
        "de": (512, 2362),
        "en": (1148, 6264),
        "es": (500, 1787),
        "hi": (507, 2426),
        "vi": (511, 2828),
        "zh": (504, 2322),
    },
}
FILES = [(task, language) for task, sizes in SIZES.items() for language in sizes]

# Questions that two languages of MLQA-R share, in the order ar de en es hi vi zh.
MLQA_R_SHARED = {
    "ar": (517, 207, 517, 161, 186, 163, 188),
    "de": (207, 512, 512, 196, 163, 182, 190),
    "en": (517, 512, 1148, 500, 507, 511, 504),
    "es": (161, 196, 500, 500, 187, 189, 161),
    "hi": (186, 163, 507, 187, 507, 177, 189),
    "vi": (163, 182, 511, 189, 177, 511, 184),
    "zh": (188, 190, 504, 161, 189, 184, 504),
}

load_once = cache(load_task)


@pytest.fixture
def xquad_r(data):
    return load_once("xquad-r", data)


@pytest.fixture
def mlqa_r(data):
    return load_once("mlqa-r", data)


@cache
def paragraphs_of(path):
    """The paragraphs of a file as plain JSON, to check the loader against."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return [paragraph for article in content["data"] for paragraph in article["paragraphs"]]


@pytest.mark.parametrize(("name", "language"), FILES)
def test_questions_and_candidates_of_each_file(data, name, language):
    collection = load_once(name, data).collection
    queries, corpus = collection.queries[language], collection.corpora[language]
    assert (len(queries.texts), len(corpus.texts)) == SIZES[name][language]
    assert len(queries.question) == len(queries.texts)
    assert len(set(corpus.ids)) == len(corpus.ids) == len(corpus.texts)


@pytest.mark.parametrize(("name", "language"), FILES)
def test_relevant_is_the_sentence_in_which_the_answer_starts(data, name, language):
    collection = load_once(name, data).collection
    expected = set()
    for number, paragraph in enumerate(paragraphs_of(data / name / f"{language}.json")):
        for qa in paragraph["qas"]:
            (answer,) = qa["answers"]
            ends = [end for _, end in paragraph["sentence_breaks"]]
            sentence = next(i for i, end in enumerate(ends) if answer["answer_start"] < end)
            expected.add((qa["id"], f"{language}_{number}_{sentence}"))
    judgments = collection.judgments[language]
    ids = collection.corpora[language].ids
    found = [
        (collection.questions[q], ids[d])
        for q, d in zip(judgments.question, judgments.document, strict=True)
    ]
    assert len(found) == len(set(found)) == SIZES[name][language][0]
    assert set(found) == expected
    assert set(judgments.relevance) == {1}
    assert (np.diff(judgments.question) >= 0).all()


@pytest.mark.parametrize(("name", "language"), FILES)
def test_equal_questions_stay_distinct(data, name, language):
    collection = load_once(name, data).collection
    queries = collection.queries[language]
    repeated = len(queries.texts) - len(set(queries.texts))
    assert 3 <= repeated <= 9 if name == "xquad-r" else repeated == 0
    assert len(set(queries.question.tolist())) == len(queries.texts)
    texts = {
        qa["id"]: qa["question"]
        for paragraph in paragraphs_of(data / name / f"{language}.json")
        for qa in paragraph["qas"]
    }
    found = {
        collection.questions[q]: t for q, t in zip(queries.question, queries.texts, strict=True)
    }
    assert found == texts


def test_xquad_r_has_a_relevant_sentence_in_each_language(xquad_r):
    collection = xquad_r.collection
    assert len(collection.questions) == 1190
    relevant = Counter(q for j in collection.judgments.values() for q in j.question.tolist())
    assert set(relevant) == set(range(1190))
    assert set(relevant.values()) == {11}


def test_xquad_r_asks_every_question_in_every_setting(xquad_r):
    asked = questions_asked(xquad_r)
    assert len(asked) == 133
    assert set(asked.values()) == {1190}


def test_xquad_r_distinct_texts(xquad_r):
    collection = xquad_r.collection
    parts = (*collection.queries.values(), *collection.corpora.values())
    texts = [text for part in parts for text in part.texts]
    assert len(texts) == 26_104
    assert len(set(texts)) == 26_021


def test_document_ids_are_unique_across_languages(xquad_r, mlqa_r):
    for task, size in ((xquad_r, 13_014), (mlqa_r, 20_534)):
        ids = [i for corpus in task.collection.corpora.values() for i in corpus.ids]
        assert len(ids) == len(set(ids)) == size


def test_sentences_are_taken_as_given_not_cut_from_the_paragraph(data, xquad_r):
    corpus = xquad_r.collection.corpora["tr"]
    paragraphs = paragraphs_of(data / "xquad-r" / "tr.json")
    given, cut = {}, {}
    for number, paragraph in enumerate(paragraphs):
        breaks = paragraph["sentence_breaks"]
        for position, sentence in enumerate(paragraph["sentences"]):
            begin, end = breaks[position]
            given[f"tr_{number}_{position}"] = sentence
            cut[f"tr_{number}_{position}"] = paragraph["context"][begin:end]
    assert dict(zip(corpus.ids, corpus.texts, strict=True)) == given
    differ = [i for i in given if given[i] != cut[i]]
    assert differ == ["tr_48_2", "tr_48_3"]


@pytest.mark.parametrize("name", SIZES)
def test_context_form_is_sentence_newline_paragraph(data, name):
    plain = load_once(name, data).collection
    task = load_once(f"{name}+context", data)
    assert task.name == f"{name}+context"
    for language, corpus in task.collection.corpora.items():
        paragraphs = paragraphs_of(data / name / f"{language}.json")
        contexts = [p["context"] for p in paragraphs for _ in p["sentences"]]
        sentences = plain.corpora[language].texts
        assert corpus.ids == plain.corpora[language].ids
        assert list(corpus.texts) == [
            f"{sentence}\n{context}" for sentence, context in zip(sentences, contexts, strict=True)
        ]
        assert task.collection.queries[language].texts == plain.queries[language].texts


def test_mlqa_r_languages_of_each_question(mlqa_r):
    collection = mlqa_r.collection
    languages = Counter(q for part in collection.queries.values() for q in part.question.tolist())
    assert Counter(languages.values()) == {4: 820, 3: 263, 2: 65}
    # Every question has English, and one relevant sentence in each of its languages.
    assert len(collection.questions) == len(collection.queries["en"].texts) == 1148
    relevant = Counter(q for j in collection.judgments.values() for q in j.question.tolist())
    assert relevant == languages


def test_mlqa_r_questions_of_each_setting(mlqa_r):
    asked = questions_asked(mlqa_r)
    expected = {
        f"{'moir' if query == document else 'clir'}/{query}-{document}": n
        for query, row in MLQA_R_SHARED.items()
        for document, n in zip(MLQA_R_SHARED, row, strict=True)
    }
    # A question has an answer in the pool of all languages wherever it is asked.
    expected |= {f"mlir/{code}-xx": n for code, (n, _) in SIZES["mlqa-r"].items()}
    expected["mlir/xx-xx"] = 1148
    assert asked == expected


def test_checksums_of_the_files_that_were_read(data, xquad_r):
    listed = dict(reversed(line.split()) for line in (data / "SHA256SUMS").read_text().splitlines())
    names = [name for name in listed if name.removeprefix("./").startswith("xquad-r/")]
    ours = {f"xquad-r/{name}": sha256 for name, sha256 in xquad_r.checksums.items()}
    assert len(ours) == 11
    assert ours.items() <= {name.removeprefix("./"): listed[name] for name in names}.items()


# ---- hand-made files ---------------------------------------------------------------------------


def paragraph(context="One two. Three four.", breaks=((0, 8), (9, 20)), **answers):
    """A paragraph; ``answers`` gives where each question's answers start, by question id."""
    return {
        "context": context,
        "sentences": [context[begin:end] for begin, end in breaks],
        "sentence_breaks": [list(pair) for pair in breaks],
        "qas": [
            {
                "id": name,
                "question": f"What is {name}?",
                "answers": [{"text": "", "answer_start": start} for start in starts],
            }
            for name, starts in answers.items()
        ],
    }


def write(folder, *articles, language="en"):
    path = folder / f"{language}.json"
    content = {"version": "1", "data": [{"title": "", "paragraphs": list(a)} for a in articles]}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_paragraphs_are_counted_over_the_file(tmp_path):
    path = write(tmp_path, [paragraph(q1=[4]), paragraph(q2=[9])], [paragraph(q3=[19])])
    read = read_language(path, "en")
    assert read.document_ids == ("en_0_0", "en_0_1", "en_1_0", "en_1_1", "en_2_0", "en_2_1")
    assert read.document_texts == ("One two.", "Three four.") * 3
    assert read.question_ids == ("q1", "q2", "q3")
    assert read.question_texts == ("What is q1?", "What is q2?", "What is q3?")
    assert read.answers == ((0,), (3,), (5,))


@pytest.mark.parametrize(
    ("starts", "sentences"),
    [
        ([0], (0,)),
        ([7], (0,)),  # the last character of the first sentence
        ([9], (1,)),
        ([19], (1,)),
        ([10, 4], (0, 1)),  # two answers in two sentences: both are relevant
        ([10, 12], (1,)),
        ([8, 12], (1,)),  # between the sentences: the other answer counts
    ],
)
def test_boundaries_of_sentences(tmp_path, starts, sentences):
    read = read_language(write(tmp_path, [paragraph(q=starts)]), "en")
    assert read.answers == (sentences,)


def test_offsets_are_code_points(tmp_path):
    # The flag is two code points, four UTF-16 units and eight bytes.
    made = paragraph("🇬🇷 ναι. Όχι.", ((0, 7), (8, 12)), yes=[3], no=[8])
    assert read_language(write(tmp_path, [made]), "el").answers == ((0,), (1,))


def test_questions_with_one_id_are_parallel(tmp_path):
    english = write(tmp_path, [paragraph(b=[0], a=[9])], language="en")
    german = write(tmp_path, [paragraph(a=[0, 9], c=[4])], language="de")
    made = assemble({"en": read_language(english, "en"), "de": read_language(german, "de")})
    assert made.questions == ("a", "b", "c")
    assert made.queries["en"].question.tolist() == [1, 0]
    assert made.queries["de"].question.tolist() == [0, 2]
    found = {
        language: list(zip(j.question.tolist(), j.document.tolist(), strict=True))
        for language, j in made.judgments.items()
    }
    assert found == {"en": [(0, 1), (1, 0)], "de": [(0, 0), (0, 1), (2, 0)]}


def changed(**change):
    return paragraph(q1=[4]) | change


def asked(**change):
    return changed(
        qas=[{"id": "q1", "question": "What?", "answers": [{"answer_start": 4}]} | change]
    )


FIRST = r"data\.0\.paragraphs\.0\."


@pytest.mark.parametrize(
    ("made", "place"),
    [
        (changed(sentences=["One two.", ""]), FIRST + r"sentences\.1: "),
        (changed(sentences=[" \t\n", "Three four."]), FIRST + r"sentences\.0: "),
        (changed(sentences=["One two.", "\u3000\u00a0"]), FIRST + r"sentences\.1: "),
        (changed(sentences=["One two.", None]), FIRST + r"sentences\.1: .*found 'None'"),
        (changed(context=""), FIRST + "context: "),
        (asked(question="  "), FIRST + r"qas\.0\.question: "),
        (asked(id=""), FIRST + r"qas\.0\.id: "),
        (asked(id=7), FIRST + r"qas\.0\.id: .*found '7'"),
        (asked(answers=[]), FIRST + r"qas\.0\.answers: "),
        (asked(answers=[{"text": "two"}]), FIRST + r"qas\.0\.answers\.0\.answer_start: "),
        (asked(answers=[{"answer_start": -1}]), FIRST + r"qas\.0\.answers\.0\.answer_start: "),
        (asked(answers=[{"answer_start": 8}]), r"question 'q1' .*answer_start 8"),
        (asked(answers=[{"answer_start": 20}]), r"question 'q1' .*answer_start 20"),
        (changed(sentence_breaks=[[0, 8]]), r"paragraph 0 has 2 sentences but 1 sentence_breaks"),
        (changed(sentence_breaks=[[0, 8], [9]]), FIRST + r"sentence_breaks\.1\.1: "),
        (
            {k: v for k, v in changed().items() if k != "sentence_breaks"},
            FIRST + r"sentence_breaks: Field required",
        ),
    ],
)
def test_a_malformed_paragraph_is_refused_with_its_place(tmp_path, made, place):
    path = write(tmp_path, [made])
    with pytest.raises(DataFileError, match=place) as caught:
        read_language(path, "en")
    assert str(path) in str(caught.value)


def test_a_question_id_that_is_used_twice(tmp_path):
    path = write(tmp_path, [paragraph(q1=[4])], [paragraph(q2=[4], q1=[9])])
    with pytest.raises(DataFileError, match=r"'q1' occurs twice .*paragraph 1\b") as caught:
        read_language(path, "en")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Invalid JSON: .* line 1 column 0"),
        (b"three words here", "Invalid JSON: .* line 1 column"),
        (b'{"version": "1",\n "data": [{"title": "cu', "Invalid JSON: .* line 2 column"),
        (b"[]", "the file: .* object"),
        (b"{}", "data: Field required"),
        # UTF-16, and Latin-1 within JSON.
        ('{"data": []}'.encode("utf-16"), "Invalid JSON"),
        ('{"data": [{"title": "é"}]}'.encode("latin-1"), "Invalid JSON: .*unicode.* line 1 column"),
    ],
)
def test_a_file_that_is_not_json_in_utf_8(tmp_path, content, reason):
    path = tmp_path / "en.json"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=reason) as caught:
        read_language(path, "en")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("articles", [[], [[]], [[paragraph()]]])
def test_a_file_without_questions_is_refused(tmp_path, articles):
    path = write(tmp_path, *articles)
    with pytest.raises(DataFileError, match="question") as caught:
        read_language(path, "en")
    assert str(path) in str(caught.value)


def test_many_mistakes_are_counted_not_listed(tmp_path):
    path = write(tmp_path, [changed(sentences=[""] * 40)])
    with pytest.raises(DataFileError) as caught:
        read_language(path, "en")
    assert "... and 35 more" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 7


# ---- a user's own task -------------------------------------------------------------------------


def test_an_own_task_is_loaded_from_beside_its_file(own_task):
    task = load_task(str(own_task))
    assert task.name == "own"
    assert sorted(task.collection.corpora) == ["de", "en"]
    assert set(questions_asked(task).values()) == {2}
    assert sorted(task.checksums) == ["de.json", "en.json"]


def test_sizes_that_the_task_file_gives_are_checked(own_task):
    text = own_task.read_text(encoding="utf-8")
    given = text.replace('name = "de.json"', 'name = "de.json"\nqueries = 2\ndocuments = 2')
    own_task.write_text(given, encoding="utf-8")
    load_task(str(own_task))
    own_task.write_text(given.replace("documents = 2", "documents = 3"), encoding="utf-8")
    with pytest.raises(DataFileError, match=r"de\.json has 2 candidates; .* says 3"):
        load_task(str(own_task))
    own_task.write_text(given.replace("queries = 2", "queries = 1"), encoding="utf-8")
    with pytest.raises(DataFileError, match=r"de\.json has 2 questions; .* says 1"):
        load_task(str(own_task))


def test_an_own_task_is_scored_end_to_end(babelboard, own_task):
    done = babelboard("score", "bm25", "--task", own_task.name, "--json", cwd=own_task.parent)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert (result["task"], result["complete"]) == ("own", True)
    assert (result["cost"]["texts"], result["cost"]["distinct_texts"]) == (8, 8)
    # A question shares words with the sentences of its own language only, and most with the right
    # one: always first where it can be, never found across, and one of two found in the pool.
    values = {
        kind: (averages["AP"]["macro_over_settings"], averages["RR@10"]["macro_over_settings"])
        for kind, averages in result["classes"].items()
    }
    assert values == {"moir": (1.0, 1.0), "clir": (0.0, 0.0), "mlir": (0.5, 1.0)}
    entry = own_task.parent / result["entry"]
    assert (entry / "ranks" / "own.parquet").is_file()
    assert (entry / "submission.toml").is_file()


def blank_sentence(content):
    content["data"][0]["paragraphs"][0]["sentences"][1] = "   "
    return json.dumps(content).encode()


def answer_outside(content):
    content["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] = 10_000
    return json.dumps(content).encode()


def cut_short(content):
    return json.dumps(content).encode()[:200]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (blank_sentence, "data.0.paragraphs.0.sentences.1: "),
        (answer_outside, "question 'q0' has no answer within a sentence (answer_start 10000)"),
        (cut_short, "Invalid JSON: EOF while parsing"),
    ],
)
def test_a_malformed_file_stops_the_command_with_one_message(babelboard, own_task, damage, reason):
    path = own_task.parent / "texts" / "en.json"
    path.write_bytes(damage(json.loads(path.read_text(encoding="utf-8"))))
    done = babelboard("score", "bm25", "--task", own_task, cwd=own_task.parent)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("babelboard: ")
    assert done.stderr.count("babelboard: ") == 1
    assert str(path) in done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert not (own_task.parent / "submissions").exists()


def test_an_own_task_without_one_of_its_files(own_task):
    (own_task.parent / "texts" / "de.json").unlink()
    with pytest.raises(DataFileError, match=r"'own' lacks de\.json in .*texts"):
        load_task(str(own_task))


def test_forms_that_a_task_does_not_have(own_task):
    with pytest.raises(BabelboardError, match=r"no candidates of the form 'sentence\+context'"):
        load_task(f"{own_task}+context")
    text = own_task.read_text(encoding="utf-8")
    both = text.replace("measures", 'candidates = ["sentence", "sentence+context"]\nmeasures', 1)
    own_task.write_text(both, encoding="utf-8")
    task = load_task(f"{own_task}+context")
    assert task.name == "own+context"
    assert task.collection.corpora["en"].texts == (
        "Grass looks green.\nGrass looks green. Snow looks white.",
        "Snow looks white.\nGrass looks green. Snow looks white.",
    )


def test_sentences_of_the_published_files_do_not_overlap(data):
    # What the rule "the sentence with begin <= start < end" rests on.
    for name, language in FILES:
        for made in paragraphs_of(data / name / f"{language}.json"):
            for (_, end), (begin, _) in pairwise(made["sentence_breaks"]):
                assert end <= begin
