"""Code-switched text: by hand, and by the properties that every text has."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from submissions.baselines.code_switching import CodeSwitcher, SwitchOptions, SwitchTally
from submissions.baselines.lexicon import Lexicon, load_lexicon, make_lexicon
from submissions.baselines.stop_words import stop_words
from tasks.errors import UsageError
from tasks.languages import NAMES

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from submissions.baselines.code_switching import Level

ALL = SwitchOptions(probability=1.0)


def lexicon(pairs: Mapping[str, str], target: str = "de", source: str = "en") -> Lexicon:
    return make_lexicon("test", source, target, [(a, b, 1.0) for a, b in pairs.items()])


GERMAN = lexicon(
    {
        "the": "die",
        "red": "rot",
        "apple": "Apfel",
        "tree": "Baum",
        "apple tree": "Apfelbaum",
        "red apple": "Rotapfel",
        "of": "von",
        "germany": "Deutschland",
        "street": "straße",
        "state of the": "Zustand",
        "state of": "Stand",
    }
)
CHINESE = lexicon({"red": "红", "apple": "苹果", "tree": "树", "dna": "DNA"}, "zh")
THAI = lexicon({"red": "แดง", "tree": "ต้นไม้"}, "th")


def switched(
    text: str, *lexicons: Lexicon, options: SwitchOptions = ALL, text_id: str = "1"
) -> str:
    return CodeSwitcher(lexicons, options).switch(text_id, text).text


# --- by hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the red apple", "die rot Apfel"),
        ("The Red APPLE", "Die Rot APFEL"),
        ("  the\tred,apple!\n", "  die\trot,Apfel!\n"),
        ("Germany's red-apple", "Deutschland's rot-Apfel"),
        ("Germany’s", "Deutschland’s"),
        ("reddish apples theory", "reddish apples theory"),
        ("STREET Street", "STRASSE Straße"),
        ("(red)ness the_red 3red", "(rot)ness the_red 3red"),
        ("R\u200bED red\u0301", "R\u200bED red\u0301"),
        ("", ""),
        ("...", "..."),
        ("½red", "½rot"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert switched(text, GERMAN) == expected


def test_what_is_counted() -> None:
    done = CodeSwitcher([GERMAN], ALL).switch("1", "The red dog's apple, 2 trees.")
    assert (done.tokens, done.covered, done.switched) == (6, 3, 3)
    assert done.languages == {"de": 3}
    none = CodeSwitcher([GERMAN], replace(ALL, probability=0)).switch("1", "The red dog's apple.")
    assert (none.text, none.covered, none.switched) == ("The red dog's apple.", 3, 0)
    assert none.languages == {}


def test_casing_of_other_scripts() -> None:
    assert switched("A a", lexicon({"a": "ein"})) == "Ein ein"
    assert switched("Red RED", lexicon({"red": "ǆa"}, "hr")) == "ǅa ǄA"
    assert switched("Red RED", lexicon({"red": "ßa"})) == "Ssa SSA"
    turkish = lexicon({"red": "istanbul"}, "tr")
    assert switched("Red RED red", turkish) == "İstanbul İSTANBUL istanbul"
    assert switched("Red RED", lexicon({"red": "μωβ"}, "el")) == "Μωβ ΜΩΒ"
    assert switched("Red RED", lexicon({"red": "أحمر"}, "ar")) == "أحمر أحمر"
    from_turkish = lexicon({"Işık": "light", "ilk": "first"}, "en", "tr")
    assert switched("IŞIK İlk ışık", from_turkish) == "LIGHT First light"


def test_source_words_are_found_in_either_normal_form() -> None:
    # é as one character, and as e with an accent.
    french = lexicon({"caf\u00e9": "coffee"}, "en", "fr")
    assert switched("caf\u00e9 Cafe\u0301", french) == "coffee Coffee"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a red apple tree.", "a 红苹果树."),
        ("red  apple", "红苹果"),
        ("red\napple, tree", "红\n苹果, 树"),
        ("red dog apple", "红 dog 苹果"),
        ("red DNA apple", "红 DNA 苹果"),
        ("red-apple", "红-苹果"),
    ],
)
def test_spaces_are_dropped_within_a_script_without_them(text: str, expected: str) -> None:
    # Identical pairs are dropped, so DNA is made by hand.
    entries = {**CHINESE.entries, "dna": (("DNA", 1.0),)}
    assert switched(text, replace(CHINESE, entries=entries)) == expected


def test_spaces_stay_between_languages() -> None:
    options = replace(ALL, redraw=True)
    thai = lexicon({"red": "แดง"}, "th")
    chinese = lexicon({"apple": "苹果"}, "zh")
    japanese = lexicon({"tree": "木"}, "ja")
    assert switched("red apple tree", thai, chinese, japanese, options=options) == "แดง 苹果 木"
    assert switched("red tree", THAI) == "แดงต้นไม้"


def test_a_source_without_spaces() -> None:
    chinese = lexicon(
        {"苹果": "apple", "苹果树": "apple tree", "红": "red", "很": "very"}, "en", "zh"
    )
    assert switched("红苹果树很大。", chinese) == "red apple tree very 大。"
    assert switched("大红苹果", chinese) == "大 red apple"
    assert switched("3红 X红Y", chinese) == "3 red X red Y"
    done = CodeSwitcher([chinese], ALL).switch("1", "红苹果树很大大。")
    assert (done.tokens, done.covered) == (4, 3)
    japanese = replace(chinese, source="zh", target="ja", entries={"红": (("赤", 1.0),)})
    assert switched("大红Tower", japanese) == "大赤Tower"


def test_a_word_does_not_end_before_its_marks() -> None:
    # The second is the first with a tone mark.
    thai = lexicon({"ปา": "throw", "ป่า": "forest"}, "en", "th")
    assert switched("ป่า ปา", thai) == "forest throw"
    assert switched("ปา่", thai) == "ปา่"


def test_phrases_are_the_longest_from_the_left() -> None:
    options = replace(ALL, level="phrase")
    assert switched("the red apple tree", GERMAN, options=options) == "die Rotapfel Baum"
    assert switched("an Apple-Tree", GERMAN, options=options) == "an Apfelbaum"
    assert switched("an apple, tree", GERMAN, options=options) == "an Apfel, Baum"
    assert switched("an apple\ntree", GERMAN, options=options) == "an Apfel\nBaum"
    assert switched("state of the art, state of art", GERMAN, options=options) == (
        "Zustand art, Stand art"
    )
    done = CodeSwitcher([GERMAN], options).switch("1", "a red apple tree")
    assert (done.tokens, done.covered, done.switched) == (4, 3, 3)


def test_entities_are_the_longest_of_the_text_and_no_stop_words() -> None:
    options = replace(ALL, level="entity")
    # "apple tree" has more characters than "red apple".
    assert switched("the red apple tree", GERMAN, options=options) == "the rot Apfelbaum"
    assert switched("state of the art", GERMAN, options=options) == "Zustand art"


def test_stop_words_in_or_out() -> None:
    options = replace(ALL, stop_words=False)
    done = CodeSwitcher([GERMAN], options).switch("1", "The red of the apple")
    assert (done.text, done.covered) == ("The rot of the Apfel", 2)
    assert CodeSwitcher([GERMAN], options, frozenset({"red"})).switch("1", "the red").text == (
        "die red"
    )
    phrases = replace(options, level="phrase")
    assert switched("state of the art", GERMAN, options=phrases) == "Zustand art"
    of_stop_words = lexicon({"of the": "vom", "in": "im"})
    assert switched("in of the", of_stop_words, options=phrases) == "in of the"


def test_capitals_alone() -> None:
    options = replace(ALL, level="phrase", capitals=True)
    done = CodeSwitcher([GERMAN], options).switch("1", "The red Apple tree, the Red apple")
    assert (done.text, done.covered) == ("Die red Apfelbaum, the Rotapfel", 5)


def test_several_translations_are_drawn_by_weight_or_the_best() -> None:
    bank = make_lexicon("test", "en", "de", [("bank", "Ufer", 3.0), ("bank", "Haus", 1.0)])
    text = " ".join(["bank"] * 4000)
    assert set(switched(text, bank, options=replace(ALL, choice="best")).split()) == {"Ufer"}
    drawn = switched(text, bank).split()
    # Four standard deviations of a binomial with p = 3/4.
    assert abs(drawn.count("Ufer") - 3000) < 4 * math.sqrt(4000 * 0.75 * 0.25)


# --- draws --------------------------------------------------------------------------------------


def test_draws_never_change() -> None:
    # A recipe's seed must mean the same text in every version. As the documents have it: 16 bytes
    # for the text, then 16 for each word, a number that is switched below p and one by which the
    # language is drawn.
    text = "the red apple of the tree " * 3
    stream = hashlib.shake_128(b"codeswitch:v1:7:8:documentdoc-1").digest(16 * 19)
    words = []
    for number, word in enumerate(text.split(), 1):
        coin, language, _ = struct.unpack_from("<QII", stream, 16 * number)
        chosen = (GERMAN, CHINESE)[language * 2 >> 32].entries.get(word, ((word, 1.0),))
        words.append(chosen[0][0] if coin < 2**63 else word)
    options = SwitchOptions(probability=0.5, seed=7)
    done = CodeSwitcher([GERMAN, CHINESE], options).switch("doc-1", text, "document")
    assert done.text.split() == words
    assert (done.tokens, done.switched) == (
        18,
        sum(a != b for a, b in zip(words, text.split(), strict=True)),
    )
    assert done.text.startswith("die red 苹果 of the tree")


def test_the_draw_hangs_on_seed_side_and_id() -> None:
    text = "red apple tree " * 20
    options = SwitchOptions(probability=0.5)
    switcher = CodeSwitcher([GERMAN], options)
    texts = {
        switcher.switch("1", text).text,
        switcher.switch("2", text).text,
        switcher.switch("1", text, "query").text,
        switcher.switch("1", text, "document").text,
        switcher.switch("", text, "1").text,
        CodeSwitcher([GERMAN], replace(options, seed=1)).switch("1", text).text,
    }
    assert len(texts) == 6
    assert switcher.switch("1", text).text in texts


def test_a_word_s_draw_does_not_hang_on_the_words_around_it() -> None:
    switcher = CodeSwitcher([GERMAN], SwitchOptions(probability=0.5))
    for number in range(50):
        one = switcher.switch(str(number), "red red red red red").text.split()
        other = switcher.switch(str(number), "dog red cat red, red of the tree").text
        others = regex.findall(r"\w+", other)
        assert (one[1] == "rot", one[3] == "rot", one[4] == "rot") == (
            others[1] == "rot",
            others[3] == "rot",
            others[4] == "rot",
        )


def test_a_higher_rate_switches_the_same_words_and_more() -> None:
    text = "red apple tree " * 100
    kept: set[int] = set()
    for rate in (0, 0.1, 0.25, 0.5, 0.75, 1):
        new = switched(text, GERMAN, options=SwitchOptions(probability=rate)).split()
        places = {n for n, (a, b) in enumerate(zip(text.split(), new, strict=True)) if a != b}
        assert kept <= places
        kept = places
    assert len(kept) == 300


# --- several languages --------------------------------------------------------------------------


def languages_of(options: SwitchOptions, *lexicons: Lexicon, text: str, texts: int) -> SwitchTally:
    switcher = CodeSwitcher(lexicons, options)
    tally = SwitchTally()
    for number in range(texts):
        tally.add(switcher.switch(f"t{number}", text))
    return tally


def test_languages_are_drawn_evenly() -> None:
    codes = ("ar", "de", "es", "hi", "ru", "tr", "vi")
    lexicons = [lexicon({"red": f"x{code}", "tree": f"y{code}"}, code) for code in codes]
    tally = languages_of(ALL, *lexicons, text="red tree " * 50, texts=100)
    assert tally.switched == tally.tokens == 10_000
    expected = tally.switched / len(codes)
    chi_square = sum((tally.languages[code] - expected) ** 2 / expected for code in codes)
    assert chi_square < 22.46  # the 0.999 quantile with 6 degrees of freedom


def test_a_language_that_lacks_a_word_leaves_it_or_passes_it_on() -> None:
    both, one = lexicon({"red": "rot", "tree": "Baum"}), lexicon({"red": "rojo"}, "es")
    published = languages_of(ALL, both, one, text="red tree " * 50, texts=40)
    # Half of the trees stay: 3/4 of the words are switched, within 4 standard deviations.
    assert abs(published.achieved - 0.75) < 4 * math.sqrt(0.25 * 0.5 / 2 / published.tokens) * 2
    assert abs(published.languages["es"] - 1000) < 4 * math.sqrt(2000 * 0.25)
    assert published.coverage == published.achieved
    passed_on = languages_of(replace(ALL, redraw=True), both, one, text="red tree " * 50, texts=40)
    assert passed_on.achieved == 1
    assert abs(passed_on.languages["es"] - 1000) < 4 * math.sqrt(2000 * 0.25)


def test_one_language_for_a_text() -> None:
    german, spanish = lexicon({"red": "rot"}), lexicon({"red": "rojo"}, "es")
    switcher = CodeSwitcher([german, spanish], replace(ALL, language_by="text"))
    texts = [set(switcher.switch(str(n), "red red red red").text.split()) for n in range(60)]
    assert {frozenset(words) for words in texts} == {frozenset({"rot"}), frozenset({"rojo"})}


def test_a_mix_of_languages() -> None:
    lexicons = [lexicon({"red": code}, code) for code in ("ar", "de", "es")]
    for redraw in (False, True):
        options = replace(ALL, mix=(3.0, 0.0, 1.0), redraw=redraw)
        tally = languages_of(options, *lexicons, text="red " * 100, texts=40)
        assert tally.languages["de"] == 0
        assert abs(tally.languages["ar"] - 3000) < 4 * math.sqrt(4000 * 0.75 * 0.25)
    never = lexicon({"tree": "Baum"})
    options = replace(ALL, mix=(1.0, 0.0), redraw=True)
    assert switched("red tree", lexicons[0], never, options=options) == "ar tree"


# --- properties ---------------------------------------------------------------------------------

VOCABULARY = [*sorted(GERMAN.entries), "dog", "Red", "APPLE", "it's", "ö", "3.5", "苹果", "état"]
texts = st.lists(
    st.tuples(
        st.sampled_from(VOCABULARY), st.sampled_from([" ", ", ", "-", "\t", " “", "! ", "… ", "\n"])
    ),
    max_size=25,
).map(lambda pairs: "".join(word + gap for word, gap in pairs))
wild = st.text(st.sampled_from("aderRED tpl'’s-_.,1²½ß苹红กา\u0301\u200d\n\t😀é"), max_size=40)
options_of_any_kind = st.builds(
    SwitchOptions,
    probability=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    seed=st.integers(0, 3),
    level=st.sampled_from(["word", "phrase", "entity"]),
    stop_words=st.booleans(),
    redraw=st.booleans(),
    language_by=st.sampled_from(["token", "text"]),
    choice=st.sampled_from(["drawn", "best"]),
    capitals=st.booleans(),
)
MARK = regex.compile("⟦(.*?)⟧", regex.DOTALL)
# Translations that can be told from everything else, in a script without case.
MARKED = [
    replace(
        GERMAN,
        target=code,
        entries={key: ((f"⟦{code} {key}⟧", 1.0),) for key in (*GERMAN.entries, "état", "苹果")},
    )
    for code in ("ar", "hi")
]


@given(st.one_of(texts, wild), options_of_any_kind)
def test_only_whole_words_that_the_lexicon_has_are_replaced(
    text: str, options: SwitchOptions
) -> None:
    done = CodeSwitcher(MARKED, options).switch("id", text)
    # Put each mark's words back where they were: all that is between them is as before.
    between, marks = MARK.split(done.text)[::2], MARK.findall(done.text)
    place = 0
    for piece, mark in zip(between, [*marks, None], strict=True):
        assert text.startswith(piece, place)
        place += len(piece)
        if mark is None:
            continue
        words = mark.split(" ", 1)[1].lower().split(" ")
        pattern = r"(?:['’]s)?[ \t\u00a0-]*".join(map(regex.escape, words))
        match = regex.compile(pattern, regex.IGNORECASE).match(text, place)
        assert match, (text, place, mark)
        for edge in (match.start(), match.end()):
            assert regex.match(r"(?w)\b|(?=['’]s)", text, regex.V1, pos=edge) is not None
        place = match.end()
    assert place == len(text)
    assert done.switched == sum(done.languages.values()) <= done.covered <= done.tokens
    assert done.switched == sum(len(mark.split(" ")) - 1 for mark in marks)


@given(st.one_of(texts, wild), options_of_any_kind)
def test_no_rate_switches_nothing_and_the_full_rate_everything(
    text: str, options: SwitchOptions
) -> None:
    none = CodeSwitcher([GERMAN, THAI], replace(options, probability=0.0)).switch("id", text)
    full = CodeSwitcher([GERMAN, THAI], replace(options, probability=1.0)).switch("id", text)
    half = CodeSwitcher([GERMAN, THAI], replace(options, probability=0.5)).switch("id", text)
    assert (none.text, none.switched) == (text, 0)
    assert full.switched == full.covered == none.covered == half.covered


@given(st.lists(texts, max_size=6), options_of_any_kind, st.randoms(use_true_random=False))
def test_order_and_chunks_do_not_matter(
    some: list[str], options: SwitchOptions, order: random.Random
) -> None:
    together = CodeSwitcher([GERMAN, CHINESE], options)
    numbered = list(enumerate(some))
    expected = [together.switch(str(n), text) for n, text in numbered]
    order.shuffle(numbered)
    apart = {n: CodeSwitcher([GERMAN, CHINESE], options).switch(str(n), t) for n, t in numbered}
    assert [apart[n] for n in range(len(some))] == expected


# --- on real texts ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def passages(data: Path) -> list[str]:
    lines = (data / "train" / "squad.en.jsonl").read_text("utf-8").splitlines()[:1500]
    return [json.loads(line)["positive"] for line in lines]


@pytest.fixture(scope="module")
def real_lexicons(data: Path) -> list[Lexicon]:
    return [load_lexicon("wiktionary", "en", code, data) for code in ("de", "ar", "hi")]


@pytest.mark.parametrize("level", ["word", "phrase", "entity"])
@pytest.mark.parametrize("redraw", [False, True])
def test_the_achieved_rate_is_binomial(
    passages: list[str], real_lexicons: list[Lexicon], level: Level, redraw: bool
) -> None:
    for rate in (0.25, 0.5):
        options = SwitchOptions(probability=rate, seed=3, level=level, redraw=redraw)
        switcher = CodeSwitcher(real_lexicons, options)
        tally = SwitchTally()
        for number, text in enumerate(passages):
            tally.add(switcher.switch(str(number), text))
        assert 0.2 < tally.coverage < 0.95
        # Words of a phrase are switched together: at most 3 times the variance.
        deviation = math.sqrt(3 * rate * (1 - rate) / tally.covered) * tally.coverage
        assert abs(tally.achieved - rate * tally.coverage) < 4 * deviation
        assert tally.as_json(rate)["requested"] == rate


# --- what makes no sense ------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [-0.1, 1.01, math.nan, math.inf])
def test_a_rate_outside_0_to_1(rate: float) -> None:
    with pytest.raises(UsageError, match="it must be from 0 to 1"):
        SwitchOptions(probability=rate)


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "letter"},
        {"language_by": "word"},
        {"choice": "worst"},
        {"mix": (0.0, 0.0)},
        {"mix": (1.0, -1.0)},
        {"mix": (math.nan, 1.0)},
        {"mix": (math.inf, 1.0)},
    ],
)
def test_other_options_that_make_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        SwitchOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lexicons", "options", "message"),
    [
        ([], ALL, "from none"),
        ([GERMAN, GERMAN.reversed()], ALL, "from de, en"),
        ([GERMAN, GERMAN], ALL, "Two lexicons are for de"),
        ([GERMAN, CHINESE], replace(ALL, mix=(1.0,)), "1 weights for 2 languages"),
    ],
)
def test_lexicons_that_do_not_go_together(
    lexicons: Sequence[Lexicon], options: SwitchOptions, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        CodeSwitcher(lexicons, options)


def test_every_language_has_stop_words() -> None:
    assert {code for code in NAMES if len(stop_words(code)) > 40} == set(NAMES)
    assert {"the", "and", "isn't", "isn’t"} <= stop_words("en")
    assert not {"water", "Germany", "king"} & stop_words("en")
    assert stop_words("xx") == frozenset()
