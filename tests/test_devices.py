"""How a model runs: on which devices, with which attention, compiled or not."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("sentence_transformers", reason="needs the extra 'score'")

import torch
from tiny_models import write_cross_encoder, write_dense, write_late_interaction, write_sparse

from harness.models import devices
from harness.models.attention import check_attention
from harness.models.cross_encoder import CrossEncoderModel
from harness.models.dense import DenseEncoder
from harness.models.devices import device_names, tokens_per_batch
from harness.models.door import open_model
from harness.models.encoder_options import EncoderOptions
from harness.progress import Silent
from tasks.errors import ModelError
from tasks.task import load_task

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunsCommand
    from numpy.typing import NDArray

    from harness.retrieval.dense_retriever import DenseRetriever

LANGUAGES = (("de", "hi"), ("de", "en", "zh"))
WITHOUT_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "dense": write_dense(folder / "dense"),
        "cross-encoder": write_cross_encoder(folder / "cross-encoder"),
        "late-interaction": write_late_interaction(folder / "late-interaction"),
        "sparse": write_sparse(folder / "sparse"),
    }


def loaded(folder: Path, **options: Any) -> DenseEncoder:
    return DenseEncoder.load(str(folder), EncoderOptions(**({"device": "cpu"} | options)))


def vectors(encoder: DenseEncoder) -> NDArray[np.float64]:
    """Scores of all queries against all documents."""
    prepared = encoder.prepare(load_task("pocket").collection, LANGUAGES, None, Silent())
    retriever: DenseRetriever = prepared.scorer  # type: ignore[assignment]  # a dense model's
    pool = retriever.pool(LANGUAGES[1])
    return pool.block(0, pool.documents).scores(0, pool.queries)


def test_two_devices_give_what_one_gives(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = loaded(folders["dense"]), loaded(folders["dense"], device="cpu,cpu")
    assert (one.workers, two.workers) == (1, 2)
    used: set[int] = set()
    forward = type(two._model).forward

    def watching(self: Any, features: Any, **settings: Any) -> Any:
        used.add(id(self))
        return forward(self, features, **settings)

    expected = vectors(one)
    monkeypatch.setattr(type(two._model), "forward", watching)
    np.testing.assert_array_equal(vectors(two), expected)
    assert len(used) == 2
    assert two.fingerprint("query") == one.fingerprint("query")
    assert two.device == "cpu"


def test_two_devices_give_the_scores_of_one(folders: dict[str, Path]) -> None:
    collection = load_task("pocket").collection
    pairs = [
        (query, document)
        for query in collection.queries["de"].texts[:6]
        for document in collection.corpora["en"].texts[:20]
    ]
    scores = [
        CrossEncoderModel.load(
            str(folders["cross-encoder"]), EncoderOptions(device=device)
        ).scores_of(pairs, lambda _: None)
        for device in ("cpu", "cpu,cpu,cpu")
    ]
    np.testing.assert_array_equal(scores[0], scores[1])


def test_a_model_is_used_by_one_thread_at_a_time(folders: dict[str, Path]) -> None:
    encoder = loaded(folders["dense"])
    with encoder._replicas.one():
        waiting = threading.Thread(target=encoder.encode, args=(["a"], "query"))
        waiting.start()
        waiting.join(timeout=0.2)
        assert waiting.is_alive()
    waiting.join(timeout=30)
    assert not waiting.is_alive()


def test_names_of_devices() -> None:
    assert device_names(None) == device_names("auto") == (None,)
    assert device_names("cuda:0, cuda:1") == ("cuda:0", "cuda:1")
    assert device_names("cpu,cpu") == ("cpu", "cpu")


@pytest.mark.parametrize("device", ["cuda:0,cuda:0", "cuda:0,", ",", "auto,cpu", "cuda:0,auto"])
def test_devices_that_are_not_named_once(device: str) -> None:
    with pytest.raises(ModelError, match=r"each once, such as cuda:0,cuda:1"):
        device_names(device)


@WITHOUT_CUDA
@pytest.mark.parametrize("device", ["cpu,cuda:1", "cpu,abacus"])
def test_a_second_device_that_is_not_there(folders: dict[str, Path], device: str) -> None:
    second = device.partition(",")[2]
    with pytest.raises(ModelError, match=rf"cannot be put on the device '{second}'"):
        loaded(folders["dense"], device=device)


@pytest.mark.parametrize("kind", ["late-interaction", "sparse"])
@pytest.mark.parametrize(
    ("options", "said"),
    [({"device": "cpu,cpu"}, "--device cpu,cpu is for dense"), ({"compile": True}, "--compile")],
)
def test_kinds_that_run_on_one_device(
    folders: dict[str, Path], kind: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        open_model(str(folders[kind]), EncoderOptions(**options))


@pytest.mark.parametrize("kind", ["dense", "cross-encoder", "late-interaction", "sparse"])
def test_attention_can_be_chosen(folders: dict[str, Path], kind: str) -> None:
    for attention in ("eager", "sdpa"):
        model: Any = open_model(
            str(folders[kind]), EncoderOptions(device="cpu", attention=attention)
        )
        assert model._model.transformers_model.config._attn_implementation == attention


def test_attention_changes_an_embedding_by_rounding(folders: dict[str, Path]) -> None:
    plain, eager = loaded(folders["dense"]), loaded(folders["dense"], attention="eager")
    assert eager.description == plain.description
    np.testing.assert_allclose(vectors(eager), vectors(plain), atol=1e-5)


@WITHOUT_CUDA
def test_what_flash_attention_needs(folders: dict[str, Path]) -> None:
    with pytest.raises(
        ModelError, match=r"a CUDA device, --dtype bfloat16 or float16\. --attention sdpa runs"
    ):
        loaded(folders["dense"], attention="flash_attention_2")


def test_flash_attention_where_everything_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.models.attention.find_spec", lambda _: object())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    check_attention("flash_attention_2", "bfloat16", ("cuda:0",))
    check_attention("flash_attention_2", "float16", (None,))
    with pytest.raises(ModelError, match=r"needs a CUDA device\. "):
        check_attention("flash_attention_2", "bfloat16", ("cuda:0", "cpu"))
    with pytest.raises(ModelError, match=r"needs --dtype"):
        check_attention("flash_attention_2", "float32", ("cuda",))


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_a_compiled_model_gives_the_same_but_for_rounding(folders: dict[str, Path]) -> None:
    texts = ["one", "two words", "drei kleine Wörter"]
    encoder = loaded(folders["dense"], compile=True)
    expected = loaded(folders["dense"])
    assert encoder.description == expected.description
    np.testing.assert_allclose(
        encoder.encode(texts, "query"), expected.encode(texts, "query"), atol=1e-5
    )


@pytest.mark.parametrize("kind", ["dense", "cross-encoder"])
def test_a_machine_that_cannot_compile(
    folders: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise RuntimeError("Failed to find C++ compiler.")

    monkeypatch.setattr(devices.BaseModel, "forward", refuse)
    monkeypatch.setattr(devices.BaseModel, "compile", lambda *_, **__: None)
    options = EncoderOptions(device="cpu", compile=True)
    with pytest.raises(ModelError, match=r"cannot be compiled.*C\+\+ compiler.*\n.*--compile"):
        open_model(str(folders[kind]), options)


def with_memory_for(tokens: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Has every model run out of memory above so many padded tokens; keeps what it was given."""
    given: list[int] = []
    forward = devices.BaseModel.forward

    def scarce(self: Any, features: Any, **settings: Any) -> Any:
        given.append(features["input_ids"].numel())
        if given[-1] > tokens:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return forward(self, features, **settings)

    monkeypatch.setattr(devices.BaseModel, "forward", scarce)
    return given


def test_little_memory_changes_no_embedding(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = loaded(folders["dense"])
    expected = vectors(encoder)
    given = with_memory_for(300, monkeypatch)
    np.testing.assert_allclose(vectors(encoder), expected, atol=1e-5)
    # 2,048 tokens, a half, a quarter, an eighth; then never again so many.
    assert 3 <= sum(tokens > 300 for tokens in given) <= 4


def test_little_memory_changes_no_score_and_a_long_pair_is_named(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = CrossEncoderModel.load(str(folders["cross-encoder"]), EncoderOptions(device="cpu"))
    pairs = [(query, document * 9) for query in ("ask", "say") for document in "abcdefghijkl"]
    expected = model.scores_of(pairs, lambda _: None)
    with_memory_for(40, monkeypatch)
    np.testing.assert_allclose(model.scores_of(pairs, lambda _: None), expected, atol=1e-6)
    with pytest.raises(ModelError) as raised:
        model.scores_of([*pairs, ("ask", "z" * 60)], lambda _: None)
    # 3 and 60 bytes, and three special tokens.
    assert "query 'ask' and the document alone, which has 66 tokens: 'zzz" in str(raised.value)


def test_how_a_model_runs_is_not_in_an_entrys_command(
    folders: dict[str, Path], babelboard: RunsCommand, tmp_path: Path
) -> None:
    done = babelboard(
        "score", folders["dense"], "--task", "pocket", "--settings", "moir/de-de",
        "--device", "cpu,cpu", "--attention", "eager", "--entries", tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    entry = (tmp_path / "dense" / "submission.toml").read_text("utf-8")
    assert "babelboard score dense --task pocket --settings moir/de-de" in entry
    assert not any(word in entry for word in ("--device", "--attention", "eager"))


@WITHOUT_CUDA
def test_devices_that_cannot_be_used_are_a_users_mistake(
    folders: dict[str, Path], babelboard: RunsCommand, tmp_path: Path
) -> None:
    for kind, device in (("dense", "cpu,cuda:7"), ("sparse", "cpu,cpu"), ("dense", "auto,cpu")):
        done = babelboard(
            "score", folders[kind], "--task", "pocket", "--device", device, "--entries", tmp_path
        )
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert "device" in done.stderr
    assert not list(tmp_path.iterdir())


def test_budgets() -> None:
    assert tokens_per_batch(torch.device("cpu")) == 2048
    assert tokens_per_batch(torch.device("cuda:1")) == 131_072
