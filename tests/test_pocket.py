"""The embedded collection, checked in its files and as a task."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

import tasks
from tasks.data_files import DATA_VARIABLE
from tasks.task import load_task, questions_asked

FOLDER = Path(tasks.__file__).parent / "pocket"
LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")
SCRIPTS = {
    "ar": "ARABIC",
    "el": "GREEK",
    "hi": "DEVANAGARI",
    "ru": "CYRILLIC",
    "th": "THAI",
    "zh": "CJK UNIFIED IDEOGRAPH-",
}


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


def paragraphs(language):
    content = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return [paragraph for article in content["data"] for paragraph in article["paragraphs"]]


def questions(language):
    return [qa for paragraph in paragraphs(language) for qa in paragraph["qas"]]


def texts(language):
    """Every text of a language with its place."""
    for number, paragraph in enumerate(paragraphs(language)):
        yield f"context {number}", paragraph["context"]
        for position, sentence in enumerate(paragraph["sentences"]):
            yield f"sentence {number}.{position}", sentence
        for qa in paragraph["qas"]:
            yield f"question {qa['id']}", qa["question"]
            for answer in qa["answers"]:
                yield f"answer {qa['id']}", answer["text"]


def test_languages():
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(LANGUAGES)
    assert len(LANGUAGES) >= 8


def test_size(language):
    assert len(questions(language)) >= 60
    assert len(paragraphs(language)) >= 60
    assert all(len(paragraph["sentences"]) >= 2 for paragraph in paragraphs(language))


def test_each_language_is_in_its_script(language):
    expected = SCRIPTS.get(language, "LATIN")
    letters = Counter(
        unicodedata.name(character).startswith(expected)
        for _, text in texts(language)
        for character in text
        if unicodedata.category(character).startswith("L")
    )
    assert letters[True] / letters.total() > 0.97
    assert len({*SCRIPTS.values(), "LATIN"}) >= 4


def test_languages_are_parallel(language):
    def shape(code):
        return [([qa["id"] for qa in p["qas"]], len(p["sentences"])) for p in paragraphs(code)]

    assert shape(language) == shape("en")
    ids = [qa["id"] for qa in questions(language)]
    assert len(ids) == len(set(ids))


def test_sentences_cover_the_paragraph(language):
    for paragraph in paragraphs(language):
        context, breaks = paragraph["context"], paragraph["sentence_breaks"]
        assert [context[begin:end] for begin, end in breaks] == paragraph["sentences"]
        inside = [range(begin, end) for begin, end in breaks]
        assert inside[0].start == 0
        assert inside[-1].stop == len(context)
        # Nothing but space is between two sentences, and no two overlap.
        covered = Counter(place for part in inside for place in part)
        assert set(covered.values()) == {1}
        assert all(context[i].isspace() for i in set(range(len(context))) - set(covered))
        assert all(sentence == sentence.strip() for sentence in paragraph["sentences"])


def test_each_answer_is_where_it_says_and_within_one_sentence(language):
    for paragraph in paragraphs(language):
        for qa in paragraph["qas"]:
            assert qa["answers"]
            for answer in qa["answers"]:
                begin, end = answer["answer_start"], answer["answer_start"] + len(answer["text"])
                assert answer["text"] == answer["text"].strip() != ""
                assert paragraph["context"][begin:end] == answer["text"], qa["id"]
                assert any(b <= begin and end <= e for b, e in paragraph["sentence_breaks"]), qa


def test_answers_are_in_the_same_sentence_in_every_language(language):
    def sentences(code):
        return {
            qa["id"]: next(
                position
                for position, (begin, end) in enumerate(paragraph["sentence_breaks"])
                if begin <= qa["answers"][0]["answer_start"] < end
            )
            for paragraph in paragraphs(code)
            for qa in paragraph["qas"]
        }

    assert sentences(language) == sentences("en")


def test_texts_are_clean(language):
    for place, text in texts(language):
        assert unicodedata.is_normalized("NFC", text), place
        assert text == text.strip() != "", place
        assert "  " not in text, place
        # No control, private or unassigned characters; invisible ones only where a script needs
        # them (the joiners of Devanagari).
        odd = {c for c in text if unicodedata.category(c)[0] == "C"} - {"\u200c", "\u200d"}
        assert not odd, place


def test_no_text_occurs_twice_in_a_language(language):
    asked = [qa["question"] for qa in questions(language)]
    sentences = [s for paragraph in paragraphs(language) for s in paragraph["sentences"]]
    assert len(set(asked)) == len(asked)
    assert len(set(sentences)) == len(sentences)
    assert not set(asked) & set(sentences)


def test_translations_differ():
    seen = Counter(qa["question"] for language in LANGUAGES for qa in questions(language))
    assert max(seen.values()) == 1


def test_it_needs_no_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    task = load_task("pocket")
    assert len(task.settings) == 133
    assert not (tmp_path / "cache").exists()


def test_it_is_loaded_as_its_files_say(language):
    task = load_task("pocket")
    queries, corpus = task.collection.queries[language], task.collection.corpora[language]
    assert list(queries.texts) == [qa["question"] for qa in questions(language)]
    assert list(corpus.texts) == [s for p in paragraphs(language) for s in p["sentences"]]


def test_every_question_has_one_relevant_sentence_in_each_language():
    task = load_task("pocket")
    size = len(task.collection.questions)
    assert size == len(questions("en"))
    relevant = Counter(q for j in task.collection.judgments.values() for q in j.question.tolist())
    assert relevant == dict.fromkeys(range(size), len(LANGUAGES))
    assert set(questions_asked(task).values()) == {size}


def test_context_form():
    plain, context = load_task("pocket").collection, load_task("pocket+context").collection
    whole = [p["context"] for p in paragraphs("th") for _ in p["sentences"]]
    assert context.corpora["th"].texts == tuple(
        f"{s}\n{c}" for s, c in zip(plain.corpora["th"].texts, whole, strict=True)
    )


def test_it_is_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2_000_000
