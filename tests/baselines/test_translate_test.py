"""Translate-test: what the model is shown, what the entry says of it, and what it brings."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("bm25s", reason="needs the extra 'score'")

from harness.models.description import ModelDescription, ModelKind
from harness.models.lexical import BM25, CharNgram
from harness.progress import Silent
from harness.question_scores import question_scores, setting_means
from harness.retrieval.retrievers import Prepared
from harness.score import FirstStage, Plan, score
from submissions.baselines.lexicon import Lexicon, make_lexicon
from submissions.baselines.translate_test import (
    TranslatedTexts,
    Translator,
    translate_test,
    translation_of,
)
from tasks.errors import DataFileError, UsageError
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.progress import Reporter
    from harness.ranks import RankTable
    from tasks.collection import Collection

# The German texts of the fixture own_task become the English ones, word by word.
GERMAN = {
    "gras": "grass",
    "wirkt": "looks",
    "grün": "green",
    "schnee": "snow",
    "weiß": "white",
    "welches": "which",
    "ding": "thing",
}


def lexicon(source: str, pairs: dict[str, str]) -> Lexicon:
    return make_lexicon("made-up", source, "en", [(a, b, 1.0) for a, b in pairs.items()])


@dataclass
class Reader:
    """Keeps the texts that it is shown; of pairs, it likes those that share most words."""

    kind: ModelKind = "cross-encoder"
    shown: list[Collection] = field(default_factory=list)
    read: list[tuple[str, str]] = field(default_factory=list)

    def describe(self) -> ModelDescription:
        return ModelDescription(self.kind, "reader", settings={"own": True})

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],  # noqa: ARG002
        cache: Path | None,  # noqa: ARG002
        progress: Reporter,  # noqa: ARG002
    ) -> Prepared:
        self.shown.append(collection)
        return Prepared(self, self.describe(), "cpu", texts=0, distinct_texts=0)

    def scores_of(
        self, pairs: Sequence[tuple[str, str]], on_pairs: Callable[[int], None]
    ) -> NDArray[np.float64]:
        self.read += pairs
        on_pairs(len(pairs))
        words = [[set(text.lower().strip("?.").split()) for text in pair] for pair in pairs]
        return np.array([float(len(query & document)) for query, document in words])


# ---- translating -----------------------------------------------------------------------------


def test_the_heaviest_translation_is_taken_and_other_words_stay() -> None:
    pairs = [("bank", "bench", 1.0), ("bank", "shore", 3.0), ("am", "at", 1.0)]
    translator = Translator(make_lexicon("made-up", "de", "en", pairs))
    assert translator.translate("Die Bank am  Fluss (am Main).") == (
        "Die Shore at  Fluss (at Main)."
    )
    assert translator.translate("bank " * 50) == "shore " * 50  # nothing is drawn


def test_the_longest_term_wins() -> None:
    terms = {"new": "neu", "new york": "Big Apple", "york": "Eberstadt"}
    assert Translator(lexicon("de", terms)).translate("In New York, York") == (
        "In Big Apple, Eberstadt"
    )


def test_scripts_without_spaces_are_translated_term_by_term() -> None:
    translator = Translator(lexicon("zh", {"北京": "Beijing", "是": "is", "首都": "capital"}))
    assert translator.translate("北京是中国首都。") == "Beijing is 中国 capital。"


def test_texts_on_disk_are_translated_when_they_are_asked_for() -> None:
    texts = ["eins zwei", "drei", "zwei"]
    translated = TranslatedTexts(texts, Translator(lexicon("de", {"zwei": "two"})))
    assert len(translated) == 3
    assert list(translated) == ["eins two", "drei", "two"]
    assert (translated[0], translated[-1], translated[1:]) == ("eins two", "two", ("drei", "two"))
    texts[1] = "zwei drei"
    assert translated[1] == "two drei"


# ---- what the model is shown -----------------------------------------------------------------


def test_each_side_is_translated_with_the_lexicon_of_its_own_language() -> None:
    # "gift" and "sin" are words of several languages, so a mix-up of tables would show.
    collection = load_task("pocket").collection
    both = {"gift": "poison of DE", "sin": "sense of DE"}
    other = {"gift": "gift of ES", "sin": "without of ES"}
    texts = {code: f"Gift sin {code}" for code in ("de", "en", "es")}
    for code, text in texts.items():
        _write(collection, code, text)
    model = Reader()
    wrapped = translate_test(model, {"de": lexicon("de", both), "es": lexicon("es", other)})
    wrapped.prepare(collection, (["de", "en", "es"], ["de", "en", "es"]), None, Silent())
    (shown,) = model.shown
    for texts_of in (shown.queries, shown.corpora):
        assert set(texts_of["de"].texts) == {"Poison of DE sense of DE de"}
        assert set(texts_of["es"].texts) == {"Gift of ES without of ES es"}
        assert set(texts_of["en"].texts) == {"Gift sin en"}
    for code in ("de", "en", "es"):
        assert shown.queries[code].language == shown.corpora[code].language == code
        assert shown.corpora[code].ids is collection.corpora[code].ids
    assert shown.judgments is collection.judgments


def _write(collection: Collection, code: str, text: str) -> None:
    for texts in (collection.queries[code], collection.corpora[code]):
        object.__setattr__(texts, "texts", (text,) * len(texts.texts))


def test_only_what_is_asked_for_is_translated() -> None:
    collection = load_task("pocket").collection
    model = Reader()
    wrapped = translate_test(model, {"de": lexicon("de", GERMAN)})
    prepared = wrapped.prepare(collection, (["en"], ["de"]), None, Silent())
    assert model.shown[0].queries is not collection.queries
    assert model.shown[0].queries["de"] is collection.queries["de"]
    assert model.shown[0].corpora["th"] is collection.corpora["th"]
    assert list(prepared.data) == ["made-up/de-en"]
    held = model.shown[0].corpora["de"]
    assert isinstance(held.texts, tuple)
    object.__setattr__(collection.corpora["de"], "texts", list(held.texts))  # as if on disk
    wrapped.prepare(collection, (["en"], ["de"]), None, Silent())
    assert isinstance(model.shown[1].corpora["de"].texts, TranslatedTexts)
    with pytest.raises(UsageError, match=r"no lexicon from Thai \(th\) to English"):
        wrapped.prepare(collection, (["en"], ["th"]), None, Silent())


@pytest.mark.parametrize("model", [BM25(), CharNgram()], ids=["bm25", "char-ngram"])
def test_a_perfect_lexicon_makes_all_languages_english(
    model: BM25 | CharNgram, own_task: Path
) -> None:
    task = load_task(str(own_task))
    wrapped = translate_test(model, {"de": lexicon("de", GERMAN)})
    table = score(wrapped, task, task.settings, Plan(), Silent()).table
    english = _ranks(table, "moir/en-en")
    assert english == {("q0", "0_0"): 1, ("q1", "0_1"): 1}
    for setting in ("moir/de-de", "clir/de-en", "clir/en-de"):
        assert _ranks(table, setting) == english


def _ranks(table: RankTable, setting: str) -> dict[tuple[str, str], int]:
    """Rank by question and document, whose id goes without its language."""
    names = [
        [column.names[code] for code in column.codes]
        for column in (table.setting, table.question, table.document)
    ]
    return {
        (question, document.partition("_")[2]): rank
        for one, question, document, rank in zip(*names, table.rank.tolist(), strict=True)
        if one == setting
    }


def test_bm25_takes_the_stemmer_of_english() -> None:
    wrapped = translate_test(BM25(), {"de": lexicon("de", {"hunde": "dogs", "hund": "dog"})})
    settings = wrapped.describe().settings
    assert settings["analyser_de"] == settings["analyser_en"]
    assert settings["analyser_zh"] == settings["analyser_en"]
    assert BM25().describe().settings["analyser_de"] != settings["analyser_de"]
    assert settings["translate_test"] == "made-up"


def test_a_reranker_reads_the_translations(own_task: Path) -> None:
    task = load_task(str(own_task))
    chosen = [setting for setting in task.settings if setting.id == "clir/de-en"]
    model = Reader()
    wrapped = translate_test(model, {"de": lexicon("de", GERMAN)})
    stage = FirstStage("bm25", translate_test(BM25(), {"de": lexicon("de", GERMAN)}))
    scored = score(wrapped, task, chosen, Plan(first_stage=stage), Silent())
    assert set(model.read) == {
        ("Which Thing looks green?", "Grass looks green."),
        ("Which Thing looks green?", "Snow looks white."),
        ("Which Thing looks white?", "Grass looks green."),
        ("Which Thing looks white?", "Snow looks white."),
    }
    assert set(_ranks(scored.table, "clir/de-en").values()) == {1}
    assert scored.data["made-up/de-en"] == lexicon("de", GERMAN).checksum
    with pytest.raises(UsageError, match="cross-encoder"):
        score(wrapped, task, chosen, Plan(), Silent())


def test_the_description_does_not_depend_on_the_languages_of_a_task() -> None:
    german, spanish = lexicon("de", GERMAN), lexicon("es", {"perro": "dog"})
    for model in (BM25(), CharNgram(), Reader()):
        one = translate_test(model, {"de": german}).describe()
        assert one == translate_test(model, {"de": german, "es": spanish}).describe()
        assert one != model.describe()


def test_what_cannot_be_translated_is_refused() -> None:
    backwards = make_lexicon("made-up", "en", "de", [("dog", "Hund", 1.0)])
    with pytest.raises(UsageError, match=r"needs a lexicon de-en; 'made-up/en-de' is en-de"):
        translate_test(BM25(), {"de": backwards})
    with pytest.raises(UsageError, match="of the kind 'run' reads none"):
        translate_test(Reader("run"), {"de": lexicon("de", GERMAN)})


# ---- the command -----------------------------------------------------------------------------


def test_the_lexicons_that_tasks_need(own_task: Path, tmp_path: Path) -> None:
    (tmp_path / "de-en.tsv").write_text("hund\tdog\n", encoding="utf-8")
    task = load_task(str(own_task))
    found = translation_of(f"pairs:{tmp_path}/{{source}}-{{target}}.tsv", [task], None)
    assert found.spec == "pairs:{source}-{target}.tsv"
    assert list(found.lexicons) == ["de"]
    assert found.lexicons["de"].entries == {"hund": (("dog", 1.0),)}
    with pytest.raises(DataFileError, match=r"no lexicon .*none\.tsv"):
        translation_of(f"pairs:{tmp_path}/none.tsv", [task], None)
    english = load_task(str(own_task), patterns=["moir/en-en"])
    with pytest.raises(UsageError, match="all texts of the selected settings are English"):
        translation_of("cldr", [english], None)


def test_it_lets_bm25_cross_languages(data: Path) -> None:
    task = load_task("xquad-r", data, ["clir/en-de"])
    translation = translation_of("muse", [task], data)
    tables = [
        score(model, task, task.selected, Plan(), Silent()).table
        for model in (BM25(), translation.model(BM25()))
    ]
    means = [setting_means(question_scores(table, "AP"))["clir/en-de"].mean for table in tables]
    assert means[0] == pytest.approx(0.219, abs=0.005)
    assert means[1] == pytest.approx(0.555, abs=0.02)


def test_the_command_records_the_lexicon(babelboard, own_task: Path, tmp_path: Path) -> None:
    lines = "".join(f"{german}\t{english}\n" for german, english in GERMAN.items())
    (tmp_path / "de-en.tsv").write_text(lines, encoding="utf-8")
    arguments = ("score", "bm25", "--task", own_task, "--entries", tmp_path / "entries")
    plain = babelboard(*arguments, "--json")
    assert plain.returncode == 0, plain.stderr
    spec = f"pairs:{tmp_path}/de-en.tsv"
    done = babelboard(*arguments, "--translate-test", spec, "--json")
    assert done.returncode == 0, done.stderr
    averages = [json.loads(each.stdout)[0]["classes"]["clir"]["RR@10"] for each in (plain, done)]
    assert averages[0]["micro_over_questions"] < averages[1]["micro_over_questions"] == 1.0
    manifest = (tmp_path / "entries" / "bm25-translate-test" / "submission.toml").read_text("utf-8")
    assert "--translate-test pairs:de-en.tsv" in manifest
    assert str(tmp_path / "de-en.tsv") not in manifest
    assert 'training = "translate-test"' in manifest
    assert 'training_data = "none"' in manifest
    assert 'name = "bm25, translate-test"' in manifest
    assert '"pairs/de-en"' in manifest
    again = babelboard(*arguments, "--translate-test", "cldr", "--entry", "bm25")
    assert again.returncode == 2
    assert "made by another model" in again.stderr
