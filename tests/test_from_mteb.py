"""Models through mteb: what its registry says is done, what cannot be trusted or scored is not.

No network: models are mteb's own baselines, and tiny checkpoints that the tests register.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.models.encoder_options import EncoderOptions
from harness.progress import Silent
from harness.question_scores import question_scores, setting_means
from tasks.collection import Collection, Corpus, Judgments, Queries
from tasks.errors import ModelError, UnknownNameError, UsageError
from tasks.settings import parallel_settings
from tasks.task import Task, load_task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.ranks import RankTable

RANDOM = "mteb/baseline-random-encoder"
RANDOM_CROSS = "mteb/baseline-random-cross-encoder"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEXTS = ["Grün ist das Gras.", "снег бел", "  two spaces before", "x"]

pytestmark = pytest.mark.filterwarnings(
    # mteb, of a model whose prompts are not for both roles.
    "ignore:SentenceTransformers that use prompts most often",
    "ignore:Model prompts specified",
)


@pytest.fixture(scope="module", autouse=True)
def _mteb(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # Read when mteb is imported, which makes the folder.
        patch.setenv("MTEB_CACHE", str(tmp_path_factory.mktemp("mteb")))
        pytest.importorskip("mteb", reason="needs the extra 'score'")


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Puts a model into mteb's registry for the length of a test."""
    from mteb.models import ModelMeta
    from mteb.models.model_implementations import MODEL_REGISTRY

    def add(loader: Any, name: str = "tests/model", **known: Any) -> str:
        known = {"revision": COMMIT, "model_type": ["dense"], "modalities": ["text"]} | known
        meta = ModelMeta.create_empty(overwrites={"name": name, "loader": loader, **known})
        monkeypatch.setitem(MODEL_REGISTRY, name, meta)
        return name

    return add


def loader_of(kind: type, folder: Path) -> Any:
    """A loader of mteb's that takes its checkpoint from a folder, whatever the model's name."""

    def load(_: str, revision: str | None = None, **options: Any) -> Any:
        del revision  # of the hub
        return kind(str(folder), **options)

    return load


class Dense:
    """An encoder in mteb's sense that answers as it is told to."""

    def __init__(self, answer: Callable[[list[str]], Any], similarity: Any = None) -> None:
        self._answer = answer
        self._similarity = similarity
        self.mteb_model_meta: Any = None

    def encode(self, inputs: Any, **_: Any) -> Any:
        return self._answer([text for batch in inputs for text in batch["text"]])

    def similarity(self, a: Any, b: Any) -> Any:
        from mteb.similarity_functions import cos_sim

        return (self._similarity or cos_sim)(a, b)

    def similarity_pairwise(self, a: Any, b: Any) -> Any:
        raise NotImplementedError


def vectors(texts: list[str]) -> np.ndarray:
    return np.array([[len(text), text.count("e"), 1.0] for text in texts], dtype=np.float32)


@pytest.fixture(scope="module")
def pocket() -> Task:
    """Pocket in two languages, the first questions and documents."""
    whole = load_task("pocket")
    queries, corpora, judgments = {}, {}, {}
    for code in ("de", "en"):
        all_queries, corpus = whole.collection.queries[code], whole.collection.corpora[code]
        judged = whole.collection.judgments[code]
        kept = (judged.question < 20) & (judged.document < 60)
        queries[code] = Queries(code, all_queries.question[:20], all_queries.texts[:20])
        corpora[code] = Corpus(code, corpus.ids[:60], corpus.texts[:60])
        columns = (judged.question, judged.document, judged.relevance)
        judgments[code] = Judgments(code, *(column[kept] for column in columns))
    collection = Collection(whole.collection.questions[:20], queries, corpora, judgments)
    return dataclasses.replace(
        whole, collection=collection, settings=parallel_settings(("de", "en"))
    )


def table_of(model: Any, task: Task) -> RankTable:
    from harness.score import Plan, score

    return score(model, task, task.settings, Plan(), Silent()).table


def same(found: np.ndarray, expected: np.ndarray) -> None:
    """Equal but for the last bit: one side scales its vectors to length 1 once more."""
    np.testing.assert_allclose(found, expected, atol=2e-7)


def open_mteb(name: str, **options: Any) -> Any:
    from harness.models.from_mteb import open_mteb as opened

    return opened(name, EncoderOptions(**({"device": "cpu"} | options)))


def dense(folder: Path, **options: Any) -> Any:
    from harness.models.dense import DenseEncoder

    return DenseEncoder.load(str(folder), EncoderOptions(device="cpu", **options))


# --- dense encoders ---------------------------------------------------------------------------


def test_the_random_baseline_scores_as_mteb_scores_it(pocket: Task) -> None:
    import mteb

    from tasks.mteb_tasks import as_mteb_task

    encoder = open_mteb(f"mteb:{RANDOM}")
    ours = setting_means(question_scores(table_of(encoder, pocket), "nDCG@10"))
    result = mteb.evaluate(
        mteb.get_model(RANDOM),
        as_mteb_task(pocket, pocket.settings),
        cache=None,
        co2_tracker=False,
        show_progress_bar=False,
    )
    theirs = {row["hf_subset"]: row["ndcg_at_10"] for row in result.task_results[0].scores["test"]}
    assert {k: v.mean for k, v in ours.items()} == pytest.approx(theirs, abs=6e-6)
    assert encoder.describe().kind == "dense"
    assert encoder.describe().name == f"mteb:{RANDOM}"
    assert encoder.describe().settings == {
        "loader": "RandomEncoderBaseline",
        "mteb_revision": "2",  # no commit, so not a revision of the hub
        "similarity": "cosine",
        "dimension": 32,
    }
    assert encoder.describe().revision is None


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        ({"query": "q: ", "document": "d: "}, ("q: ", "d: ")),
        ({"Retrieval": "both: ", "query": "q: "}, ("both: ", "both: ")),
        ({"Retrieval-query": "rq: ", "query": "q: ", "document": "d: "}, ("rq: ", "d: ")),
        ({"NFCorpus": "of another task: "}, ("", "")),
    ],
)
def test_prompts_are_those_that_mteb_chooses(
    prompts: dict[str, str],
    expected: tuple[str, str],
    register: Callable[..., str],
    tiny_encoder: Path,
) -> None:
    from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper

    load = loader_of(SentenceTransformerEncoderWrapper, tiny_encoder)
    encoder = open_mteb(register(load, loader_kwargs={"model_prompts": prompts}))
    query, document = expected
    plain = dense(tiny_encoder, query_prompt=query, document_prompt=document)
    stripped = [text.strip() for text in TEXTS]
    for role, texts in (("query", TEXTS), ("document", stripped)):
        assert encoder.describe().settings[f"{role}_prompt"] == expected[role == "document"]
        same(encoder.encode(TEXTS, role), plain.encode(texts, role))


@pytest.mark.parametrize("on_passages", [True, False])
def test_instructions_are_those_that_mteb_gives(
    on_passages: bool, register: Callable[..., str], tiny_encoder: Path
) -> None:
    from mteb.models.instruct_wrapper import InstructSentenceTransformerModel

    def load(_: str, revision: str, **options: Any) -> Any:
        return InstructSentenceTransformerModel(str(tiny_encoder), revision, **options)

    known = {
        "instruction_template": "Instruct: {instruction}\nQuery: ",
        "apply_instruction_to_passages": on_passages,
    }
    encoder = open_mteb(register(load, loader_kwargs=known))
    # The instruction of mteb's retrieval tasks that have none of their own.
    prompt = "Instruct: Retrieve text based on user query.\nQuery: "
    on_document = prompt if on_passages else ""
    assert encoder.describe().settings["query_prompt"] == prompt
    assert encoder.describe().settings["document_prompt"] == on_document
    plain = dense(tiny_encoder, query_prompt=prompt, document_prompt=on_document)
    same(encoder.encode(["a", "b"], "query"), plain.encode(["a", "b"], "query"))
    same(encoder.encode(["a", "b"], "document"), plain.encode(["a", "b"], "document"))


def test_ranks_are_those_of_the_checkpoint_itself(
    register: Callable[..., str], tiny_encoder: Path, pocket: Task
) -> None:
    from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper

    encoder = open_mteb(register(loader_of(SentenceTransformerEncoderWrapper, tiny_encoder)))
    ours, plain = table_of(encoder, pocket), table_of(dense(tiny_encoder), pocket)
    np.testing.assert_array_equal(ours.rank, plain.rank)
    description, expected = encoder.describe(), dense(tiny_encoder).describe()
    assert description.revision == COMMIT
    assert description.parameters == expected.parameters > 0
    assert description.settings["max_tokens"] == expected.settings["max_tokens"] == 64
    assert description.settings["dtype"] == "float32"
    lengths = [min(len(text.encode()) + 2, 64) for text in TEXTS]
    assert encoder.token_counts(TEXTS).tolist() == lengths


def test_embeddings_are_cached_by_model_version_and_role(
    register: Callable[..., str], pocket: Task, tmp_path: Path
) -> None:
    from harness.score import Plan, score

    name = register(lambda *_, **__: Dense(vectors))
    first = open_mteb(name)
    other = open_mteb(register(lambda *_, **__: Dense(vectors), revision="f" * 40))
    assert len({m.fingerprint(role) for m in (first, other) for role in ("query", "document")}) == 4
    plan = Plan(cache=tmp_path)
    costs = [score(first, pocket, pocket.settings, plan, Silent()).cost for _ in range(2)]
    assert costs[0].encoded_texts > 0
    assert costs[1].encoded_texts == 0


def test_similarity_is_what_the_model_answers(register: Callable[..., str]) -> None:
    from mteb.similarity_functions import cos_sim, dot_score

    for similarity, expected in ((cos_sim, "cosine"), (dot_score, "dot")):
        name = register(lambda *_, s=similarity, **__: Dense(vectors, s))
        assert open_mteb(name).describe().settings["similarity"] == expected


def test_a_similarity_of_its_own_is_refused(register: Callable[..., str]) -> None:
    def euclidean(a: Any, b: Any) -> Any:
        return -((a[:, None] - b[None]) ** 2).sum(-1)

    name = register(lambda *_, **__: Dense(vectors, euclidean))
    with pytest.raises(ModelError, match=r"compares by a rule of its own.*cosine or dot"):
        open_mteb(name)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda texts: vectors(texts)[None], r"an output of shape \(1, 1, 3\)"),
        (lambda texts: vectors(texts)[:0], r"an output of shape \(0, 3\)"),
        (lambda texts: 1 / len(texts[0].strip("probe")), "cannot be run by mteb: ZeroDivision"),
    ],
)
def test_an_encoder_that_gives_no_vectors_is_refused(
    answer: Callable[[list[str]], Any], message: str, register: Callable[..., str]
) -> None:
    with pytest.raises(ModelError, match=message):
        open_mteb(register(lambda *_, **__: Dense(answer)))


def test_queries_and_documents_of_unequal_dimensions_are_refused(
    register: Callable[..., str],
) -> None:
    class Unequal(Dense):
        def encode(self, inputs: Any, **given: Any) -> Any:
            found = super().encode(inputs, **given)
            return found[:, :2] if given["prompt_type"].value == "query" else found

    with pytest.raises(ModelError, match="queries 2 and documents 3 dimensions"):
        open_mteb(register(lambda *_, **__: Unequal(vectors)))


def test_what_fails_later_is_still_one_message(register: Callable[..., str], pocket: Task) -> None:
    def answer(texts: list[str]) -> np.ndarray:
        if texts != ["probe"]:
            raise RuntimeError("the service is down")
        return vectors(texts)

    encoder = open_mteb(register(lambda *_, **__: Dense(answer)))
    with pytest.raises(ModelError, match="cannot be run by mteb: RuntimeError: the service is"):
        table_of(encoder, pocket)


# --- options ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"pooling": "cls"}, "pooling"),
        ({"query_prompt": "q"}, "query_prompt"),
        ({"similarity": "dot", "normalise": True}, "normalise, similarity"),
        ({"revision": "main"}, "revision"),
        ({"kind": "sparse"}, "kind"),
    ],
)
def test_options_that_are_mtebs_to_say_are_refused_by_name(
    options: dict[str, Any], named: str
) -> None:
    with pytest.raises(UsageError, match=f"do not fit it: {named}[.] Allowed: device, dtype"):
        open_mteb(RANDOM, **options)


def test_options_of_encoders_do_not_fit_a_cross_encoder() -> None:
    with pytest.raises(UsageError, match="embeddings, rescore"):
        open_mteb(RANDOM_CROSS, embeddings="int8", rescore=50)


def test_fewer_tokens_and_another_number_format(
    register: Callable[..., str], tiny_encoder: Path
) -> None:
    from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper

    name = register(loader_of(SentenceTransformerEncoderWrapper, tiny_encoder))
    short = open_mteb(name, max_tokens=10)
    assert short.describe().settings["max_tokens"] == 10
    assert short.fingerprint("query") != open_mteb(name).fingerprint("query")
    text = "a text of more than ten bytes"
    np.testing.assert_array_equal(
        short.encode([text], "query"), dense(tiny_encoder, max_tokens=10).encode([text], "query")
    )
    with pytest.raises(ModelError, match="at most 512 tokens, found --max-tokens 513"):
        open_mteb(name, max_tokens=513)
    with pytest.raises(ModelError, match="takes no --max-tokens"):
        open_mteb(RANDOM, max_tokens=10)
    with pytest.raises(ModelError, match="takes no --dtype"):
        open_mteb(RANDOM, dtype="float16")


def test_number_format_and_safetensors_reach_sentence_transformers(
    register: Callable[..., str], tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mteb.models import sentence_transformer_wrapper as wrapper

    import harness.models.mteb_loading as loading

    Tiny = wrapper.SentenceTransformerEncoderWrapper  # noqa: N806
    load = loader_of(Tiny, tiny_encoder)
    monkeypatch.setattr(loading, "OPEN_LOADERS", (load,))
    name = register(load, loader_kwargs={"model_kwargs": {"torch_dtype": "float16"}})
    encoder = open_mteb(name, dtype="bfloat16")
    assert encoder.describe().settings["dtype"] == "bfloat16"
    whole = dense(tiny_encoder).encode(["a"], "query")
    np.testing.assert_allclose(encoder.encode(["a"], "query"), whole, atol=0.05)


def test_dimensions_that_mteb_lets_be_cut() -> None:
    encoder = open_mteb(RANDOM, truncate_dimensions=10)
    assert encoder.encode(["a"], "query").shape == (1, 10)
    assert encoder.describe().settings["dimension"] == 10
    with pytest.raises(ModelError, match="embedding dimension 7"):
        open_mteb(RANDOM, truncate_dimensions=7)


def test_quantised_embeddings_are_part_of_the_description() -> None:
    settings = open_mteb(RANDOM, embeddings="int8").describe().settings
    assert settings["embeddings"] == "int8"
    assert settings["rescore"] == EncoderOptions().rescore
    assert "embeddings" not in open_mteb(RANDOM).describe().settings


# --- what is refused --------------------------------------------------------------------------


def test_a_name_that_does_not_exist_gets_suggestions() -> None:
    with pytest.raises(UnknownNameError, match=r"mteb's registry.*intfloat/multilingual-e5-small"):
        open_mteb("mteb:intfloat/multilingual-e5-smal")


def test_an_old_name_is_known() -> None:
    assert open_mteb("baseline/random-encoder").describe().name == f"mteb:{RANDOM}"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mteb/baseline-bm25s", "of the kind 'sparse'.*use bm25, which is built in"),
        ("mteb/baseline-random-colbert", "'late-interaction'.*without mteb:"),
        ("mteb/baseline-hybrid-rrf-baseline-bm25s-multilingual-e5-small", "babelboard fuse"),
        ("mteb/baseline-no-reranking", "the same pair of texts two scores"),
        ("facebook/SONAR", "has no code that loads it"),
    ],
)
def test_models_of_other_kinds_are_refused_with_advice(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        open_mteb(name)


def test_a_model_that_reads_no_texts_is_refused(register: Callable[..., str]) -> None:
    with pytest.raises(ModelError, match="does not read texts, but image"):
        open_mteb(register(lambda *_, **__: None, modalities=["image"]))


def test_a_model_that_only_searches_is_refused(register: Callable[..., str]) -> None:
    with pytest.raises(ModelError, match="searches by itself"):
        open_mteb(register(lambda *_, **__: type("Searcher", (), {"mteb_model_meta": None})()))


def test_missing_packages_are_named(
    register: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mteb.models import ModelMeta

    missing = staticmethod(lambda _: ['openai>=1.41.0; extra == "openai"', "tiktoken>=0.8.0"])
    monkeypatch.setattr(ModelMeta, "_missing_dependencies", missing)
    name = register(lambda *_, **__: Dense(vectors), extra_requirements_groups=["openai"])
    expected = (
        "needs packages that are not installed: openai>=1.41.0, tiktoken>=0.8.0. "
        "Install them with: pip install 'mteb[openai]'"
    )
    with pytest.raises(ModelError, match=re.escape(expected)):
        open_mteb(name)


def test_a_loader_that_lacks_a_package_is_a_model_error(register: Callable[..., str]) -> None:
    def load(*_: Any, **__: Any) -> Any:
        import a_package_that_does_not_exist  # noqa: F401

    with pytest.raises(ModelError, match=r"needs packages.*a_package_that_does_not_exist"):
        open_mteb(register(load))


def test_a_model_that_is_not_there_is_one_message() -> None:
    with pytest.raises(ModelError, match=r"cannot be loaded by mteb: OSError.*\nIt must be a hub"):
        open_mteb("sentence-transformers/LaBSE")


def test_pickled_weights_are_refused(
    register: Callable[..., str], tiny_encoder: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    import shutil

    import torch
    from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper
    from safetensors.torch import load_file

    import harness.models.mteb_loading as loading

    folder = shutil.copytree(tiny_encoder, tmp_path / "pickled")
    weights = folder / "model.safetensors"
    torch.save(load_file(weights), folder / "pytorch_model.bin")
    weights.unlink()
    load = loader_of(SentenceTransformerEncoderWrapper, folder)
    monkeypatch.setattr(loading, "OPEN_LOADERS", (load,))
    with pytest.raises(ModelError, match=r"no file named model\.safetensors"):
        open_mteb(register(load))


@pytest.fixture
def with_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint with code of its own, which leaves the file ``ran``."""
    from transformers import dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = tmp_path / "with-code"
    folder.mkdir()
    (folder / "config.json").write_text(
        '{"model_type": "made-up", "auto_map": {"AutoConfig": "made_up.MadeUpConfig"}}'
    )
    (folder / "made_up.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w').close()\n"
        "from transformers import PretrainedConfig\n"
        "class MadeUpConfig(PretrainedConfig):\n    model_type = 'made-up'\n"
    )
    return folder


def test_code_of_a_models_own_does_not_run(
    register: Callable[..., str], with_code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoConfig

    ran = with_code.parent / "ran"

    def load(*_: Any, **__: Any) -> Any:
        # As many of mteb's loaders do, without a word of it in the registry.
        AutoConfig.from_pretrained(str(with_code), trust_remote_code=True)
        return Dense(vectors)

    # Where the registry says so, nothing is loaded at all.
    declared = register(lambda *_, **__: 1 / 0, loader_kwargs={"trust_remote_code": True})
    monkeypatch.syspath_prepend(str(with_code.parent))
    meaning = f"--trust-remote-code would run that code on this machine.*tree/{COMMIT}"
    with pytest.raises(ModelError, match=meaning):
        open_mteb(declared)
    hidden = register(load)
    with pytest.raises(ModelError, match=meaning):
        open_mteb(hidden)
    assert not ran.exists()
    trusted = open_mteb(hidden, trust_remote_code=True)
    assert ran.exists()
    assert trusted.describe().settings["trust_remote_code"] is True


# --- cross-encoders ---------------------------------------------------------------------------

PAIRS = [("a query", "a document"), ("b", "a longer document than that"), ("a query", "b")]


@pytest.fixture
def reranker(register: Callable[..., str], tiny_cross_encoder: Path) -> Any:
    from mteb.models.sentence_transformer_wrapper import CrossEncoderWrapper

    return open_mteb(
        register(loader_of(CrossEncoderWrapper, tiny_cross_encoder), model_type=["cross-encoder"])
    )


@pytest.fixture(scope="module")
def tiny_cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="needs the extra 'score'")
    import tiny_models

    return tiny_models.write_cross_encoder(tmp_path_factory.mktemp("models") / "cross")


def test_pairs_get_the_scores_of_the_checkpoint(reranker: Any, tiny_cross_encoder: Path) -> None:
    from sentence_transformers import CrossEncoder

    expected = CrossEncoder(str(tiny_cross_encoder), device="cpu").predict(PAIRS)
    done: list[int] = []
    np.testing.assert_allclose(reranker.scores_of(PAIRS, done.append), expected, atol=1e-6)
    assert sum(done) == 3
    assert len(set(expected.tolist())) == 3
    description = reranker.describe()
    assert (description.kind, description.name) == ("cross-encoder", "mteb:tests/model")
    assert description.revision == COMMIT
    assert description.parameters > 0


def test_a_pairs_score_depends_on_the_pair_alone(reranker: Any) -> None:
    together = reranker.scores_of(PAIRS, lambda _: None)
    alone = [reranker.scores_of([pair], lambda _: None)[0] for pair in PAIRS]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_equal_pairs_are_scored_once(register: Callable[..., str]) -> None:
    seen: list[str] = []

    class Counts:
        mteb_model_meta = None

        def predict(self, _: Any, documents: Any, **__: Any) -> np.ndarray:
            texts = [text for batch in documents for text in batch["text"]]
            seen.extend(texts)
            return np.array([[len(text)] for text in texts])

    model = open_mteb(register(lambda *_, **__: Counts(), model_type=["cross-encoder"]))
    seen.clear()
    done: list[int] = []
    pairs = [("q", "abc"), ("q", "z"), ("q", "abc")]
    assert model.scores_of(pairs, done.append).tolist() == [3, 1, 3]
    assert sorted(seen) == ["abc", "z"]
    assert sum(done) == 3


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (lambda n: np.full(n, np.nan), "the same pair of texts two scores|no finite number"),
        (lambda n: np.zeros((n, 2)), r"an output of shape \(2, 2\)"),
    ],
)
def test_a_reranker_without_one_finite_score_is_refused(
    scores: Callable[[int], np.ndarray], message: str, register: Callable[..., str]
) -> None:
    class Bad:
        mteb_model_meta = None

        def predict(self, queries: Any, *_: Any, **__: Any) -> np.ndarray:
            return scores(len(queries.dataset))

    with pytest.raises(ModelError, match=message):
        open_mteb(register(lambda *_, **__: Bad(), model_type=["cross-encoder"]))


def test_a_score_that_is_no_number_is_named(register: Callable[..., str]) -> None:
    class Breaks:
        mteb_model_meta = None

        def predict(self, _: Any, documents: Any, **__: Any) -> np.ndarray:
            texts = [text for batch in documents for text in batch["text"]]
            return np.array([np.inf if text == "bad" else 1.0 for text in texts])

    model = open_mteb(register(lambda *_, **__: Breaks(), model_type=["cross-encoder"]))
    with pytest.raises(ModelError, match="the query 'q' and the document 'bad' by no finite"):
        model.scores_of([("q", "good"), ("q", "bad")], lambda _: None)


def test_a_cross_encoder_reorders_a_first_stage(reranker: Any, pocket: Task) -> None:
    from harness.models.lexical import BM25
    from harness.score import FirstStage, Plan, score

    plan = Plan(first_stage=FirstStage("bm25", BM25(), depth=5))
    settings = [setting for setting in pocket.settings if setting.id == "moir/en-en"]
    scored = score(reranker, pocket, settings, plan, Silent())
    assert scored.table.rank.max() <= 5
    assert (scored.table.rank > 0).any()
    assert scored.cost.pairs > 0


# --- the command line -------------------------------------------------------------------------


def test_the_command_line_scores_a_model_of_mteb(babelboard: Any, tmp_path: Path) -> None:
    cache = {"MTEB_CACHE": str(tmp_path / "mteb")}
    arguments = ("--task", "pocket", "--settings", "moir/de-de", "--entries", tmp_path)
    done = babelboard("score", f"mteb:{RANDOM}", *arguments, env=cache)
    assert done.returncode == 0, done.stderr
    manifest = (tmp_path / "mteb-mteb-baseline-random-encoder" / "submission.toml").read_text()
    assert f'name = "mteb:{RANDOM}"' in manifest
    assert "Encoding batches" not in done.stderr

    wrong = babelboard("score", "mteb:mteb/baseline-random-encoderr", *arguments, env=cache)
    assert wrong.returncode == 2
    assert f"Did you mean {RANDOM}" in wrong.stderr
    assert "Traceback" not in wrong.stderr
