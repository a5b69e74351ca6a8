"""Words of a text: what BM25 counts."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("Stemmer", reason="needs the extra 'score'")

from harness.models.analysis import Analyser
from tasks.languages import NAMES

# Stems as Snowball's own vocabulary lists give them; for example "lieblich" -> "lieblich",
# https://snowballstem.org/algorithms/. zh and th have no stemmer but n-grams, vi has neither.
SENTENCES = {
    "ar": ("الكتب العربية في المكتبات", ["كتب", "عرب", "في", "مكتب"]),
    "de": ("Die Häuser der großen Städte", ["die", "haus", "der", "gross", "stadt"]),
    "el": ("Οι γάτες και τα σκυλιά", ["οι", "γατ", "κα", "τα", "σκυλ"]),
    "en": ("The foxes jumped over running rivers", ["the", "fox", "jump", "over", "run", "river"]),
    "es": ("Las canciones cantadas por niñas", ["las", "cancion", "cant", "por", "niñ"]),
    "hi": ("लड़कियाँ किताबें पढ़ती हैं", ["लड़क", "किताब", "पढ़", "हैं"]),
    "ru": ("Большие города и реки", ["больш", "город", "и", "рек"]),
    "th": ("ภาษาไทย", ["ภาษ", "าษา", "ษาไ", "าไท", "ไทย"]),
    "tr": ("Kitapları IŞIKLARI", ["kitap", "ışık"]),
    "vi": ("Sông Hồng chảy qua Hà Nội", ["sông", "hồng", "chảy", "qua", "hà", "nội"]),
    "zh": ("长江是最长的河流。", ["长江", "江是", "是最", "最长", "长的", "的河", "河流"]),
}


@pytest.mark.parametrize("language", SENTENCES)
def test_terms_of_each_language(language: str) -> None:
    text, terms = SENTENCES[language]
    assert Analyser(language).terms(text) == [unicodedata.normalize("NFKC", t) for t in terms]


@pytest.mark.parametrize(
    ("language", "forms", "stem"),
    [
        ("en", "connect connected connecting connection connections", "connect"),
        ("es", "canto cantas cantamos cantando", "cant"),
        ("ru", "город города городу городом", "город"),
        ("tr", "kitap kitaplar kitapları", "kitap"),
        ("ar", "كتاب الكتاب", "كتاب"),
        ("hi", "किताब किताबें किताबों", "किताब"),
    ],
)
def test_inflected_forms_of_one_word_share_a_stem(language: str, forms: str, stem: str) -> None:
    assert set(Analyser(language).terms(forms)) == {stem}


def test_a_language_without_stemmer_keeps_its_words() -> None:
    assert Analyser("vi").terms("running foxes") == ["running", "foxes"]
    assert "no stemmer" in Analyser("vi").describe()
    assert "Snowball english" in Analyser("en").describe()


def test_turkish_has_two_letters_i() -> None:
    # With a dot: İ i. Without: I ı.
    assert Analyser("tr").terms("İĞNE") == Analyser("tr").terms("iğne") == ["iğne"]
    assert Analyser("tr").terms("ISSIZ") == Analyser("tr").terms("ıssız") == ["ıssız"]
    assert Analyser("tr").terms("I") != Analyser("tr").terms("i")
    # I followed by a combining dot is İ.
    assert Analyser("tr").terms("I\u0307stanbul") == Analyser("tr").terms("istanbul")
    assert Analyser("en").terms("I") == Analyser("en").terms("i") == ["i"]


def test_han_and_kana_give_bigrams() -> None:
    assert Analyser("ja").terms("東京タワーへ行く") == [
        "東京",
        "京タ",
        "タワ",
        "ワー",
        "ーへ",
        "へ行",
        "行く",
    ]
    assert Analyser("zh").terms("中") == ["中"]
    # A break ends the run: no bigram spans it.
    assert Analyser("zh").terms("长江，黄河") == ["长江", "黄河"]


def test_south_east_asian_scripts_give_trigrams() -> None:
    assert Analyser("th").terms("ไทยแลนด์")[:3] == ["ไทย", "ทยแ", "ยแล"]
    assert Analyser("th").terms("ก") == ["ก"]
    assert Analyser("th").terms("กข") == ["กข"]
    assert Analyser("en").terms("ລາວ") == ["ລາວ"]
    # Sara am is two code points after NFKC, in texts and in queries alike.
    assert Analyser("th").terms("น้ำ") == Analyser("th").terms("น้ํา")


def test_a_script_is_cut_the_same_way_in_every_language() -> None:
    mixed = "Tokyo東京2020 ภาษา foxes"
    assert Analyser("vi").terms(mixed) == ["tokyo", "2020", "foxes", "東京", "ภาษ", "าษา"]
    assert Analyser("zh").terms(mixed) == Analyser("th").terms(mixed) == Analyser("vi").terms(mixed)


def test_compatibility_forms_are_folded() -> None:
    assert Analyser("en").terms("ﬁne Ｆｕｌｌ Ⅷ") == ["fine", "full", "viii"]
    assert Analyser("ja").terms("ｶﾀｶﾅ") == Analyser("ja").terms("カタカナ")
    assert Analyser("vi").terms("Việt") == Analyser("vi").terms(
        unicodedata.normalize("NFD", "Việt")
    )


def test_words_follow_the_rules_of_unicode() -> None:
    assert Analyser("en").terms("don't pay 3.14 or 1,000 by e-mail") == (
        ["don't", "pay", "3.14", "or", "1,000", "by", "e", "mail"]
    )


def test_words_keep_their_order_and_their_number() -> None:
    assert Analyser("en").terms("b a c a b a") == ["b", "a", "c", "a", "b", "a"]
    assert Analyser("en").terms("東京 river 大阪 lake") == ["river", "lake", "東京", "大阪"]


@pytest.mark.parametrize("language", NAMES)
def test_punctuation_and_nothing_give_no_terms(language: str) -> None:
    assert Analyser(language).terms("") == []
    assert Analyser(language).terms(" \n\t\u00a0\u3000") == []
    assert Analyser(language).terms("?! … — «» “” 。、「」 ؟ । ¿¡ (){}[] 🙂 + = €") == []


@pytest.mark.parametrize(
    "text",
    [
        "\ufefffoxes run",  # some sentences of XQuAD-R begin with a byte order mark
        "\u200ffoxes run",  # and some with a right-to-left mark
        "\u2060foxes run",
        "the 'aberrant' fox",  # MLQA-R
        "the ''in'' fox",
        "l'abeille",
        "the ’old’ fox",
    ],
)
def test_no_word_is_lost_beside_marks_and_quotes(text: str) -> None:
    found = Analyser("vi").terms(text)
    for word in re.findall("[a-z]+", text):
        assert any(word in term for term in found), word


@given(st.text(st.sampled_from("abeiot'’\"«.-_ 7\n\ufeff\u200e\u200f\u00ad\u0301"), max_size=12))
def test_every_letter_is_in_a_term(text: str) -> None:
    joined = unicodedata.normalize("NFKC", text)
    found = Analyser("vi").terms(text)
    for run in re.findall("[a-z]+", joined):
        assert any(run in term for term in found)


@given(st.sampled_from(sorted(NAMES)), st.text(max_size=40))
def test_terms_are_never_empty(language: str, text: str) -> None:
    found = Analyser(language).terms(text)
    assert all(isinstance(term, str) and term for term in found)
    assert not any(re.search(r"\s", term) for term in found)
    assert Analyser(language).terms(text) == found


# Snowball's Greek stemmer leaves nothing of these.
@pytest.mark.parametrize("word", ["αγα", "αει", "ακι"])
def test_a_word_of_which_no_stem_is_left_is_its_own_term(word: str) -> None:
    assert Analyser("el").terms(word) == [word]


@given(
    st.sampled_from(["ar", "fi", "tr", "hi", "el", "fa"]),
    st.text(st.characters(categories=["Ll", "Lo"]), min_size=1, max_size=4),
)
def test_a_word_of_letters_gives_a_term(language: str, word: str) -> None:
    assert Analyser(language).terms(word)
