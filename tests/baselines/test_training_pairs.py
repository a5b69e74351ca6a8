from __future__ import annotations

import hashlib
import json
from collections import Counter

import pytest

from submissions.baselines.recipe import DataPart
from submissions.baselines.recipe_file import load_recipe
from submissions.baselines.sentence_breaks import sentence_at, sentence_spans
from submissions.baselines.training_pairs import read_pairs
from submissions.cli.baselines import RECIPES
from tasks.errors import DataFileError
from tests.baselines.small_training import pairs, write_pairs


def squad(context, *starts):
    asked = [
        {"id": f"q{n}", "question": f"Question {n}?", "answers": [{"answer_start": start}]}
        for n, start in enumerate(starts)
    ]
    return {"data": [{"paragraphs": [{"context": context, "qas": asked}]}]}


def part(name="pairs.jsonl", **settings):
    return DataPart(file=name, language="en", **settings)


def test_pairs_are_read_in_order_with_checksums(tmp_path):
    path = write_pairs(tmp_path / "pairs.jsonl", pairs(number=5))
    read = read_pairs([part(leave_out=["en-3"])], tmp_path)
    assert [pair.id for pair in read.pairs] == ["en-0", "en-1", "en-2", "en-4"]
    assert read.checksums == {"pairs.jsonl": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert read.by_language() == {"en": (0, 1, 2, 3)}
    first = pairs()[0]
    assert list(read.texts())[:2] == [("en-0", first["query"]), ("en-0", first["positive"])]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("{", ":1: not JSON"),
        ("\n[1]", ":2: expected an object .* id, query, positive"),
        ('{"id": "a", "query": " ", "positive": 3}', ":1: .* without a text: query, positive"),
        ("", "holds no pairs"),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path, lines, said):
    (tmp_path / "pairs.jsonl").write_text(lines)
    with pytest.raises(DataFileError, match=rf"pairs\.jsonl{said}|{said}"):
        read_pairs([part()], tmp_path)


def test_an_id_may_occur_once(tmp_path):
    rows = pairs(number=2)
    write_pairs(tmp_path / "pairs.jsonl", [*rows, rows[0]])
    with pytest.raises(DataFileError, match=r"pairs\.jsonl:3: the id 'en-0' is that of line 1 too"):
        read_pairs([part()], tmp_path)
    write_pairs(tmp_path / "pairs.jsonl", rows)
    write_pairs(tmp_path / "more.jsonl", rows)
    with pytest.raises(DataFileError, match="occurs in another file too"):
        read_pairs([part(), part("more.jsonl")], tmp_path)


def test_a_file_that_is_missing_or_another_is_refused(tmp_path):
    with pytest.raises(DataFileError, match=r"'pairs\.jsonl' are not there"):
        read_pairs([part()], tmp_path)
    (tmp_path / "pairs.jsonl").write_bytes(b"\xff")
    with pytest.raises(DataFileError, match="not UTF-8"):
        read_pairs([part()], tmp_path)
    write_pairs(tmp_path / "pairs.jsonl", pairs())
    with pytest.raises(DataFileError, match="not the file that the recipe was made for"):
        read_pairs([part(sha256="0" * 64)], tmp_path)
    with pytest.raises(DataFileError, match="no pair 'en-99', which is to be left out"):
        read_pairs([part(leave_out=["en-99"])], tmp_path)


def test_of_squad_the_sentence_with_the_answer_is_the_positive(tmp_path):
    context = "Rome is old. Dr. Who flew to Paris! Is it far?"
    (tmp_path / "qa.json").write_text(json.dumps(squad(context, 0, 29, 40)))
    read = read_pairs([part("qa.json", form="squad")], tmp_path)
    assert [pair.positive for pair in read.pairs] == [
        "Rome is old.",
        "Dr. Who flew to Paris!",
        "Is it far?",
    ]


def test_squad_that_is_malformed_is_refused(tmp_path):
    file = tmp_path / "qa.json"
    for content, said in (
        (squad("Short.", 6), "starts at 6, not within its paragraph of 6"),
        (squad("Short.", -1), "starts at -1, not within"),
        (squad("Short."), "holds no questions"),
        ({"data": [{"paragraphs": [{"qas": []}]}]}, "context"),
    ):
        file.write_text(json.dumps(content))
        with pytest.raises(DataFileError, match=said):
            read_pairs([part("qa.json", form="squad")], tmp_path)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("J. R. Smith met Mr. Ng. They ate.", ["J. R. Smith met Mr. Ng.", "They ate."]),
        ("It cost 3.5 dollars.", ["It cost 3.5 dollars."]),
        ("他说：「好。」我走了。", ["他说：「好。」", "我走了。"]),
        ("هل ذهبت؟ نعم ذهبت.", ["هل ذهبت؟", "نعم ذهبت."]),
        ("वह गया। मैं रुका।", ["वह गया।", "मैं रुका।"]),
        ("  A line\nanother  ", ["A line", "another"]),
        ("no end", ["no end"]),
        (" ", []),
    ],
)
def test_sentences(text, sentences):
    spans = sentence_spans(text)
    assert [text[begin:end] for begin, end in spans] == sentences
    for begin, end in spans:
        for position in (begin, end - 1):
            assert sentence_at(text, position) == text[begin:end]


def test_the_native_data_give_sentences_and_not_paragraphs(data):
    read = read_pairs(load_recipe(RECIPES / "native.toml").data, data)
    counts = Counter(pair.language for pair in read.pairs)
    assert counts == {"ar": 693 + 702, "zh": 3219 + 3524 + 3493}
    for language, most in (("ar", 400), ("zh", 120)):
        lengths = sorted(len(pair.positive) for pair in read.pairs if pair.language == language)
        assert lengths[0] >= 2
        assert lengths[len(lengths) // 2] < most


def test_no_recipe_trains_on_a_sentence_or_question_of_the_tasks(data):
    known = set()
    for path in [*data.glob("xquad-r/*.json"), *data.glob("mlqa-r/*.json")]:
        for article in json.loads(path.read_text("utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                known |= {sentence.strip() for sentence in paragraph["sentences"]}
                known |= {asked["question"].strip() for asked in paragraph["qas"]}
    parts = {}
    for path in RECIPES.glob("*.toml"):
        if path.name != "grid.toml":
            parts |= {one.file: one for one in load_recipe(path).data}
    read = read_pairs(list(parts.values()), data)
    assert [one for one, text in read.texts() if text.strip() in known] == []
