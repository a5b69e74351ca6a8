"""Rates of classes of words: stop words, names and the rest."""

from __future__ import annotations

import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submissions.baselines.code_switching import CodeSwitcher, SwitchOptions
from submissions.baselines.lexicon import make_lexicon
from submissions.baselines.lexicon_matches import Match, Text
from submissions.baselines.word_classes import CLASSES, word_classes
from tasks.errors import UnknownNameError, UsageError

WORDS = ("the", "of", "in", "dog", "anna", "smith", "berlin", "sees", "tree", "of the", "tree of")
GERMAN = make_lexicon("test", "en", "de", [(word, f"x{word}", 1.0) for word in WORDS])
TEXT = "The dog of Anna sees Dr. Smith. Anna sees the tree (In Berlin)"


def switched(text=TEXT, **options):
    return CodeSwitcher([GERMAN], SwitchOptions(**options)).switch("1", text)


def only(name, text=TEXT, **options):
    """The text when one class is switched and the others are not."""
    rates = {one: float(one == name) for one in CLASSES}
    return switched(text, probability=0.5, rates=rates, **options).text


def test_each_class_by_hand():
    assert only("stop") == "Xthe dog xof Anna sees Dr. Smith. Anna sees xthe tree (Xin Berlin)"
    assert only("name") == "The dog of Xanna sees Dr. Xsmith. Anna sees the tree (In Xberlin)"
    assert only("content") == "The xdog of Anna xsees Dr. Smith. Xanna xsees the xtree (In Berlin)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna", "Anna"),
        ("“Anna”", "“Anna”"),
        ("  1. Anna", "  1. Xanna"),
        ("dog! Anna", "dog! Anna"),
        ("dog\nAnna", "dog\nAnna"),
        ("dog.” Anna", "dog.” Anna"),
        ("J. Anna", "J. Xanna"),
        ("dog: Anna", "dog: Xanna"),
        ("anna Anna ANNA", "anna Xanna XANNA"),
    ],
)
def test_a_name_has_a_capital_within_a_sentence(text, expected):
    assert only("name", text) == expected


def test_a_phrase_is_a_stop_word_if_all_its_words_are():
    assert only("stop", "tree of the of the", level="phrase") == "tree of xthe xof the"
    assert only("content", "tree of the of the", level="phrase") == "xtree of the of the"


def test_a_class_that_is_not_named_keeps_the_probability():
    assert switched(probability=1.0, rates={"name": 0.0}).text == (
        "Xthe xdog xof Anna xsees Dr. Smith. Xanna xsees xthe xtree (Xin Berlin)"
    )
    assert switched(probability=0.0, rates={"name": 1.0}).text == only("name")


def test_what_may_not_be_switched_has_no_rate():
    options = {"probability": 0.0, "rates": {"stop": 1.0, "content": 1.0}}
    without = "The xdog of Anna xsees Dr. Smith. Xanna xsees the xtree (In Berlin)"
    assert switched(**options, stop_words=False).text == without
    assert switched(**options, level="entity").text == without
    assert switched(**options, capitals=True).text == (
        "Xthe dog of Anna sees Dr. Smith. Xanna sees the tree (Xin Berlin)"
    )


def test_rates_leave_the_coverage_as_it_is():
    plain, rated = switched(probability=1.0), switched(rates=dict.fromkeys(CLASSES, 0.0))
    assert (rated.covered, rated.tokens, rated.switched) == (plain.covered, plain.tokens, 0)


def test_scripts_without_case_have_no_names():
    lexicon = make_lexicon("test", "zh", "de", [("苹果", "Apfel", 1.0), ("的", "von", 1.0)])
    for name, expected in {
        "name": "好的苹果",
        "content": "好的 Apfel",
        "stop": "好 von 苹果",
    }.items():
        rates = {one: float(one == name) for one in CLASSES}
        switcher = CodeSwitcher([lexicon], SwitchOptions(rates=rates))
        assert switcher.switch("1", "好的苹果").text == expected


texts = st.lists(
    st.sampled_from([*WORDS[:9], "The", "Anna", "Smith", "other", ".", "!", "\n"]), max_size=20
).map(" ".join)
rates = st.floats(0, 1)


@given(texts, rates)
def test_one_rate_for_all_classes_is_the_probability(text, rate):
    plain = switched(text, probability=rate)
    assert switched(text, probability=0.0, rates=dict.fromkeys(CLASSES, rate)) == plain


@given(texts, st.fixed_dictionaries(dict.fromkeys(CLASSES, rates)), st.sampled_from(CLASSES))
def test_a_higher_rate_of_a_class_switches_the_same_words_and_more(text, lower, raised):
    words = [switched(text, rates=lower), switched(text, rates={**lower, raised: 1.0})]
    assert words[0].switched <= words[1].switched
    for before, after in zip(words[0].text.split(), words[1].text.split(), strict=True):
        assert after in (before, f"x{before}") or after == f"X{before.lower()}"


@given(st.lists(st.text(string.ascii_letters, min_size=1, max_size=4), max_size=12))
def test_every_match_has_one_class(words):
    text = " ".join(words)
    starts = [sum(len(word) + 1 for word in words[:n]) for n in range(len(words))]
    spans = [(start, start + len(word)) for start, word in zip(starts, words, strict=True)]
    read = Text(text, spans, [word.lower() for word in words])
    found = list(
        word_classes(read, [Match(n, 1, 0, ()) for n in range(len(words))], frozenset({"the"}))
    )
    for number, (word, name) in enumerate(zip(words, found, strict=True)):
        if word.lower() == "the":
            assert name == "stop"
        else:
            assert (name == "name") == (word[0].isupper() and number > 0)


def test_the_achieved_rates_are_binomial():
    asked = {"stop": 0.2, "name": 0.9, "content": 0.6}
    switcher = CodeSwitcher([GERMAN], SwitchOptions(rates=asked, seed=3))
    number = 4000
    # The rate of a class is seen where only its words are in the lexicon's text.
    for name, text in {"stop": "x of", "name": "x Berlin", "content": "x tree"}.items():
        count = sum(switcher.switch(f"{name}{n}", text).switched for n in range(number))
        rate = asked[name]
        assert abs(count / number - rate) < 4 * math.sqrt(rate * (1 - rate) / number)


@pytest.mark.parametrize("rate", [-0.1, 1.1, math.nan, math.inf])
def test_a_rate_outside_0_to_1(rate):
    with pytest.raises(UsageError, match=r"rate of stop is .* from 0 to 1"):
        SwitchOptions(rates={"stop": rate})


def test_an_unknown_class():
    with pytest.raises(UnknownNameError, match=r"'nam'.*Did you mean name"):
        SwitchOptions(rates={"nam": 0.5})
