"""mteb runs our tasks through its own loading, encoding, search and measures: an independent check
of all of ours. The encoders are cheap and have no batches that could change a text's vector."""

from __future__ import annotations

import dataclasses
import socket
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from harness.progress import Silent
from harness.question_scores import question_scores, setting_means
from tasks.arrow_strings import ArrowStrings
from tasks.collection import Candidates, Collection, Corpus, Draw, Judgments, Queries
from tasks.definition import load_definition, task_names
from tasks.errors import UsageError
from tasks.languages import NAMES
from tasks.mteb_names import LANGUAGES, mteb_score
from tasks.settings import listed_settings, parallel_settings
from tasks.task import Task, load_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from sentence_transformers import SentenceTransformer

    from tasks.settings import Setting

ROUNDING = 6e-6  # mteb rounds means to five decimals

pytestmark = [
    # Both from mteb reading a SentenceTransformer: it passes an argument that it deprecates, and
    # calls a method that sentence-transformers has renamed.
    pytest.mark.filterwarnings("ignore:The fill_missing parameter is deprecated"),
    pytest.mark.filterwarnings("ignore:The `get_sentence_embedding_dimension` method"),
]


@pytest.fixture(scope="module")
def mteb_tasks(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        # Read when mteb is imported, which makes the folder.
        patch.setenv("MTEB_CACHE", str(tmp_path_factory.mktemp("mteb")))
        pytest.importorskip("mteb", reason="needs the extra 'score'")
    return import_module("tasks.mteb_tasks")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("the tests have no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="module")
def pocket() -> Task:
    return load_task("pocket")


@pytest.fixture(scope="module")
def small(pocket: Task) -> Task:
    """Pocket in three languages: 9 MoIR and CLIR settings, 4 MLIR settings, 594 documents."""
    return in_languages(pocket, ("de", "ru", "tr"))


def in_languages(task: Task, languages: tuple[str, ...]) -> Task:
    whole = task.collection
    parts = [
        {code: by_language[code] for code in languages}
        for by_language in (whole.queries, whole.corpora, whole.judgments)
    ]
    return dataclasses.replace(
        task,
        collection=Collection(whole.questions, *parts),
        settings=parallel_settings(languages),
    )


def bag_of_bytes(weights: np.ndarray, longest: int | None = None) -> SentenceTransformer:
    """The mean of the weights of a text's bytes, or of its first ``longest`` bytes."""
    pytest.importorskip("sentence_transformers", reason="needs the extra 'score'")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if longest is not None:
        tokenizer.enable_truncation(longest)
    embedding = StaticEmbedding(tokenizer, embedding_weights=weights.astype(np.float32))
    return SentenceTransformer(modules=[embedding], device="cpu", similarity_fn_name="cosine")


def exact(
    model: Any, mteb_task: Any, settings: Sequence[Setting], measures: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """mteb's means by measure and setting before it rounds them; its names by ours."""
    found: dict[str, dict[str, float]] = {measure: {} for measure in measures}

    def keep(_: Any, scores: Any, *__: Any, hf_subset: str, **___: Any) -> dict[str, float]:
        for measure, name in measures.items():
            found[measure][hf_subset] = float(np.mean([row[name] for row in scores.values()]))
        return {}

    type(mteb_task).task_specific_scores = keep
    rows = theirs(model, mteb_task, batch_size=1)
    found["RR@10"] = {setting.id: rows[setting.id]["mrr_at_10"] for setting in settings}
    return found


@pytest.fixture(scope="module")
def spread() -> SentenceTransformer:
    """Random vectors: texts seldom tie."""
    return bag_of_bytes(np.random.default_rng(20260101).standard_normal((256, 64)))


@pytest.fixture(scope="module")
def tying() -> SentenceTransformer:
    """Compares first bytes: every score is exactly 0 or 1, so that nearly all documents tie."""
    return bag_of_bytes(np.eye(256), longest=1)


def ours(
    model: SentenceTransformer, task: Task, settings: Sequence[Setting], measure: str
) -> dict[str, float]:
    from harness.models.dense import DenseEncoder
    from harness.models.description import ModelDescription
    from harness.score import Plan, score

    said = {"query_prompt": "", "document_prompt": "", "normalised": False, "similarity": "cosine"}
    encoder = DenseEncoder(model, ModelDescription(kind="dense", name="bytes", settings=said))
    table = score(encoder, task, settings, Plan(), Silent()).table
    return {k: v.mean for k, v in setting_means(question_scores(table, measure)).items()}


def theirs(
    model: Any, mteb_task: Any, cache: Path | None = None, batch_size: int = 32
) -> dict[str, Mapping[str, Any]]:
    import mteb

    result = mteb.evaluate(
        model,
        mteb_task,
        cache=None if cache is None else mteb.ResultCache(cache),
        encode_kwargs={"batch_size": batch_size, "show_progress_bar": False},
        co2_tracker=False,
        show_progress_bar=False,
    )
    return {row["hf_subset"]: row for row in result.task_results[0].scores["test"]}


@pytest.mark.parametrize("kind", ["spread", "tying"])
def test_mteb_gives_our_numbers_in_every_setting(
    kind: str, small: Task, mteb_tasks: ModuleType, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(kind)
    found = theirs(model, mteb_tasks.as_mteb_task(small, small.settings))
    assert list(found) == [setting.id for setting in small.settings]
    for measure in ("AP", "AP@20", "RR@10", "nDCG@10", "R@100", "P@10", "Success@5"):
        name = mteb_score(measure)
        means = ours(model, small, small.settings, measure)
        assert len(set(means.values())) > 3, "an encoder that tells nothing apart tests nothing"
        assert {k: row[name] for k, row in found.items()} == pytest.approx(means, abs=ROUNDING)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("tiny_encoder", ("moir/de-de", "clir/ru-tr", "mlir/tr-xx", "mlir/xx-xx")),
        ("minilm", ("moir/de-de", "mlir/xx-xx")),
    ],
)
def test_a_transformer_agrees_to_six_decimals(
    name: str,
    wanted: tuple[str, ...],
    pocket: Task,
    mteb_tasks: ModuleType,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = request.getfixturevalue(name)
    from harness.models.encoder_options import EncoderOptions
    from harness.models.from_mteb import MtebEncoder
    from harness.models.mteb_model import MtebModel
    from harness.score import Plan, score

    # A text alone in its batch has one embedding, whoever asks for it.
    monkeypatch.setattr(MtebModel, "tokens_per_batch", property(lambda _: 1))
    model = in_whole_numbers(str(folder))
    encoder = MtebEncoder(MtebModel(model, model.mteb_model_meta, EncoderOptions()))
    task = beginning(in_languages(pocket, ("de", "ru", "tr")), questions=12, documents=40)
    settings = [setting for setting in task.settings if setting.id in wanted]
    table = score(encoder, task, settings, Plan(), Silent()).table

    names = {"AP": "map_cut_120", "nDCG@10": "ndcg_cut_10", "R@20": "recall_20"}
    found = exact(model, mteb_tasks.as_mteb_task(task, settings, depth=120), settings, names)
    for measure in (*names, "RR@10"):
        means = {k: v.mean for k, v in setting_means(question_scores(table, measure)).items()}
        assert set(means) == set(wanted)
        assert 0 < means["mlir/xx-xx"] < 1
        assert found[measure] == pytest.approx(means, abs=1e-6), measure


def in_whole_numbers(folder: str) -> Any:
    """An encoder as mteb wraps it, its unit vectors in steps of 1/256, compared by dot product.

    These products are exact in float32 too, so that no order depends on the last bit of a sum.
    """
    from mteb.models import ModelMeta
    from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper

    class Rounded(SentenceTransformerEncoderWrapper):
        def encode(self, *arguments: Any, **options: Any) -> Any:
            return np.rint(np.asarray(super().encode(*arguments, **options)) * 256)

        def similarity(self, embeddings1: Any, embeddings2: Any) -> Any:
            a, b = (torch.as_tensor(e, dtype=torch.float32) for e in (embeddings1, embeddings2))
            return a @ b.T

    import torch

    model = Rounded(folder, device="cpu")
    model.mteb_model_meta = ModelMeta.create_empty(
        overwrites={"name": "tests/rounded", "revision": "1", "loader": Rounded}
    )
    return model


def beginning(task: Task, *, questions: int, documents: int) -> Task:
    """The first questions and documents of a task, and the judgments among them."""
    whole = task.collection
    queries = {
        code: Queries(code, q.question[q.question < questions], q.texts[:questions])
        for code, q in whole.queries.items()
    }
    corpora = {
        code: Corpus(code, c.ids[:documents], c.texts[:documents])
        for code, c in whole.corpora.items()
    }
    judgments = {}
    for code, judged in whole.judgments.items():
        kept = (judged.question < questions) & (judged.document < documents)
        columns = (judged.question, judged.document, judged.relevance)
        judgments[code] = Judgments(code, *(column[kept] for column in columns))
    collection = Collection(whole.questions[:questions], queries, corpora, judgments)
    return dataclasses.replace(task, collection=collection)


def test_main_score_is_the_primary_measure_of_the_task(
    small: Task, mteb_tasks: ModuleType, spread: SentenceTransformer
) -> None:
    settings = small.settings[:1]
    for measure, name in (("AP", "map_at_1000"), ("AP@20", "map_at_20"), ("RR@10", "mrr_at_10")):
        definition = small.definition.model_copy(update={"primary_measure": measure})
        task = dataclasses.replace(small, definition=definition)
        row = theirs(spread, mteb_tasks.as_mteb_task(task, settings))[settings[0].id]
        assert row["main_score"] == row[name]


@pytest.mark.parametrize(("depth", "measure"), [(150, "AP@150"), (594, "AP"), (20, "AP@20")])
def test_mteb_cuts_average_precision_at_depth(
    depth: int,
    measure: str,
    small: Task,
    mteb_tasks: ModuleType,
    spread: SentenceTransformer,
) -> None:
    settings = [s for s in small.settings if s.id == "mlir/tr-xx"]
    row = theirs(spread, mteb_tasks.as_mteb_task(small, settings, depth))["mlir/tr-xx"]
    in_full = ours(spread, small, settings, "AP")["mlir/tr-xx"]
    cut = ours(spread, small, settings, measure)["mlir/tr-xx"]
    assert row[mteb_score("AP", depth)] == pytest.approx(cut, abs=ROUNDING)
    assert measure == "AP" or in_full - cut > 10 * ROUNDING


def test_measures_with_another_cutoff_than_mtebs_own(
    small: Task, mteb_tasks: ModuleType, spread: SentenceTransformer
) -> None:
    definition = small.definition.model_copy(update={"measures": ("nDCG@7",)})
    task, settings = dataclasses.replace(small, definition=definition), small.settings[:1]
    row = theirs(spread, mteb_tasks.as_mteb_task(task, settings))[settings[0].id]
    expected = ours(spread, task, settings, "nDCG@7")[settings[0].id]
    assert row["ndcg_at_7"] == pytest.approx(expected, abs=ROUNDING)


@pytest.fixture
def partly_shared(pocket: Task) -> Task:
    """German asks q1 and q2, English q2 and q3; q2 is graded 2 in English, and q3 has no German."""
    collection = Collection(
        questions=("q1", "q2", "q3"),
        queries={
            "de": Queries("de", np.array([0, 1]), ("ein", "apfel")),
            "en": Queries("en", np.array([1, 2]), ("apple", "bread")),
        },
        corpora={
            "de": Corpus("de", ("de_0", "de_1"), ("eins", "am")),
            "en": Corpus("en", ("en_0", "en_1", "en_2"), ("an", "at", "bun")),
        },
        judgments={
            "de": Judgments("de", np.array([0, 1]), np.array([0, 1]), np.array([1, 1])),
            "en": Judgments("en", np.array([1, 2]), np.array([0, 2]), np.array([2, 1])),
        },
    )
    return dataclasses.replace(
        pocket, collection=collection, settings=parallel_settings(("de", "en"))
    )


def test_only_questions_with_an_answer_count(
    partly_shared: Task, mteb_tasks: ModuleType, tying: SentenceTransformer
) -> None:
    # By hand. In clir/de-en only q2 has an answer: en_0, which ties with en_1 and goes after it.
    # In clir/en-de only q2 does: de_1, first. In mlir/de-xx q1 finds de_0 first; the documents
    # that begin as "apfel" are en_1, en_0, de_1, and the first relevant one is second.
    by_hand = {
        "moir/de-de": 1,
        "moir/en-en": (1 / 2 + 1) / 2,
        "clir/de-en": 1 / 2,
        "clir/en-de": 1,
        "mlir/de-xx": (1 + 1 / 2) / 2,
        "mlir/en-xx": (1 / 2 + 1) / 2,
        "mlir/xx-xx": (1 + 1 / 2 + 1 / 2 + 1) / 4,
    }
    settings = partly_shared.settings
    mteb_task = mteb_tasks.as_mteb_task(partly_shared, settings)
    found = theirs(tying, mteb_task)
    assert {k: row["mrr_at_10"] for k, row in found.items()} == pytest.approx(by_hand)
    assert ours(tying, partly_shared, settings, "RR@10") == pytest.approx(by_hand)

    mteb_task.load_data()
    assert mteb_task.dataset["clir/de-en"]["test"]["relevant_docs"] == {"de_q2": {"en_0": 2}}
    assert mteb_task.dataset["mlir/xx-xx"]["test"]["relevant_docs"] == {
        "de_q1": {"de_0": 1},
        "de_q2": {"de_1": 1, "en_0": 2},
        "en_q2": {"de_1": 1, "en_0": 2},
        "en_q3": {"en_2": 1},
    }


@pytest.fixture
def reranked(pocket: Task) -> Task:
    """Two questions with two candidates each among three passages, in two drawn languages."""
    draw = Draw(("de", "en"), np.array([0, 1], np.int8), np.array([1, 0, 0], np.int8))
    judged = (np.array([0, 1]), np.array([0, 1]), np.array([1, 1]))
    collection = Collection(
        questions=("q1", "q2"),
        queries={
            "de": Queries("de", np.array([0, 1]), ("alt", "brot")),
            "en": Queries("en", np.array([0, 1]), ("old", "bread")),
        },
        corpora={
            "de": Corpus("de", ("de_0", "de_1", "de_2"), ("alter", "baum", "bau")),
            "en": Corpus("en", ("en_0", "en_1", "en_2"), ("age", "bark", "oak")),
        },
        judgments={"de": Judgments("de", *judged), "en": Judgments("en", *judged)},
    )
    return dataclasses.replace(
        pocket,
        collection=collection,
        settings=listed_settings(
            ("moir/de-de", "clir/en-de", "mlir/xx-en", "mlir/en-xx", "mlir/xx-xx"), ("de", "en")
        ),
        candidates=Candidates(np.array([0, 2, 4]), np.array([0, 2, 1, 2])),
        draw=draw,
    )


def test_candidates_and_drawn_languages_reach_mteb(reranked: Task, mteb_tasks: ModuleType) -> None:
    mteb_task = mteb_tasks.as_mteb_task(reranked, reranked.settings)
    mteb_task.load_data()
    found = {name: split["test"] for name, split in mteb_task.dataset.items()}
    assert found["clir/en-de"]["top_ranked"] == {
        "en_q1": ["de_0", "de_2"],
        "en_q2": ["de_1", "de_2"],
    }
    # The passages are drawn in English, German and German; q1 is asked in German, q2 in English.
    drawn = found["mlir/xx-xx"]
    assert sorted(drawn["corpus"]["id"]) == ["de_1", "de_2", "en_0"]
    assert dict(zip(drawn["corpus"]["id"], drawn["corpus"]["text"], strict=True))["de_1"] == "baum"
    assert list(drawn["queries"]["id"]) == ["de_q1", "en_q2"]
    assert list(drawn["queries"]["text"]) == ["alt", "bread"]
    assert drawn["relevant_docs"] == {"de_q1": {"en_0": 1}, "en_q2": {"de_1": 1}}
    assert drawn["top_ranked"]["de_q1"] == ["en_0", "de_2"]
    assert drawn["top_ranked"]["en_q2"] == ["de_1", "de_2"]
    assert found["mlir/xx-en"]["relevant_docs"] == {"de_q1": {"en_0": 1}, "en_q2": {"en_1": 1}}
    assert list(found["mlir/en-xx"]["queries"]["id"]) == ["en_q1", "en_q2"]
    assert list(found["moir/de-de"]["corpus"]["id"]) == ["de_0", "de_1", "de_2"]


def test_reranking_agrees_in_every_setting(
    reranked: Task, mteb_tasks: ModuleType, spread: SentenceTransformer
) -> None:
    settings = reranked.settings
    found = theirs(spread, mteb_tasks.as_mteb_task(reranked, settings))
    for measure in ("RR@10", "AP", "nDCG@10"):
        name = mteb_score(measure)
        means = ours(spread, reranked, settings, measure)
        assert {k: row[name] for k, row in found.items()} == pytest.approx(means, abs=ROUNDING)
    assert len(set(means.values())) > 1


def test_texts_on_disk_are_not_read_as_python_strings(
    small: Task, mteb_tasks: ModuleType, spread: SentenceTransformer, tmp_path: Path
) -> None:
    class NeverRead(ArrowStrings):
        def __iter__(self) -> Any:
            raise AssertionError("all strings of a corpus are read")

    corpora = {}
    for code, corpus in small.collection.corpora.items():
        columns = []
        for name, column in (("id", corpus.ids), ("text", corpus.texts)):
            path = tmp_path / f"{code}-{name}.arrow"
            table = pa.table({name: pa.array(column)})
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table, max_chunksize=50)
            columns.append(NeverRead(pa.ipc.open_file(pa.memory_map(str(path))).read_all()[name]))
        corpora[code] = Corpus(code, *columns)
    collection = dataclasses.replace(small.collection, corpora=corpora)
    task = dataclasses.replace(small, collection=collection)
    settings = [s for s in small.settings if s.id in ("clir/de-ru", "mlir/tr-xx")]
    before = pa.total_allocated_bytes()
    mteb_task = mteb_tasks.as_mteb_task(task, settings)
    mteb_task.load_data()
    pool = mteb_task.dataset["mlir/tr-xx"]["test"]["corpus"]
    assert len(pool) == 594
    assert pool[594 - 1]["id"].startswith("tr_")
    assert pa.total_allocated_bytes() - before < 594 * 8 * 2 * 4, "the texts were copied"
    in_memory = mteb_tasks.as_mteb_task(small, settings)
    assert theirs(spread, mteb_task)["mlir/tr-xx"] == theirs(spread, in_memory)["mlir/tr-xx"]


def test_a_task_can_be_evaluated_again(
    small: Task, mteb_tasks: ModuleType, spread: SentenceTransformer, tying: SentenceTransformer
) -> None:
    # mteb unloads the data of a task after evaluating it.
    settings = small.settings[:2]
    mteb_task = mteb_tasks.as_mteb_task(small, settings)
    first, other, again = (
        {k: row["main_score"] for k, row in theirs(model, mteb_task).items()}
        for model in (spread, tying, spread)
    )
    assert first == again != other


def test_mtebs_cache_of_results_knows_the_task(
    small: Task, mteb_tasks: ModuleType, spread: SentenceTransformer, tmp_path: Path
) -> None:
    for depth, name in ((1000, "babelboard-pocket"), (594, "babelboard-pocket-top594")):
        mteb_task = mteb_tasks.as_mteb_task(small, small.settings[:1], depth)
        fresh, cached = (theirs(spread, mteb_task, tmp_path)["moir/de-de"] for _ in range(2))
        assert list(tmp_path.rglob(f"{name}.json"))
        assert fresh["main_score"] == fresh[f"map_at_{depth}"] == cached[f"map_at_{depth}"]


@pytest.mark.parametrize("name", task_names())
def test_metadata_are_those_of_the_definition(
    name: str, pocket: Task, mteb_tasks: ModuleType
) -> None:
    definition, _ = load_definition(name)
    task = dataclasses.replace(pocket, definition=definition)
    metadata = mteb_tasks.as_mteb_task(task, pocket.settings).metadata
    assert metadata.name == f"babelboard-{name}"
    assert metadata.license == definition.licence.lower().replace(" ", "-")
    assert metadata.reference == definition.homepage
    assert metadata.bibtex_citation == definition.citation.strip()
    assert metadata.description.endswith(definition.summary)
    assert metadata.hf_subsets == [setting.id for setting in pocket.settings]
    assert metadata.eval_langs["moir/de-de"] == ["deu-Latn"]
    assert metadata.eval_langs["clir/zh-ar"] == ["zho-Hans", "ara-Arab"]
    assert len(metadata.eval_langs["mlir/tr-xx"]) == 11
    assert metadata.eval_langs["mlir/tr-xx"][0] == "tur-Latn"


def test_the_revision_follows_the_data(pocket: Task, mteb_tasks: ModuleType) -> None:
    changed = dataclasses.replace(pocket, checksums={**pocket.checksums, "de.json": "0" * 64})
    before, again, after = (
        mteb_tasks.as_mteb_task(task, pocket.settings).metadata.revision
        for task in (pocket, pocket, changed)
    )
    assert before == again != after


def test_a_licence_that_mteb_does_not_list_is_a_link(pocket: Task, mteb_tasks: ModuleType) -> None:
    definition = pocket.definition.model_copy(update={"licence": "Research use only"})
    task = dataclasses.replace(pocket, definition=definition)
    metadata = mteb_tasks.as_mteb_task(task, pocket.settings).metadata
    assert metadata.license == pocket.definition.homepage


@pytest.mark.usefixtures("mteb_tasks")
def test_mteb_has_every_language() -> None:
    from mteb.languages import ISO_TO_LANGUAGE, check_language_code

    assert LANGUAGES.keys() == NAMES.keys()
    renamed = {"el": "Modern Greek (1453-)", "sw": "Swahili (macrolanguage)"}
    for code, theirs in LANGUAGES.items():
        check_language_code(theirs)
        assert ISO_TO_LANGUAGE[theirs.partition("-")[0]] == renamed.get(code, NAMES[code])


@pytest.mark.parametrize(
    ("measure", "name"),
    [
        ("AP", "map_at_500"),
        ("AP@20", "map_at_20"),
        ("RR@10", "mrr_at_10"),
        ("nDCG@10", "ndcg_at_10"),
        ("R@100", "recall_at_100"),
        ("P@5", "precision_at_5"),
        ("Success@1", "hit_rate_at_1"),
        ("RankDistance", None),
        ("AP(rel=2)", None),
        ("RBP(p=0.8)@10", None),
    ],
)
def test_mtebs_names_of_measures(measure: str, name: str | None) -> None:
    assert mteb_score(measure, 500) == name


def test_a_primary_measure_that_mteb_lacks_gives_way(pocket: Task, mteb_tasks: ModuleType) -> None:
    definition = pocket.definition.model_copy(update={"primary_measure": "RankDistance"})
    task = dataclasses.replace(pocket, definition=definition)
    assert mteb_tasks.as_mteb_task(task, task.settings).metadata.main_score == "ndcg_at_10"


def test_no_settings_or_no_depth_is_refused(pocket: Task, mteb_tasks: ModuleType) -> None:
    with pytest.raises(UsageError, match="at least one setting"):
        mteb_tasks.as_mteb_task(pocket, ())
    with pytest.raises(UsageError, match="found 133 and 0"):
        mteb_tasks.as_mteb_task(pocket, pocket.settings, 0)


def test_the_command_line_starts_without_mteb() -> None:
    code = "import sys, harness.cli.app; sys.exit('mteb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
