from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.definition import load_definition
from tasks.errors import BabelboardError, UnknownNameError
from tasks.languages import NAMES, POOL, language_name
from tasks.settings import (
    KINDS,
    counted_in_average,
    kind_of,
    languages_of,
    listed_settings,
    monolingual_and_pool_settings,
    pair_settings,
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
    ("task", "size"),
    [
        ("xquad-r", 133),
        ("xquad-r+context", 133),
        ("mlqa-r", 57),
        ("pocket", 133),
        ("miracl", 36),
        ("mmarco", 196),
        ("mmarco-rerank", 18),
        ("mmarco-rerank+paper-draw", 18),
        ("mmarco-rerank-unseen", 17),
    ],
)
def test_number_of_settings_of_each_task(task, size):
    definition, _ = load_definition(task)
    settings = definition.all_settings()
    assert len(settings) == len({s.id for s in settings}) == size


def test_settings_of_miracl():
    settings = load_definition("miracl")[0].all_settings()
    assert Counter(s.kind for s in settings) == {"moir": 18, "mlir": 18}
    for setting in settings:
        assert len(setting.query_languages) == 1
        assert len(setting.document_languages) == (1 if setting.kind == "moir" else 18)
    assert {s.id for s in settings} >= {"moir/sw-sw", "mlir/sw-xx"}


def test_settings_of_mmarco():
    settings = load_definition("mmarco")[0].all_settings()
    assert Counter(s.kind for s in settings) == {"moir": 14, "clir": 182}


def test_settings_of_mmarco_reranking():
    # The pairs of Litschko et al. 2023, query language first, as their code lists them.
    seen = "de-de ru-ru ar-ar nl-nl it-it en-en en-de en-it en-ar en-ru de-it de-nl de-ru ar-it"
    unseen = "fr-en id-nl es-fr en-pt de-vi it-zh fr-pt id-vi pt-zh fr-fr id-id es-es pt-pt zh-zh"
    pools = {"xx-en", "en-xx", "xx-xx"}
    for task, pairs, languages in (
        ("mmarco-rerank", {*seen.split(), "ar-ru"}, 6),
        ("mmarco-rerank-unseen", {*unseen.split()}, 14),
    ):
        settings = load_definition(task)[0].all_settings()
        sides = {s.id.partition("/")[2]: s for s in settings}
        assert set(sides) == pairs | pools
        assert len(sides["xx-en"].query_languages) == languages
        assert sides["xx-en"].document_languages == ("en",)
        assert sides["en-xx"].query_languages == ("en",)
        assert len(sides["en-xx"].document_languages) == languages
        assert sides["xx-xx"].query_languages == sides["en-xx"].document_languages


def test_listed_settings_keep_their_order():
    ids = ["mlir/xx-de", "moir/de-de", "clir/en-de", "mlir/xx-xx"]
    settings = listed_settings(ids, ["en", "de"])
    assert [s.id for s in settings] == ids
    assert [s.query_languages for s in settings] == [
        ("de", "en"),
        ("de",),
        ("en",),
        ("de", "en"),
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("moir/de-en", "'moir/de-en': moir has one language on both sides"),
        ("clir/de-de", "'clir/de-de': moir has"),
        ("clir/xx-de", "'clir/xx-de': .* mlir xx on one side or both"),
        ("mlir/de-en", "'mlir/de-en': "),
        ("moir/de", "KIND/QUERIES-DOCUMENTS, found 'moir/de'"),
        ("moir/de-de-de", "Unknown language in 'moir/de-de-de'"),
        ("moir/fr-fr", "Unknown language in 'moir/fr-fr': 'fr'"),
        ("noir/de-de", "Unknown kind of setting: 'noir'. Did you mean moir"),
    ],
)
def test_a_listed_setting_that_makes_no_sense(name, message):
    with pytest.raises(BabelboardError, match=message):
        listed_settings([name], ["en", "de"])


@given(SEVERAL)
def test_rules_give_parts_of_the_parallel_settings(languages):
    every = parallel_settings(languages)
    n = len(languages)
    pairs, pools = pair_settings(languages), monolingual_and_pool_settings(languages)
    assert pairs == every[: n * n]
    assert set(pools) <= set(every)
    assert Counter(s.kind for s in pools) == {"moir": n, "mlir": n}
    assert listed_settings([s.id for s in every], languages) == every


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
    counted = counted_in_average(ids)
    assert set(ids) - set(counted) == {"mlir/xx-xx"}
    assert list(counted) == [i for i in ids if i in counted]
    assert Counter(map(kind_of, counted)) == {"moir": 11, "clir": 110, "mlir": 11}


@pytest.mark.parametrize(
    "ids",
    [
        # Drawn languages: none of the three repeats another.
        ["clir/en-de", "mlir/xx-en", "mlir/en-xx", "mlir/xx-xx"],
        ["mlir/xx-xx"],
        ["mlir/de-xx", "mlir/en-xx"],
        ["mlir/xx-de", "mlir/xx-en", "mlir/xx-xx"],
        [],
    ],
)
def test_settings_that_all_count_in_the_average(ids):
    assert counted_in_average(ids) == tuple(ids)


def test_the_pool_of_all_queries_does_not_count_beside_two_of_its_parts():
    ids = ["mlir/de-xx", "mlir/xx-xx", "mlir/en-xx", "mlir/xx-en"]
    assert counted_in_average(iter(ids)) == ("mlir/de-xx", "mlir/en-xx", "mlir/xx-en")


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
