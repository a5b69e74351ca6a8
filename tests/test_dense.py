"""Encoders from folders: what they declare, what replaces it, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("sentence_transformers", reason="needs the extra 'score'")

import torch
from safetensors.torch import load_file, save_file

from harness.models.dense import DenseEncoder
from harness.models.description import display_name
from harness.models.door import open_model
from harness.models.encoder_options import EncoderOptions
from harness.progress import Silent
from harness.score import Plan, score
from tasks.errors import ModelError, UsageError
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

TEXTS = [
    "Which river crosses the city?",
    "Der Fluss fließt durch die Stadt.",
    "नदी कहाँ है?",
    "长江是最长的河流。",
    "a",
]


def load(folder: Path, **options: Any) -> DenseEncoder:
    return DenseEncoder.load(str(folder), EncoderOptions(device="cpu", **options))


def rewrite(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(content | changes), "utf-8")


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray(np.einsum("ij,ij->i", a, b) / lengths)


def token_vectors(folder: Path, text: str) -> NDArray[np.float32]:
    """What the transformer alone makes of a text, shape (tokens, dimension)."""
    from transformers import AutoModel, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.inference_mode():
        return np.asarray(AutoModel.from_pretrained(folder)(**tokens).last_hidden_state[0])


@pytest.fixture
def folder(tiny_encoder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny encoder that a test may change: mean pooling, unit length, cosine."""
    return Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))


@pytest.fixture
def plain(folder: Path) -> Path:
    """A folder as transformers saves it, with nothing of sentence-transformers."""
    for name in ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"):
        (folder / name).unlink()
    for part in ("1_Pooling", "2_Normalize"):
        shutil.rmtree(folder / part)
    return folder


@pytest.fixture
def with_dense_layer(folder: Path) -> Path:
    """A copy of the tiny encoder with a linear layer in a sub-folder ``3_Dense``."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    model = SentenceTransformer(str(folder), device="cpu")
    model.append(Dense(32, 16))
    saved = folder.parent / "with-dense-layer"
    model.save_pretrained(str(saved), create_model_card=False)
    return saved


def test_a_folder_is_loaded_as_it_declares(tiny_encoder: Path) -> None:
    encoder = load(tiny_encoder)
    described = encoder.description
    assert (described.kind, described.name, described.revision) == ("dense", "tiny-encoder", None)
    assert described.parameters == sum(
        weights.numel() for weights in load_file(tiny_encoder / "model.safetensors").values()
    )
    assert described.settings == {
        "query_prompt": "",
        "document_prompt": "",
        "pooling": "mean",
        "normalised": True,
        "similarity": "cosine",
        "dimension": 32,
        "max_tokens": 64,
        "dtype": "float32",
    }
    vectors = encoder.encode(TEXTS, "query")
    assert vectors.shape == (5, 32)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors, encoder.encode(TEXTS, "document"), atol=1e-6)


def test_a_batch_gives_what_each_text_gives_alone(tiny_encoder: Path) -> None:
    encoder = load(tiny_encoder)
    together = encoder.encode(TEXTS, "query")
    alone = np.concatenate([encoder.encode([text], "query") for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_plain_folder_gets_mean_pooling(plain: Path) -> None:
    encoder = load(plain)
    assert encoder.description.settings["pooling"] == "mean"
    assert encoder.description.settings["normalised"] is False
    for text, vector in zip(TEXTS, encoder.encode(TEXTS, "query"), strict=True):
        np.testing.assert_allclose(vector, token_vectors(plain, text).mean(axis=0), atol=1e-4)


def test_a_checkpoint_with_a_language_model_head_and_no_pooler_is_complete(plain: Path) -> None:
    expected = load(plain).encode(TEXTS, "query")
    weights = load_file(plain / "model.safetensors")
    inner = {f"bert.{k}": v for k, v in weights.items() if not k.startswith("pooler.")}
    head = {"cls.predictions.bias": torch.zeros(len(weights))}
    save_file(inner | head, plain / "model.safetensors", {"format": "pt"})
    rewrite(plain / "config.json", architectures=["BertForMaskedLM"])
    np.testing.assert_allclose(load(plain).encode(TEXTS, "query"), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("pooling", "pooled"),
    [
        ("cls", lambda tokens: tokens[0]),
        ("max", lambda tokens: tokens.max(axis=0)),
        ("lasttoken", lambda tokens: tokens[-1]),
        ("mean", lambda tokens: tokens.mean(axis=0)),
    ],
)
def test_pooling_can_be_chosen(
    folder: Path, pooling: str, pooled: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> None:
    encoder = load(folder, pooling=pooling, normalise=False)
    assert encoder.description.settings["pooling"] == pooling
    for text, vector in zip(TEXTS, encoder.encode(TEXTS, "document"), strict=True):
        np.testing.assert_allclose(vector, pooled(token_vectors(folder, text)), atol=1e-4)


def test_normalising_can_be_left_out_and_added(folder: Path, plain: Path) -> None:
    del folder  # it is the same folder as plain, made plain
    bare = load(plain)
    added = load(plain, normalise=True)
    assert added.description.settings["normalised"] is True
    vectors = added.encode(TEXTS, "query")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(cosines(vectors, bare.encode(TEXTS, "query")), 1, atol=1e-5)


def test_a_models_own_normalising_can_be_left_out(tiny_encoder: Path) -> None:
    encoder = load(tiny_encoder, normalise=False)
    assert encoder.description.settings["normalised"] is False
    vectors = encoder.encode(TEXTS, "query")
    assert (np.abs(np.linalg.norm(vectors, axis=1) - 1) > 0.1).all()
    declared = load(tiny_encoder).encode(TEXTS, "query")
    np.testing.assert_allclose(cosines(vectors, declared), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["document", "passage", "corpus"])
def test_declared_prompts_are_put_before_texts(tiny_encoder: Path, folder: Path, name: str) -> None:
    rewrite(
        folder / "config_sentence_transformers.json",
        prompts={"query": "ask: ", name: "tell: "},
        default_prompt_name="query",
    )
    encoder, bare = load(folder), load(tiny_encoder)
    assert encoder.description.settings["query_prompt"] == "ask: "
    assert encoder.description.settings["document_prompt"] == "tell: "
    for role, prompt in (("query", "ask: "), ("document", "tell: ")):
        np.testing.assert_allclose(
            encoder.encode(TEXTS, role),  # type: ignore[arg-type]
            bare.encode([prompt + text for text in TEXTS], "query"),
            atol=1e-5,
        )


def test_prompts_can_be_replaced_and_emptied(tiny_encoder: Path, folder: Path) -> None:
    rewrite(
        folder / "config_sentence_transformers.json",
        prompts={"query": "ask: ", "document": "tell: "},
        default_prompt_name="query",
    )
    bare = load(tiny_encoder)
    replaced = load(folder, query_prompt="Instruct: find\nQuery: ", document_prompt="")
    assert replaced.description.settings["query_prompt"] == "Instruct: find\nQuery: "
    assert replaced.description.settings["document_prompt"] == ""
    np.testing.assert_allclose(
        replaced.encode(TEXTS, "query"),
        bare.encode([f"Instruct: find\nQuery: {text}" for text in TEXTS], "query"),
        atol=1e-5,
    )
    np.testing.assert_allclose(
        replaced.encode(TEXTS, "document"), bare.encode(TEXTS, "document"), atol=1e-5
    )


def test_a_model_that_declares_a_query_prompt_alone(tiny_encoder: Path, folder: Path) -> None:
    rewrite(
        folder / "config_sentence_transformers.json",
        prompts={"query": "ask: "},
        default_prompt_name="query",
    )
    encoder = load(folder)
    assert encoder.description.settings["document_prompt"] == ""
    np.testing.assert_allclose(
        encoder.encode(TEXTS, "document"), load(tiny_encoder).encode(TEXTS, "query"), atol=1e-5
    )


def test_texts_are_cut_after_max_tokens(tiny_encoder: Path) -> None:
    # One token a byte, and one at either end.
    encoder = load(tiny_encoder, max_tokens=8)
    assert encoder.description.settings["max_tokens"] == 8
    long, longer, other = encoder.encode(["abcdef", "abcdefgh", "abcdeXgh"], "query")
    np.testing.assert_allclose(long, longer, atol=1e-6)
    assert np.abs(long - other).max() > 1e-3
    assert encoder.token_counts(["", "abc", "abcdefgh", "я"]).tolist() == [2, 5, 8, 4]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_dtype_can_be_chosen(tiny_encoder: Path, dtype: str) -> None:
    encoder = load(tiny_encoder, dtype=dtype)
    vectors, exact = encoder.encode(TEXTS, "query"), load(tiny_encoder).encode(TEXTS, "query")
    assert encoder.description.settings["dtype"] == dtype
    assert vectors.dtype == np.float32
    assert 1e-6 < np.abs(vectors - exact).max() < 0.1


@pytest.mark.parametrize("normalise", [True, False])
def test_the_leading_dimensions_can_be_kept(tiny_encoder: Path, normalise: bool) -> None:
    whole = load(tiny_encoder, normalise=normalise)
    part = load(tiny_encoder, normalise=normalise, truncate_dimensions=8)
    expected = whole.encode(TEXTS, "query")[:, :8]
    if normalise:
        expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(part.encode(TEXTS, "query"), expected, atol=1e-6)
    assert part.description.settings["dimension"] == 8
    assert part.description.settings["truncated"] is True
    assert part.fingerprint("query") != whole.fingerprint("query")


@pytest.mark.parametrize("dimensions", [0, -1, 33])
def test_dimensions_that_the_model_does_not_have(tiny_encoder: Path, dimensions: int) -> None:
    with pytest.raises(ModelError, match=rf"have 32 dimensions, found .* {dimensions}; .*1 to 32"):
        load(tiny_encoder, truncate_dimensions=dimensions)


def test_truncated_embeddings_are_compared_by_cosine(tiny_encoder: Path, plain: Path) -> None:
    # The plain folder has no unit length of its own, so the ranking does the scaling.
    task = load_task("pocket")
    ranks = [
        score(
            load(one, truncate_dimensions=8, max_tokens=32, similarity="cosine"),
            task,
            task.settings[:1],
            Plan(),
            Silent(),
        ).table.rank
        for one in (tiny_encoder, plain)
    ]
    assert np.mean(ranks[0] == ranks[1]) > 0.9


def test_similarity_decides_the_ranks(plain: Path) -> None:
    task = load_task("pocket")
    ranks = {}
    for similarity in ("cosine", "dot"):
        encoder = load(plain, similarity=similarity, max_tokens=32)
        assert encoder.description.settings["similarity"] == similarity
        ranks[similarity] = score(encoder, task, task.settings[:1], Plan(), Silent()).table.rank
    assert (ranks["cosine"] != ranks["dot"]).any()

    # Of vectors of length 1, both are the same.
    encoder = load(plain, similarity="dot", normalise=True, max_tokens=32)
    unit = score(encoder, task, task.settings[:1], Plan(), Silent()).table.rank
    assert np.mean(unit == ranks["cosine"]) > 0.9


def test_a_similarity_that_is_not_a_product_is_refused(folder: Path) -> None:
    rewrite(folder / "config_sentence_transformers.json", similarity_fn_name="euclidean")
    with pytest.raises(ModelError, match=r"euclidean.*cosine or dot.*--similarity"):
        load(folder)
    assert load(folder, similarity="dot").description.settings["similarity"] == "dot"


def test_descriptions_have_no_path(
    folder: Path, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (str(folder), f"{folder}/", f"{folder}/../{folder.name}"):
        described = DenseEncoder.load(name, EncoderOptions(device="cpu")).description
        assert described.name == folder.name
        assert str(folder.parent) not in str(asdict(described))
    monkeypatch.chdir(plain)
    assert load(Path()).description.name == plain.name
    link = plain.parent / "another-name"
    link.symlink_to(plain)
    assert display_name(str(link)) == "another-name"
    assert display_name("some/model") == "some/model"


def both_fingerprints(encoder: DenseEncoder) -> tuple[str, str]:
    return encoder.fingerprint("query"), encoder.fingerprint("document")


def test_the_fingerprint_is_of_what_decides_an_embedding(tiny_encoder: Path, folder: Path) -> None:
    encoder = load(tiny_encoder)
    query, document = both_fingerprints(encoder)
    assert query == document  # no prompts, so the roles are alike
    # Neither the folder's name nor the way of comparing changes an embedding.
    assert both_fingerprints(load(folder)) == (query, document)
    assert both_fingerprints(load(tiny_encoder, similarity="dot")) == (query, document)

    for options in (
        {"pooling": "cls"},
        {"max_tokens": 48},
        {"normalise": False},
        {"dtype": "bfloat16"},
    ):
        assert load(tiny_encoder, **options).fingerprint("query") != query

    prompted = load(tiny_encoder, query_prompt="ask: ")
    assert prompted.fingerprint("query") != query
    assert prompted.fingerprint("document") == document

    weights = load_file(folder / "model.safetensors")
    name = next(iter(weights))
    weights[name] = weights[name] + 1e-3
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert load(folder).fingerprint("query") != query
    assert load(folder).description.digest != encoder.description.digest


def test_a_file_that_decides_nothing_leaves_the_fingerprint(folder: Path) -> None:
    before = load(folder)
    (folder / "README.md").write_text("A model.", "utf-8")
    assert load(folder).description == before.description


def test_minilm_gives_the_vectors_of_sentence_transformers(minilm: Path) -> None:
    from sentence_transformers import SentenceTransformer

    collection = load_task("pocket").collection
    texts = [*collection.corpora["en"].texts[:15], *collection.queries["de"].texts[:5]]
    expected = SentenceTransformer(str(minilm), device="cpu").encode(texts, batch_size=4)
    encoder = load(minilm)
    np.testing.assert_allclose(encoder.encode(texts, "document"), expected, atol=1e-5)
    assert encoder.description.parameters == 22_713_216
    assert encoder.description.settings["max_tokens"] == 256
    assert encoder.description.settings["normalised"] is True


# What is refused.


def test_pickled_weights_are_not_loaded(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    torch.save(weights, folder / "pytorch_model.bin")
    load(folder)  # the safetensors are there too
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"pytorch_model\.bin.*safe_serialization"):
        load(folder)


def pickle_the_layer(folder: Path) -> Path:
    layer = folder / "3_Dense"
    torch.save(load_file(layer / "model.safetensors"), layer / "pytorch_model.bin")
    (layer / "model.safetensors").unlink()
    return layer


def test_pickled_weights_of_a_part_are_not_loaded(with_dense_layer: Path) -> None:
    assert load(with_dense_layer).description.settings["dimension"] == 16
    pickle_the_layer(with_dense_layer)
    with pytest.raises(ModelError, match=r"3_Dense/pytorch_model\.bin"):
        load(with_dense_layer)


def test_safetensors_of_another_name_do_not_vouch_for_pickled_weights(
    with_dense_layer: Path,
) -> None:
    layer = pickle_the_layer(with_dense_layer)
    save_file({"other": torch.zeros(1)}, layer / "other.safetensors")
    with pytest.raises(ModelError):
        load(with_dense_layer)


def test_a_folder_without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="has no weights"):
        load(folder)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no weights"):
        load(tmp_path)


def test_weights_that_lack_a_layer(folder: Path) -> None:
    # transformers would fill the gap with random numbers, others at every start.
    weights = load_file(folder / "model.safetensors")
    left = {name: value for name, value in weights.items() if "layer.0.attention." not in name}
    assert len(left) < len(weights)
    save_file(left, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError):
        load(folder)


def test_weights_that_are_damaged(folder: Path) -> None:
    weights = folder / "model.safetensors"
    for content in (weights.read_bytes()[:-100], b"not safetensors"):
        weights.write_bytes(content)
        with pytest.raises(ModelError, match="cannot be loaded"):
            load(folder)


def test_weights_of_another_shape(folder: Path) -> None:
    rewrite(folder / "config.json", hidden_size=64)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(folder)


@pytest.mark.parametrize("name", ["config.json", "modules.json"])
def test_a_malformed_configuration(folder: Path, name: str) -> None:
    (folder / name).write_text("{", "utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(folder)


def code_in(folder: Path) -> Path:
    """Puts code into a model's folder; the path is of a file that the code makes when it runs."""
    trace = folder.parent / "the-code-ran"
    code = f"open({str(trace)!r}, 'w').close()\nclass Custom: pass\n"
    (folder / "custom.py").write_text(code, "utf-8")
    return trace


def test_a_module_with_code_of_its_own_is_refused(folder: Path) -> None:
    trace = code_in(folder)
    modules = json.loads((folder / "modules.json").read_text("utf-8"))
    modules[-1]["type"] = "custom.Custom"
    (folder / "modules.json").write_text(json.dumps(modules), "utf-8")
    with pytest.raises(ModelError, match="no code of its own"):
        load(folder)
    assert not trace.exists()


def test_an_architecture_with_code_of_its_own_is_refused(folder: Path) -> None:
    trace = code_in(folder)
    names = {"AutoConfig": "custom.Custom", "AutoModel": "custom.Custom"}
    rewrite(folder / "config.json", auto_map=names, model_type="custom")
    with pytest.raises(ModelError, match="no code of its own"):
        load(folder)
    assert not trace.exists()


def test_code_beside_a_known_architecture_is_not_run(tiny_encoder: Path, folder: Path) -> None:
    trace = code_in(folder)
    rewrite(folder / "config.json", auto_map={"AutoModel": "custom.Custom"})
    vectors = load(folder).encode(TEXTS, "query")
    assert not trace.exists()
    np.testing.assert_array_equal(vectors, load(tiny_encoder).encode(TEXTS, "query"))


@pytest.mark.parametrize("name", ["./no-such-folder", "/no/such/folder", "a/b/c", "../x", "a b"])
def test_a_name_that_is_neither_a_folder_nor_a_hub_id(name: str) -> None:
    with pytest.raises(ModelError, match="no folder"):
        DenseEncoder.load(name, EncoderOptions())


def test_a_hub_id_without_a_network() -> None:
    with pytest.raises(ModelError, match="without a network, name a folder"):
        DenseEncoder.load("nobody/nothing", EncoderOptions())


def test_an_unknown_pooling_is_refused(tiny_encoder: Path) -> None:
    with pytest.raises(ModelError, match=r"'median'.*allowed: cls, max, mean"):
        load(tiny_encoder, pooling="median")


def test_more_tokens_than_the_model_has_positions_for(tiny_encoder: Path) -> None:
    with pytest.raises(ModelError):
        load(tiny_encoder, max_tokens=600).encode(["a" * 700], "query")


@pytest.mark.parametrize(
    "device",
    [
        "abacus",
        pytest.param(
            "cuda",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA"),
        ),
    ],
)
def test_a_device_that_is_not_there(tiny_encoder: Path, device: str) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        DenseEncoder.load(str(tiny_encoder), EncoderOptions(device=device))


# The door.


def test_the_door_opens_each_kind(tiny_encoder: Path) -> None:
    options = EncoderOptions()
    assert isinstance(open_model(str(tiny_encoder), options), DenseEncoder)
    assert type(open_model("bm25", options)).__name__ == "BM25"
    assert type(open_model("char-ngram", options)).__name__ == "CharNgram"


def test_built_in_models_take_no_options() -> None:
    assert EncoderOptions().changed() == {}
    with pytest.raises(UsageError, match="pooling, normalise"):
        open_model("bm25", EncoderOptions(pooling="cls", normalise=False))


def test_a_static_embedding_has_no_token_limit(tiny_encoder: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder).backend_tokenizer
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)])
    model.save(str(tmp_path / "static"))
    encoder = load(tmp_path / "static")
    assert encoder.description.settings["max_tokens"] == 0
    assert encoder.encode(["one", "two words"], "query").shape == (2, 8)
