"""Learned sparse models from folders: their scores, what decides them, and what is refused."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("sentence_transformers", reason="needs the extra 'score'")

import torch
from sentence_transformers import SparseEncoder
from tiny_models import write_dense, write_inference_free_sparse, write_sparse

from harness.embeddings.ragged_rows import Ragged, RaggedRows
from harness.models import sparse
from harness.models.encoder_options import EncoderOptions
from harness.models.sparse import SparseModel
from harness.progress import Silent
from harness.retrieval.sparse_retriever import LearnedSparsePool, SparseRetriever, term_weights
from harness.score import Plan, score
from tasks.errors import ModelError
from tasks.task import load_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tasks.collection import Collection

TEXTS = [
    "Which river, if any, crosses the city?",
    "Der Fluss fließt durch die Stadt.",
    "नदी कहाँ है?",
    "a",
    "",
]
LANGUAGES = ("ar", "de", "en")
TERMS = 265


def load(folder: Path, **options: Any) -> SparseModel:
    return SparseModel.load(str(folder), EncoderOptions(device="cpu", **options))


def rewrite(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(content | changes), "utf-8")


@pytest.fixture(scope="module")
def splade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sparse(tmp_path_factory.mktemp("models") / "tiny-splade")


@pytest.fixture(scope="module")
def inference_free(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a query's tokens are looked up."""
    return write_inference_free_sparse(tmp_path_factory.mktemp("models") / "tiny-lookup")


@pytest.fixture
def copied(splade: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(splade, tmp_path / "tiny-splade"))


@pytest.fixture(scope="module")
def few() -> Collection:
    """The first queries and documents of the pocket task."""
    whole = load_task("pocket").collection
    return replace(
        whole,
        queries={
            code: replace(held, question=held.question[:6], texts=held.texts[:6])
            for code, held in whole.queries.items()
        },
        corpora={
            code: replace(held, ids=held.ids[:9], texts=held.texts[:9])
            for code, held in whole.corpora.items()
        },
    )


def scores(
    model: SparseModel,
    collection: Collection,
    queries: tuple[str, ...] = LANGUAGES,
    documents: tuple[str, ...] = LANGUAGES,
) -> NDArray[np.float64]:
    """Scores of all queries and documents of some languages."""
    prepared = model.prepare(collection, (queries, documents), None, Silent())
    pool = prepared.scorer.pool(documents)
    return np.asarray(pool.block(0, pool.documents).scores(0, pool.queries))


def dense(pairs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pairs of term and weight as a vector."""
    vector = np.zeros(TERMS, dtype=np.float32)
    vector[pairs[:, 0].astype(int)] = pairs[:, 1]
    return vector


def test_a_folder_is_loaded_as_it_declares(splade: Path) -> None:
    described = load(splade).describe()
    assert (described.kind, described.name) == ("sparse", "tiny-splade")
    assert described.digest is not None
    assert described.settings == {
        "query_prompt": "",
        "document_prompt": "",
        "similarity": "dot",
        "vocabulary": TERMS,
        "max_tokens": 64,
        "query_encoder": "Transformer, SpladePooling (max, relu)",
        "document_encoder": "Transformer, SpladePooling (max, relu)",
        "dtype": "float32",
    }


def test_an_inference_free_model_says_where_queries_go(inference_free: Path) -> None:
    settings = load(inference_free).description.settings
    assert settings["query_encoder"] == "SparseStaticEmbedding"
    assert settings["document_encoder"] == "Transformer, SpladePooling (max, relu)"
    assert settings["vocabulary"] == TERMS


@pytest.mark.parametrize("which", ["splade", "inference_free"])
def test_scores_are_those_of_sentence_transformers(
    request: pytest.FixtureRequest, few: Collection, which: str
) -> None:
    folder = request.getfixturevalue(which)
    theirs = SparseEncoder(str(folder), device="cpu")
    queries = [text for code in LANGUAGES for text in few.queries[code].texts]
    documents = [text for code in LANGUAGES for text in few.corpora[code].texts]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that its sparse matrices are in beta
        expected = theirs.similarity(
            theirs.encode_query(queries), theirs.encode_document(documents)
        ).numpy()
    found = scores(load(folder), few)
    assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert found.shape == (18, 27)
    assert found.std() > 0.1


def test_vectors_are_pairs_of_term_and_weight(splade: Path, inference_free: Path) -> None:
    for folder in (splade, inference_free):
        model, theirs = load(folder), SparseEncoder(str(folder), device="cpu")
        for role, encode in (("query", theirs.encode_query), ("document", theirs.encode_document)):
            expected = encode(TEXTS, convert_to_sparse_tensor=False).numpy()
            for pairs, vector in zip(model.encode(TEXTS, role), expected, strict=True):
                assert pairs.dtype == np.float32
                assert pairs.shape == (np.count_nonzero(vector), 2)
                assert (np.diff(pairs[:, 0]) > 0).all()
                assert_allclose(dense(pairs), vector, atol=1e-6)


def test_the_weights_of_an_inference_free_query_are_looked_up(inference_free: Path) -> None:
    model = load(inference_free)
    twice, once, nothing = model.encode(["abba", "ab", ""], "query")
    assert_array_equal(twice, once)
    assert twice.shape == (2, 2)
    assert nothing.shape == (0, 2)
    assert model.fingerprint("query") != model.fingerprint("document")


def test_roles_that_are_treated_alike_share_the_cache(splade: Path) -> None:
    model = load(splade)
    assert model.fingerprint("query") == model.fingerprint("document")
    other = load(splade, query_prompt="query: ")
    assert other.fingerprint("query") != other.fingerprint("document")
    assert other.fingerprint("document") == model.fingerprint("document")
    assert load(splade, max_tokens=32).fingerprint("query") != model.fingerprint("query")


def test_a_length_of_its_own_makes_a_role_another(copied: Path) -> None:
    rewrite(copied / "sentence_bert_config.json", query_length=8)
    model = load(copied)
    assert model.fingerprint("query") != model.fingerprint("document")


def test_prompts_are_put_before_the_text(splade: Path) -> None:
    (prompted,) = load(splade, query_prompt="ask: ").encode(["a river"], "query")
    (spelt,) = load(splade).encode(["ask: a river"], "query")
    assert_array_equal(prompted, spelt)
    (other,) = load(splade).encode(["a river"], "query")
    assert abs(dense(other) - dense(prompted)).max() > 0.01


def test_long_texts_are_cut(splade: Path) -> None:
    model = load(splade, max_tokens=10)
    assert model.description.settings["max_tokens"] == 10
    (whole,) = model.encode(["12345678" + "x" * 90], "document")
    (cut,) = model.encode(["12345678"], "document")
    assert_array_equal(whole, cut)
    assert_array_equal(model.token_counts(["12345678xx", "a"], "query"), [10, 3])


def test_the_most_active_terms_are_kept_where_the_model_declares_it(
    splade: Path, copied: Path
) -> None:
    rewrite(copied / "config_sentence_transformers.json", max_active_dims=3)
    model = load(copied)
    assert model.description.settings["max_active_dims"] == 3
    for few_terms, all_terms in zip(
        model.encode(TEXTS[:3], "query"), load(splade).encode(TEXTS[:3], "query"), strict=True
    ):
        assert len(all_terms) > 3
        largest = np.sort(np.argsort(-all_terms[:, 1])[:3])
        assert_allclose(few_terms, all_terms[largest], rtol=1e-6)


def test_cosine_is_taken_where_the_model_declares_it(
    splade: Path, copied: Path, few: Collection
) -> None:
    rewrite(copied / "config_sentence_transformers.json", similarity_fn_name="cosine")
    model = load(copied)
    queries = [dense(p) for p in model.encode(few.queries["de"].texts, "query")]
    documents = [dense(p) for p in model.encode(few.corpora["en"].texts, "document")]
    dot = np.array(queries, dtype=float) @ np.array(documents, dtype=float).T
    lengths = np.outer(np.linalg.norm(queries, axis=1), np.linalg.norm(documents, axis=1))
    found = scores(model, few, ("de",), ("en",))
    assert_allclose(found, dot / lengths, atol=1e-6)
    assert_allclose(scores(load(splade), few, ("de",), ("en",)), dot, atol=1e-5)


def test_distances_are_refused(copied: Path) -> None:
    rewrite(copied / "config_sentence_transformers.json", similarity_fn_name="euclidean")
    with pytest.raises(ModelError, match="'euclidean'"):
        load(copied)


def test_a_batch_gives_what_each_text_gives_alone(splade: Path) -> None:
    model = load(splade)
    for text, together in zip(TEXTS, model.encode(TEXTS, "document"), strict=True):
        (alone,) = model.encode([text], "document")
        assert_allclose(dense(together), dense(alone), atol=1e-6)


def test_batches_do_not_change_scores(
    splade: Path, few: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = scores(load(splade), few)
    monkeypatch.setattr(SparseModel, "tokens_per_batch", 100)
    assert_allclose(scores(load(splade), few), usual, rtol=1e-5, atol=1e-6)


def test_batches_are_small_where_the_vocabulary_is_large(
    splade: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(splade).tokens_per_batch == 2**11
    monkeypatch.setattr(sparse, "_vocabulary", lambda *_: 250_002)
    assert load(splade).tokens_per_batch * 250_002 * 4 < 2**28


def test_other_languages_do_not_change_scores(splade: Path, few: Collection) -> None:
    model = load(splade)
    whole, alone = scores(model, few), scores(model, few, ("de",), ("de",))
    assert_allclose(whole[6:12, 9:18], alone, rtol=1e-5, atol=1e-6)


def test_the_cache_gives_the_same_bits(
    inference_free: Path, few: Collection, tmp_path: Path
) -> None:
    pair = np.array([0, 3, 5]), np.array([7, 2, 2])

    def prepared() -> Any:
        return load(inference_free).prepare(few, (("de",), ("en",)), tmp_path, Silent())

    first, second = prepared(), prepared()
    assert first.encoded_texts == first.distinct_texts == first.texts == 15
    assert second.encoded_texts == 0
    assert_array_equal(
        first.scorer.pool(("en",)).pairs(*pair), second.scorer.pool(("en",)).pairs(*pair)
    )


@pytest.mark.parametrize("cosine", [False, True])
def test_blocks_pairs_and_other_documents_give_the_same_bits(cosine: bool) -> None:
    generator = np.random.default_rng(5)

    def texts(number: int) -> list[NDArray[np.float32]]:
        found = []
        for active in generator.integers(0, 30, number):
            terms = np.sort(generator.choice(100, active, replace=False))
            pairs = np.stack([terms, generator.lognormal(0, 2, active)], axis=1)
            found.append(pairs.astype(np.float32))
        return found

    queries, documents = texts(7), texts(11)
    asked = RaggedRows([Ragged.of(queries)])
    held = {
        "de": RaggedRows([Ragged.of(documents[:4])]),
        "en": RaggedRows([Ragged.of(documents[4:])]),
    }
    retriever = SparseRetriever(asked, held, 100, cosine=cosine)
    assert retriever.pool_independent
    assert not retriever.retrieves_all
    pool = retriever.pool(("de", "en"))
    assert (pool.queries, pool.documents) == (7, 11)
    whole = pool.block(0, 11).scores(0, 7)
    parts = [retriever.pool((code,)) for code in ("de", "en")]
    assert_array_equal(
        whole, np.hstack([part.block(0, part.documents).scores(0, 7) for part in parts])
    )
    assert_array_equal(whole[2:5, 3:8], pool.block(3, 8).scores(2, 5))
    query, document = np.divmod(np.arange(77)[::-1], 11)
    assert_array_equal(pool.pairs(query, document), whole[query, document])
    expected = np.zeros((7, 11))
    for i, query_pairs in enumerate(queries):
        for j, document_pairs in enumerate(documents):
            left, right = dict(query_pairs.tolist()), dict(document_pairs.tolist())
            expected[i, j] = sum(left[term] * right[term] for term in left.keys() & right.keys())
            if cosine and left and right:
                expected[i, j] /= np.linalg.norm([*left.values()])
                expected[i, j] /= np.linalg.norm([*right.values()])
    assert_allclose(whole, expected, rtol=1e-12)


def test_many_pairs_are_scored_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.retrieval import sparse_retriever

    documents = RaggedRows([Ragged.of([np.array([[n, 1 + n]], np.float32) for n in range(5)])])
    queries = term_weights(documents.between(0, 5), 8, cosine=False)
    pool = LearnedSparsePool(queries, documents, cosine=False)
    monkeypatch.setattr(sparse_retriever, "PAIRS_AT_ONCE", 2)
    query, document = np.array([0, 1, 2, 3, 4]), np.array([0, 1, 2, 3, 0])
    assert_array_equal(pool.pairs(query, document), [1, 4, 9, 16, 0])


def test_documents_without_a_shared_term_are_not_retrieved(inference_free: Path) -> None:
    task, model = load_task("pocket"), load(inference_free)
    some = [setting for setting in task.settings if setting.id in ("clir/ar-de", "clir/ar-en")]
    table = score(model, task, some, Plan(), Silent()).table
    checked = {True: 0, False: 0}
    for number, setting in enumerate(some):
        found = scores(model, task.collection, ("ar",), setting.document_languages)
        corpora = [task.collection.corpora[code] for code in setting.document_languages]
        ids = [name for corpus in corpora for name in corpus.ids]
        asked = [task.collection.questions[q] for q in task.collection.queries["ar"].question]
        for row in np.flatnonzero(table.setting.codes == number):
            line = found[asked.index(table.question.names[table.question.codes[row]])]
            judged = ids.index(table.document.names[table.document.codes[row]])
            order = sorted(range(len(ids)), key=lambda i: (line[i], ids[i]), reverse=True)
            retrieved = bool(line[judged] > 0)
            assert table.rank[row] == (1 + order.index(judged) if retrieved else 0)
            checked[retrieved] += 1
    assert min(checked.values()) > 0


def test_other_settings_do_not_change_ranks(splade: Path) -> None:
    task, model = load_task("pocket"), load(splade)
    wanted = ("moir/de-de", "clir/en-de", "mlir/en-xx")
    some = [setting for setting in task.settings if setting.id in wanted]
    whole = score(model, task, some, Plan(), Silent()).table
    (alone,) = (setting for setting in some if setting.id == "clir/en-de")
    table = score(model, task, [alone], Plan(), Silent()).table
    mine = whole.setting.codes == whole.setting.names.index(alone.id)
    assert_array_equal(whole.rank[mine], table.rank)


def test_an_encoder_is_no_sparse_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="dense"):
        load(write_dense(tmp_path / "dense"))


def test_vectors_of_two_vocabularies_are_refused(
    splade: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SparseEncoder, "encode_query", lambda *_, **__: torch.zeros(7).to_sparse())
    with pytest.raises(ModelError, match="vectors of 7 and 265 terms"):
        load(splade)


def test_numbers_that_are_not_finite_are_refused(copied: Path, few: Collection) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(copied / "model.safetensors")
    name = "cls.predictions.bias"
    weights[name] = weights[name] * float("nan")
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"vectors of query p\S+ \((ar|de|en)\) hold NaN"):
        scores(load(copied), few)
