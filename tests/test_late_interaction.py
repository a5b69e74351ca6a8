"""Late interaction models from folders: their scores, what decides them, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("sentence_transformers", reason="needs the extra 'score'")

from sentence_transformers import MultiVectorEncoder
from sentence_transformers.multi_vector_encoder.modules import HierarchicalTokenPooling
from tiny_models import write_dense, write_late_interaction

from harness.models.encoder_options import EncoderOptions
from harness.models.late_interaction import LateInteractionModel
from harness.progress import Silent
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


def load(folder: Path, **options: Any) -> LateInteractionModel:
    return LateInteractionModel.load(str(folder), EncoderOptions(device="cpu", **options))


def rewrite(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(content | changes), "utf-8")


@pytest.fixture(scope="module")
def colbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Markers, punctuation left out of documents, queries expanded to 24 tokens."""
    return write_late_interaction(tmp_path_factory.mktemp("models") / "tiny-colbert")


@pytest.fixture
def copied(colbert: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(colbert, tmp_path / "tiny-colbert"))


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
    model: LateInteractionModel,
    collection: Collection,
    queries: tuple[str, ...] = LANGUAGES,
    documents: tuple[str, ...] = LANGUAGES,
) -> NDArray[np.float64]:
    """Scores of all queries and documents of some languages."""
    prepared = model.prepare(collection, (queries, documents), None, Silent())
    pool = prepared.scorer.pool(documents)
    return np.asarray(pool.block(0, pool.documents).scores(0, pool.queries))


def test_a_folder_is_loaded_as_it_declares(colbert: Path) -> None:
    described = load(colbert).describe()
    assert (described.kind, described.name) == ("late-interaction", "tiny-colbert")
    assert described.digest is not None
    assert described.parameters == sum(
        weights.numel() for weights in MultiVectorEncoder(str(colbert)).parameters()
    )
    assert described.settings == {
        "query_prompt": "[Q] ",
        "document_prompt": "[D] ",
        "query_tokens": 24,
        "document_tokens": 64,
        "query_expansion": "fixed, 24 tokens, [MASK], not attended",
        "normalised": True,
        "similarity": "maxsim",
        "dimension": 16,
        "skipped_tokens": ". , ! ?",
        "skipped_in": "document",
        "dtype": "float32",
    }


def test_scores_are_those_of_sentence_transformers(colbert: Path, few: Collection) -> None:
    theirs = MultiVectorEncoder(str(colbert), device="cpu")
    queries = [text for code in LANGUAGES for text in few.queries[code].texts]
    documents = [text for code in LANGUAGES for text in few.corpora[code].texts]
    expected = theirs.similarity(
        theirs.encode_query(queries), theirs.encode_document(documents)
    ).numpy()
    found = scores(load(colbert), few)
    assert found.shape == expected.shape == (18, 27)
    assert_allclose(found, expected, atol=1e-4)
    assert expected.std() > 0.1


def test_the_mean_is_taken_where_the_model_declares_it(
    colbert: Path, copied: Path, few: Collection
) -> None:
    rewrite(copied / "config_sentence_transformers.json", similarity_fn_name="meanmaxsim")
    model = load(copied)
    assert model.description.settings["similarity"] == "meanmaxsim"
    assert_allclose(scores(model, few), scores(load(colbert), few) / 24, atol=1e-6)


def test_a_role_has_its_marker_its_length_and_its_mask(colbert: Path) -> None:
    model = load(colbert)
    queries, documents = model.encode(TEXTS, "query"), model.encode(TEXTS, "document")
    # [CLS], the marker, a blank, the text's bytes, [SEP]; punctuation does not count.
    assert [len(tokens) for tokens in queries] == [24] * 5
    sizes = [len(text.encode()) - sum(map(text.count, ".,!?")) for text in TEXTS]
    assert [len(tokens) for tokens in documents] == [4 + size for size in sizes]
    for tokens in (*queries, *documents):
        assert tokens.dtype == np.float32
        assert_allclose(np.linalg.norm(tokens, axis=1), 1, atol=1e-5)
    assert_array_equal(model.token_counts(TEXTS, "query"), [24] * 5)
    assert_array_equal(
        model.token_counts(TEXTS, "document"), [4 + len(text.encode()) for text in TEXTS]
    )


def test_long_texts_are_cut(colbert: Path) -> None:
    model = load(colbert)
    long = "x" * 200
    assert len(model.encode([long], "document")[0]) == 64
    assert model.token_counts([long], "document") == [64]
    shorter = load(colbert, max_tokens=30)
    assert len(shorter.encode([long], "document")[0]) == 30
    assert len(shorter.encode([long], "query")[0]) == 24
    assert shorter.description.settings["document_tokens"] == 30
    assert shorter.fingerprint("document") != model.fingerprint("document")


def test_queries_need_not_be_expanded(tmp_path: Path) -> None:
    folder = write_late_interaction(tmp_path / "plain", expand_to=None, similarity_fn_name="maxsim")
    model = load(folder, max_tokens=16)
    assert model.description.settings["query_expansion"] == "none"
    assert model.description.settings["query_tokens"] == 16
    assert [len(tokens) for tokens in model.encode(["a?", "x" * 90], "query")] == [6, 16]
    assert_array_equal(model.token_counts(["a?", "x" * 90], "query"), [6, 16])


@pytest.mark.parametrize("attend", [False, True])
def test_queries_may_be_expanded_to_a_least_length(copied: Path, attend: bool) -> None:
    settings = {"strategy": "min", "length": 10, "attend": attend}
    rewrite(copied / "sentence_bert_config.json", query_expansion=settings)
    model = load(copied)
    assert [len(tokens) for tokens in model.encode(["a", "x" * 90], "query")] == [10, 24]
    assert_array_equal(model.token_counts(["a", "x" * 90], "query"), [10, 24])
    how = "attended" if attend else "not attended"
    assert model.description.settings["query_expansion"] == f"min, 10 tokens, [MASK], {how}"


def test_an_expansion_beyond_the_limit_is_refused(colbert: Path) -> None:
    with pytest.raises(ModelError, match="24 tokens, found --max-tokens 20"):
        load(colbert, max_tokens=20)


def test_more_tokens_than_the_model_has_positions_are_refused(colbert: Path) -> None:
    with pytest.raises(ModelError, match="at most 512 tokens, found --max-tokens 513"):
        load(colbert, max_tokens=513)


def test_prompts_can_be_replaced(colbert: Path) -> None:
    plain, other = load(colbert), load(colbert, query_prompt="", document_prompt="[D] title: ")
    assert other.description.settings["query_prompt"] == ""
    (bare,) = other.encode(["a"], "query")
    (marked,) = plain.encode(["a"], "query")
    assert abs(bare - marked).max() > 0.01
    (longer,) = other.encode(["a"], "document")
    assert len(longer) == 5 + len("title: ")
    for role in ("query", "document"):
        assert other.fingerprint(role) != plain.fingerprint(role)


@pytest.mark.parametrize("name", ["document", "passage", "corpus"])
def test_a_documents_prompt_has_several_names(tmp_path: Path, name: str) -> None:
    folder = write_late_interaction(tmp_path / name, prompts={name: "[D] ", "other": "x"})
    model = load(folder)
    assert model.description.settings["document_prompt"] == "[D] "
    assert model.description.settings["query_prompt"] == ""
    assert len(model.encode(["a"], "document")[0]) == 5


def test_a_batch_gives_what_each_text_gives_alone(colbert: Path) -> None:
    model = load(colbert)
    for role in ("query", "document"):
        together = model.encode(TEXTS, role)
        for text, tokens in zip(TEXTS, together, strict=True):
            (alone,) = model.encode([text], role)
            assert_allclose(tokens, alone, atol=1e-6)


def test_batches_do_not_change_scores(
    colbert: Path, few: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = scores(load(colbert), few)
    monkeypatch.setattr(LateInteractionModel, "tokens_per_batch", 100)
    # A score is the sum of 24 cosines.
    assert_allclose(scores(load(colbert), few), usual, atol=24e-6)


def test_other_languages_do_not_change_scores(colbert: Path, few: Collection) -> None:
    model = load(colbert)
    whole, alone = scores(model, few), scores(model, few, ("de",), ("de",))
    assert_allclose(whole[6:12, 9:18], alone, atol=24e-6)


def test_the_cache_gives_the_same_bits(colbert: Path, few: Collection, tmp_path: Path) -> None:
    pair = np.array([0, 3, 5]), np.array([7, 2, 2])

    def prepared() -> Any:
        return load(colbert).prepare(few, (("de",), ("en",)), tmp_path, Silent())

    first, second = prepared(), prepared()
    assert first.encoded_texts == first.distinct_texts == first.texts == 15
    assert second.encoded_texts == 0
    assert second.distinct_texts == 15
    assert 0 <= first.padding < 0.5
    assert_array_equal(
        first.scorer.pool(("en",)).pairs(*pair), second.scorer.pool(("en",)).pairs(*pair)
    )


def test_queries_and_documents_never_share_vectors(colbert: Path) -> None:
    model = load(colbert, query_prompt="", document_prompt="")
    assert model.fingerprint("query") != model.fingerprint("document")


def test_a_document_of_left_out_tokens_comes_last(copied: Path) -> None:
    # With the blank and the special tokens left out too, nothing is left of "...".
    words = [".", ",", "[CLS]", "[SEP]", "[D]", "Ġ"]
    rewrite(copied / "2_MultiVectorMask" / "config.json", skiplist_words=words)
    model = load(copied)
    nothing, something = model.encode(["...", "a..."], "document")
    assert nothing.shape == (0, 16)
    assert something.shape == (1, 16)


def test_pooling_of_tokens_is_applied_and_said(colbert: Path, tmp_path: Path) -> None:
    theirs = MultiVectorEncoder(str(colbert), device="cpu")
    theirs.append(HierarchicalTokenPooling(pool_factor=2))
    theirs.save_pretrained(str(tmp_path / "pooled"), create_model_card=False)
    model = load(tmp_path / "pooled")
    assert "HierarchicalTokenPooling" in str(model.description.settings["token_pooling"])
    (pooled,) = model.encode(["ten bytes!"], "document")
    (whole,) = load(colbert).encode(["ten bytes!"], "document")
    assert len(pooled) < len(whole)


def test_ranks_are_those_of_sorted_scores(colbert: Path) -> None:
    task, model = load_task("pocket"), load(colbert)
    some = [setting for setting in task.settings if setting.id in ("clir/de-en", "mlir/de-xx")]
    table = score(model, task, some, Plan(), Silent()).table
    names = {column: getattr(table, column).names for column in ("setting", "question", "document")}
    checked = 0
    for number, setting in enumerate(some):
        found = scores(model, task.collection, ("de",), setting.document_languages)
        corpora = [task.collection.corpora[code] for code in setting.document_languages]
        ids = [name for corpus in corpora for name in corpus.ids]
        asked = [task.collection.questions[q] for q in task.collection.queries["de"].question]
        assert names["setting"][number] == setting.id
        for row in np.flatnonzero(table.setting.codes == number):
            line = found[asked.index(names["question"][table.question.codes[row]])]
            judged = ids.index(names["document"][table.document.codes[row]])
            order = sorted(range(len(ids)), key=lambda i: (line[i], ids[i]), reverse=True)
            assert table.rank[row] == 1 + order.index(judged)
            checked += 1
    assert checked == len(table) > 100


def test_other_settings_do_not_change_ranks(colbert: Path) -> None:
    task, model = load_task("pocket"), load(colbert)
    wanted = ("moir/de-de", "clir/en-de", "mlir/en-xx")
    some = [setting for setting in task.settings if setting.id in wanted]
    whole = score(model, task, some, Plan(), Silent()).table
    (alone,) = (setting for setting in some if setting.id == "clir/en-de")
    table = score(model, task, [alone], Plan(), Silent()).table
    mine = whole.setting.codes == whole.setting.names.index(alone.id)
    assert_array_equal(whole.rank[mine], table.rank)


def test_an_encoder_is_no_late_interaction_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="dense"):
        load(write_dense(tmp_path / "dense"))


def test_numbers_that_are_not_finite_are_refused(copied: Path, few: Collection) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(copied / "1_Dense" / "model.safetensors")
    save_file(
        {name: values * float("nan") for name, values in weights.items()},
        copied / "1_Dense" / "model.safetensors",
    )
    with pytest.raises(ModelError, match=r"vectors of query p\S+ \((ar|de|en)\) hold NaN"):
        scores(load(copied), few)
