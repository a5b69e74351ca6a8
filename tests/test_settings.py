from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.definition import load_definition
from tasks.errors import UnknownNameError
from tasks.languages import NAMES, POOL, language_name
from tasks.settings import (
    KINDS,
    in_class_average,
    kind_of,
    languages_of,
    parallel_settings,
    select,
)

XQUAD_R = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")
MLQA_R = ("ar", "de", "en", "es", "hi", "vi", "zh")
SEVERAL = st.lists(st.sampled_from(sorted(NAMES)), min_size=2, unique=True)


@pytest.mark.parametrize(
    ("languages", "counts"),
    [
        (XQUAD_R, {"moir": 11, "clir": 110, "mlir": 12}),
        (MLQA_R, {"moir": 7, "clir": 42, "mlir": 8}),
    ],
)
def test_number_of_settings_of_each_kind(languages, counts):
    settings = parallel_settings(languages)
    assert Counter(setting.kind for setting in settings) == counts
    assert len(settings) == {11: 133, 7: 57}[len(languages)]


@pytest.mark.parametrize(
    ("task", "size"), [("xquad-r", 133), ("xquad-r+context", 133), ("mlqa-r", 57), ("pocket", 133)]
)
def test_number_of_settings_of_each_task(task, size):
    definition, _ = load_definition(task)
    assert len(parallel_settings(definition.languages)) == size


def test_two_languages_by_hand():
    settings = parallel_settings(["en", "de"])
    assert [s.id for s in settings] == [
        "moir/de-de",
        "moir/en-en",
        "clir/de-en",
        "clir/en-de",
        "mlir/de-xx",
        "mlir/en-xx",
        "mlir/xx-xx",
    ]
    by_id = {s.id: s for s in settings}
    assert by_id["clir/en-de"].query_languages == ("en",)
    assert by_id["clir/en-de"].document_languages == ("de",)
    assert by_id["mlir/en-xx"].document_languages == ("de", "en")
    assert by_id["mlir/xx-xx"].query_languages == ("de", "en")


def test_one_language_gives_one_setting():
    # A pool of one language is no pool: it would be the same ranking under a second name.
    assert [s.id for s in parallel_settings(["de"])] == ["moir/de-de"]


@given(SEVERAL)
def test_every_pair_of_languages_is_there_once(languages):
    settings = parallel_settings(languages)
    n = len(languages)
    assert Counter(s.kind for s in settings) == {"moir": n, "clir": n * (n - 1), "mlir": n + 1}
    assert len({s.id for s in settings}) == len(settings)
    single = [s for s in settings if s.kind != "mlir"]
    pairs = [(s.query_languages[0], s.document_languages[0]) for s in single]
    assert sorted(pairs) == sorted((a, b) for a in languages for b in languages)
    assert [s.kind for s in single] == ["moir" if a == b else "clir" for a, b in pairs]
    pools = [s for s in settings if s.kind == "mlir"]
    assert all(set(s.document_languages) == set(languages) for s in pools)
    assert [set(s.query_languages) for s in pools] == [
        *({a} for a in sorted(languages)),
        {*languages},
    ]


@given(SEVERAL, st.randoms())
def test_order_of_languages_does_not_matter(languages, random):
    shuffled = random.sample(languages, len(languages))
    assert parallel_settings(shuffled) == parallel_settings(languages)


@given(SEVERAL)
def test_an_id_says_kind_and_languages(languages):
    for setting in parallel_settings(languages):
        assert kind_of(setting.id) == setting.kind
        sides = (setting.query_languages, setting.document_languages)
        written = tuple(side[0] if len(side) == 1 else POOL for side in sides)
        assert languages_of(setting.id) == written


def test_unknown_kind():
    with pytest.raises(UnknownNameError, match=r"'cliir'. Did you mean clir"):
        kind_of("cliir/de-en")


def test_all_queries_in_one_pool_are_left_out_of_the_average():
    ids = [s.id for s in parallel_settings(XQUAD_R)]
    assert [i for i in ids if not in_class_average(i)] == ["mlir/xx-xx"]
    averaged = Counter(kind_of(i) for i in ids if in_class_average(i))
    assert averaged == {"moir": 11, "clir": 110, "mlir": 11}


IDS = tuple(s.id for s in parallel_settings(XQUAD_R))


@pytest.mark.parametrize(
    ("patterns", "size"),
    [
        ([], 133),
        (["*"], 133),
        (["moir/*"], 11),
        (["clir/*-de"], 10),
        (["clir/de-*"], 10),
        (["clir/??-en", "clir/en-??"], 20),
        (["mlir/*-xx"], 12),
        (["clir/[ad]*-ru"], 2),
        (["clir/ar-ru"], 1),
        (["clir/ar-*", "*-ru"], 20),  # clir/ar-ru matches both and is there once
    ],
)
def test_globs(patterns, size):
    chosen = select(IDS, patterns)
    assert len(chosen) == len(set(chosen)) == size


def test_globs_keep_the_order_in_which_settings_are_reported():
    chosen = select(IDS, ["mlir/*", "moir/*"])
    assert chosen == tuple(i for i in IDS if not i.startswith("clir/"))


@pytest.mark.parametrize(
    ("pattern", "suggested"),
    [
        ("clir/ar-rus", "clir/ar-ru"),
        ("mlir/enxx", "mlir/en-xx"),
        ("CLIR/ar-ru", "clir/ar-ru"),  # ids are lower case, on every machine
        ("moir/de-dd", "moir/de-de"),
    ],
)
def test_a_glob_that_matches_nothing_suggests_names(pattern, suggested):
    with pytest.raises(UnknownNameError) as caught:
        select(IDS, ["moir/*", pattern])
    message = str(caught.value)
    assert repr(pattern) in message
    assert "Did you mean" in message
    assert suggested in message


def test_a_glob_like_nothing_lists_what_there_is():
    with pytest.raises(UnknownNameError, match=r"Known: clir/.*133 in all"):
        select(IDS, ["everything"])


def test_names_of_languages():
    assert language_name("el") == "Greek"
    assert language_name(POOL) == "all languages"
    with pytest.raises(UnknownNameError, match=r"Unknown language: 'gr'"):
        language_name("gr")
    assert POOL not in NAMES
    assert set(KINDS) == {"moir", "clir", "mlir"}
