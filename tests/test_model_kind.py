"""What a checkpoint is, by its files; where they are found; and the door that opens it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("sentence_transformers", reason="needs the extra 'score'")

import huggingface_hub
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder, SparseEncoder
from tiny_models import (
    write_causal_reranker,
    write_cross_encoder,
    write_dense,
    write_inference_free_sparse,
    write_late_interaction,
    write_sparse,
)

from harness.models.checkpoint import load_checkpoint
from harness.models.door import open_model
from harness.models.encoder_options import EncoderOptions
from harness.models.kind import KINDS, detect_kind
from harness.models.model_files import find_files
from tasks.errors import ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.models.description import Kind

WRITERS: dict[str, Callable[[Path], Path]] = {
    "dense": write_dense,
    "cross-encoder": write_cross_encoder,
    "late-interaction": write_late_interaction,
    "sparse": write_sparse,
    "causal": write_causal_reranker,
    "inference-free": write_inference_free_sparse,
}
CLASSES = {
    "dense": "DenseEncoder",
    "cross-encoder": "CrossEncoderModel",
    "late-interaction": "LateInteractionModel",
    "sparse": "SparseModel",
}
ONE_COMMIT = "0123456789abcdef0123456789abcdef01234567"
BERT = "sentence_transformers.base.modules.transformer.Transformer"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny checkpoint of each sort, and beside each its backbone."""
    folder = tmp_path_factory.mktemp("models")
    for name, write in WRITERS.items():
        write(folder / name)
    return folder


@pytest.fixture
def folder(models: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Copies a checkpoint, so that a test may change it."""
    return lambda name: Path(shutil.copytree(models / name, tmp_path / name))


def kind_of(folder: Path, wanted: Kind | None = None) -> Kind:
    return detect_kind(find_files(str(folder), EncoderOptions()), wanted)


def write(folder: Path, **files: Any) -> Path:
    """Writes JSON files, named without their ending."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")
    return folder


def rewrite(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(content | changes), "utf-8")


# What the files say.


@pytest.mark.parametrize(
    ("name", "kind"),
    [*zip(KINDS, KINDS, strict=True), ("causal", "cross-encoder"), ("inference-free", "sparse")],
)
def test_each_kind_is_found_and_opened(models: Path, name: str, kind: Kind) -> None:
    assert kind_of(models / name) == kind
    opened = open_model(str(models / name), EncoderOptions(device="cpu"))
    assert type(opened).__name__ == CLASSES[kind]
    described = opened.describe()
    assert (described.kind, described.name) == (kind, name)
    same = open_model(str(models / name), EncoderOptions(device="cpu", kind=kind))
    assert same.describe() == described


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("SentenceTransformer", "dense"),
        ("CrossEncoder", "cross-encoder"),
        ("SparseEncoder", "sparse"),
        ("MultiVectorEncoder", "late-interaction"),
        ("ColBERT", "late-interaction"),
    ],
)
def test_the_declared_type_decides(tmp_path: Path, declared: str, kind: Kind) -> None:
    folder = write(
        tmp_path,
        modules=[{"type": BERT}],
        config={"architectures": ["BertForMaskedLM"]},
        config_sentence_transformers={"model_type": declared},
    )
    assert kind_of(folder) == kind


def test_modules_without_a_declared_type_are_an_encoder(tmp_path: Path) -> None:
    # As sentence-transformers saved them before version 5.
    config = {"architectures": ["XLMRobertaForMaskedLM"]}
    assert kind_of(write(tmp_path, modules=[{"type": BERT}], config=config)) == "dense"
    write(tmp_path, config_sentence_transformers={"prompts": {}})
    assert kind_of(tmp_path) == "dense"


def test_pylate_and_colbert_are_late_interaction(tmp_path: Path) -> None:
    pylate = [{"type": BERT}, {"type": "pylate.models.Dense.Dense"}]
    assert kind_of(write(tmp_path / "a", modules=pylate)) == "late-interaction"
    colbert = {"architectures": ["HF_ColBERT"]}
    assert kind_of(write(tmp_path / "b", config=colbert)) == "late-interaction"
    assert kind_of(write(tmp_path / "b", modules=[{"type": BERT}])) == "late-interaction"


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        ("BertModel", "dense"),
        ("T5EncoderModel", "dense"),
        ("BertForPreTraining", "dense"),
        ("XLMRobertaForSequenceClassification", "cross-encoder"),
    ],
)
def test_without_modules_the_architecture_decides(
    tmp_path: Path, architecture: str, kind: Kind
) -> None:
    assert kind_of(write(tmp_path, config={"architectures": [architecture]})) == kind


@pytest.mark.parametrize(
    ("architecture", "kinds"),
    [
        ("XLMRobertaForMaskedLM", ("dense", "sparse")),
        ("Qwen3ForCausalLM", ("dense", "cross-encoder")),
        ("SomethingElse", ("dense", "cross-encoder", "sparse")),
        (None, ("dense", "cross-encoder", "sparse")),
    ],
)
def test_what_the_files_leave_open_the_user_says(
    tmp_path: Path, architecture: str | None, kinds: tuple[Kind, ...]
) -> None:
    folder = write(tmp_path, config={"architectures": [architecture] if architecture else None})
    with pytest.raises(ModelError, match="leave open") as raised:
        kind_of(folder)
    assert (architecture or "no architecture") in str(raised.value)
    for kind in KINDS:
        assert (f"--kind {kind}" in str(raised.value)) == (kind in kinds)
        if kind in kinds:
            assert kind_of(folder, kind) == kind
        else:
            with pytest.raises(ModelError, match=f"--kind {kind} does not fit"):
                kind_of(folder, kind)


def test_a_masked_language_model_is_opened_as_the_user_says(models: Path) -> None:
    backbone = str(models / "sparse-backbone")
    with pytest.raises(ModelError, match=r"BertForMaskedLM.*--kind dense.*--kind sparse"):
        open_model(backbone, EncoderOptions(device="cpu"))
    for kind in ("dense", "sparse"):
        opened = open_model(backbone, EncoderOptions(device="cpu", kind=kind))
        assert opened.describe().kind == kind


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("wanted", KINDS)
def test_a_kind_that_does_not_fit_is_refused(models: Path, name: Kind, wanted: Kind) -> None:
    if name != wanted:
        with pytest.raises(ModelError, match=rf"--kind {wanted} does not fit.*--kind {name}"):
            open_model(str(models / name), EncoderOptions(device="cpu", kind=wanted))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"neither modules\.json nor config\.json"),
        ({"config": {"architectures": ["ColPaliForRetrieval"]}}, "ColPaliForRetrieval"),
        ({"modules": {"type": BERT}}, r"modules\.json is not a list"),
        ({"modules": [{"name": "0"}]}, r"modules\.json is not a list"),
        ({"config": [1]}, r"config\.json is not a JSON object"),
        (
            {"modules": [{"type": BERT}], "config_sentence_transformers": {"model_type": "Other"}},
            r"declares the type 'Other'.*Known kinds: dense, cross-encoder",
        ),
        ({"modules": [{"type": BERT}, {"type": "a.SpladePooling"}]}, r"'SpladePooling'.*sparse"),
    ],
)
def test_files_of_no_kind(tmp_path: Path, files: dict[str, Any], message: str) -> None:
    folder = write(tmp_path, **files)
    for wanted in (None, "dense"):
        with pytest.raises(ModelError, match=message):
            kind_of(folder, wanted)  # type: ignore[arg-type]


def test_a_file_that_is_not_json(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures":', "utf-8")
    with pytest.raises(ModelError, match=r"cannot be loaded: its config\.json is not JSON"):
        kind_of(tmp_path)


# Formats of others.


def test_a_folder_of_pylate_is_opened(folder: Callable[[str], Path]) -> None:
    old = folder("late-interaction")
    modules = json.loads((old / "modules.json").read_text("utf-8"))[:2]
    modules[1]["type"] = "pylate.models.Dense.Dense"
    write(old, modules=modules)
    rewrite(
        old / "config_sentence_transformers.json",
        model_type="ColBERT",
        query_prefix="[Q] ",
        document_prefix="[D] ",
        query_length=24,
    )
    assert open_model(str(old), EncoderOptions(device="cpu")).describe().kind == "late-interaction"


def test_a_folder_of_colberts_authors_is_opened(models: Path, tmp_path: Path) -> None:
    weights = load_file(models / "late-interaction" / "model.safetensors")
    inner = {f"bert.{name}": weight for name, weight in weights.items()}
    linear = {"linear.weight": torch.ones(8, 32)}
    folder = Path(shutil.copytree(models / "late-interaction-backbone", tmp_path / "colbert"))
    save_file(inner | linear, folder / "model.safetensors", {"format": "pt"})
    rewrite(folder / "config.json", architectures=["HF_ColBERT"])
    metadata = {"query_token_id": "[Q]", "doc_token_id": "[D]", "query_maxlen": 24}
    (folder / "artifact.metadata").write_text(json.dumps(metadata), "utf-8")
    described = open_model(str(folder), EncoderOptions(device="cpu")).describe()
    assert described.kind == "late-interaction"
    (folder / "artifact.metadata").write_text(json.dumps(metadata | {"query_maxlen": 32}), "utf-8")
    changed = open_model(str(folder), EncoderOptions(device="cpu")).describe()
    assert changed.digest != described.digest


def test_layers_that_nobody_trained_are_refused(folder: Callable[[str], Path]) -> None:
    # sentence-transformers would append an autoencoder, or a head, with random weights.
    backbone = folder("dense-backbone")
    rewrite(backbone / "config.json", architectures=None)
    options = EncoderOptions(device="cpu")
    with pytest.raises(ModelError, match="no trained SparseAutoEncoder"):
        load_checkpoint(SparseEncoder, str(backbone), options)
    with pytest.raises(ModelError, match=r"lacks 2 of its weights.*classifier"):
        load_checkpoint(CrossEncoder, str(backbone), options)


# Code that comes with a model.


@pytest.fixture
def with_code(folder: Callable[[str], Path]) -> Path:
    """An encoder whose last module is in a file of its own, which leaves a trace when it runs."""
    own = folder("dense")
    (own / "custom.py").write_text(
        "from pathlib import Path\n"
        "from sentence_transformers.base.modules import Normalize\n"
        f"Path({str(own.parent / 'the-code-ran')!r}).touch()\n"
        "class Scaled(Normalize): pass\n",
        "utf-8",
    )
    modules = json.loads((own / "modules.json").read_text("utf-8"))
    modules[-1]["type"] = "custom.Scaled"
    return write(own, modules=modules)


def test_code_is_refused_with_what_trust_would_mean(with_code: Path) -> None:
    with pytest.raises(ModelError) as raised:
        open_model(str(with_code), EncoderOptions(device="cpu"))
    for said in ("custom.Scaled", "--trust-remote-code", "on this machine", "--revision"):
        assert said in str(raised.value)
    assert not (with_code.parent / "the-code-ran").exists()


def test_code_that_is_trusted_runs_and_is_part_of_the_model(
    with_code: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "m"))
    monkeypatch.setattr("sys.path", [str(tmp_path / "m"), *__import__("sys").path])
    options = EncoderOptions(device="cpu", trust_remote_code=True)
    described = open_model(str(with_code), options).describe()
    assert (with_code.parent / "the-code-ran").exists()
    assert described.settings["trust_remote_code"] is True
    with (with_code / "custom.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert open_model(str(with_code), options).describe().digest != described.digest


# Models of the hub.


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], Path]:
    """Puts a folder into an empty cache of the hub, as huggingface_hub lays it out."""
    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))

    def put(hub_id: str, folder: Path) -> Path:
        repository = cache / f"models--{hub_id.replace('/', '--')}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text(ONE_COMMIT, "utf-8")
        return Path(shutil.copytree(folder, repository / "snapshots" / ONE_COMMIT))

    return put


@pytest.mark.parametrize("name", KINDS)
def test_a_cached_hub_model_is_opened_without_a_network(
    name: Kind, models: Path, hub: Callable[[str, Path], Path]
) -> None:
    hub("someone/some-model", models / name)
    described = open_model("someone/some-model", EncoderOptions(device="cpu")).describe()
    assert (described.kind, described.name) == (name, "someone/some-model")
    assert (described.revision, described.digest) == (ONE_COMMIT, None)
    pinned = EncoderOptions(device="cpu", revision=ONE_COMMIT)
    assert open_model("someone/some-model", pinned).describe() == described


def test_a_name_without_an_owner(models: Path, hub: Callable[[str, Path], Path]) -> None:
    hub("sentence-transformers/some-encoder", models / "dense")
    hub("some-bert", models / "dense-backbone")
    for name, known in (
        ("some-encoder", "sentence-transformers/some-encoder"),
        ("some-bert", "some-bert"),
    ):
        assert open_model(name, EncoderOptions(device="cpu")).describe().name == known


def test_a_hub_model_that_is_not_there(hub: Callable[[str, Path], Path], models: Path) -> None:
    hub("someone/some-model", models / "dense")
    for name, revision in (("someone/other", None), ("other", None), ("someone/some-model", "v2")):
        with pytest.raises(ModelError, match="without a network, name a folder"):
            open_model(name, EncoderOptions(revision=revision))


def test_a_hub_model_without_safetensors(
    folder: Callable[[str], Path], hub: Callable[[str, Path], Path]
) -> None:
    pickled = folder("dense")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    hub("someone/pickled", pickled)
    with pytest.raises(ModelError, match=r"'someone/pickled' has no safetensors.*refs/pr/N"):
        open_model("someone/pickled", EncoderOptions(device="cpu"))


def test_pickles_and_code_are_not_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[set[str]] = []

    def fetch(_: str, *, allow_patterns: list[str], **__: Any) -> str:
        asked.append(set(allow_patterns))
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    for trusted in (False, True):
        find_files("someone/some-model", EncoderOptions(trust_remote_code=trusted))
    assert "*.safetensors" in asked[0]
    assert not asked[0] & {"*", "*.bin", "*.pt", "*.py"}
    assert asked[1] - asked[0] == {"*.py"}


def test_a_revision_of_a_folder_is_refused(models: Path) -> None:
    with pytest.raises(UsageError, match=r"--revision.*'dense' is a folder"):
        open_model(str(models / "dense"), EncoderOptions(revision="main"))


def test_weights_of_an_adapter_alone(tmp_path: Path) -> None:
    write(tmp_path, config={"architectures": ["BertModel"]}, adapter_config={})
    with pytest.raises(ModelError, match="adapter, which must be merged"):
        open_model(str(tmp_path), EncoderOptions(device="cpu"))


# Options.


@pytest.mark.parametrize("name", ["cross-encoder", "late-interaction", "sparse"])
def test_options_that_a_kind_does_not_take_are_named(models: Path, name: Kind) -> None:
    options = EncoderOptions(
        pooling="cls",
        normalise=True,
        similarity="dot",
        truncate_dimensions=8,
        embeddings="int8",
        rescore=10,
        query_prompt="q: ",
    )
    refused = "pooling, normalise, similarity, truncate_dimensions, embeddings, rescore"
    with pytest.raises(UsageError, match=rf"of the kind {name}, .* take: {refused}\.$"):
        open_model(str(models / name), options)


@pytest.mark.parametrize("name", ["bm25", "char-ngram", "run:somewhere"])
def test_models_that_are_not_loaded_take_no_options(name: str) -> None:
    with pytest.raises(UsageError, match="takes no options of an encoder: dtype, kind"):
        open_model(name, EncoderOptions(dtype="float16", kind="dense"))


def test_rescoring_needs_quantised_embeddings(models: Path) -> None:
    with pytest.raises(UsageError, match="--embeddings int8 or binary"):
        open_model(str(models / "dense"), EncoderOptions(rescore=7))
    described = open_model(
        str(models / "dense"), EncoderOptions(device="cpu", embeddings="binary", rescore=7)
    ).describe()
    assert described.settings["embeddings"] == "binary"
    assert described.settings["rescore"] == 7


def test_the_best_device_is_taken_where_none_is_named(models: Path) -> None:
    found = {
        str(open_model(str(models / "cross-encoder"), EncoderOptions(device=device)).device)  # type: ignore[attr-defined]
        for device in (None, "auto")
    }
    assert len(found) == 1
    assert found != {"auto"}


def test_a_folder_with_runs_is_opened(tmp_path: Path) -> None:
    assert open_model(f"run:{tmp_path}", EncoderOptions()).describe().kind == "run"


def test_names_of_mteb_go_to_mteb(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.models import from_mteb

    asked: list[str] = []
    monkeypatch.setattr(from_mteb, "open_mteb", lambda name, _: asked.append(name))
    open_model("mteb:intfloat/multilingual-e5-small", EncoderOptions(dtype="float16"))
    assert asked == ["intfloat/multilingual-e5-small"]
