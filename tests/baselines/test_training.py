from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'score'")

from safetensors.torch import load_file  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402
from tiny_models import write_dense  # noqa: E402
from transformers import get_linear_schedule_with_warmup  # noqa: E402

from submissions.baselines import training_loop  # noqa: E402
from submissions.baselines.recipe import TrainingPart  # noqa: E402
from submissions.baselines.training_loop import learning_rate  # noqa: E402
from tasks.errors import ModelError  # noqa: E402
from tests.baselines.training_place import KINDS, Place, weights  # noqa: E402


@pytest.fixture
def place(tmp_path, tiny_encoder):
    return Place(tmp_path, tiny_encoder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_weights_and_another_one_others(place, kind):
    changed = KINDS[kind]
    first, again = place.train("a", **changed), place.train("b", **changed)
    other = place.train("c", seed=2, **changed)
    assert weights(first) == weights(again)
    assert weights(first) != weights(other)
    for key in ("loss", "model_digest", "switching", "languages", "plan"):
        assert first.record[key] == again.record[key]


def test_training_lowers_the_loss_and_the_model_opens_as_an_encoder(place):
    numbers = {"steps": 40, "batch_size": 8, "learning_rate": 3e-3, "max_tokens": 64}
    trained = place.train(
        training={**numbers, "query_prefix": "query: ", "document_prefix": "passage: "}
    )
    losses = trained.record["loss"]
    assert len(losses) == 40
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
    model = SentenceTransformer(str(trained.model), device="cpu")
    assert model.prompts == {"query": "query: ", "document": "passage: "}
    assert model.max_seq_length == 64


def test_bfloat16_computes_and_keeps_weights_in_float32(place):
    numbers = {"steps": 3, "batch_size": 4, "learning_rate": 1e-3, "max_tokens": 64}
    plain = place.train("a", training=numbers)
    reduced = place.train("b", training={**numbers, "dtype": "bfloat16"})
    assert reduced.record["loss"] == pytest.approx(plain.record["loss"], rel=0.05)
    assert reduced.record["loss"] != plain.record["loss"]
    tensors = load_file(reduced.model / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_the_learning_rate_rises_and_falls_linearly(warmup):
    numbers = TrainingPart(steps=20, batch_size=2, learning_rate=0.5, warmup=warmup)
    rates = [learning_rate(numbers, step) for step in range(20)]
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], 0.5)
    steps = round(warmup * 20)
    # transformers' schedule begins at 0, a step that changes nothing; ours is one ahead of it
    # while it rises, and equal afterwards.
    schedule = get_linear_schedule_with_warmup(optimizer, steps, 20)
    theirs = []
    for _ in range(20):
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[:steps] == pytest.approx([*theirs[1:steps], 0.5][:steps])
    assert rates[steps:] == pytest.approx(theirs[steps:])
    assert min(rates) > 0


def test_biases_and_normalisation_do_not_decay(tiny_encoder):
    model = SentenceTransformer(str(tiny_encoder), device="cpu")
    names = {parameter: name for name, parameter in model.named_parameters()}
    decayed, kept = training_loop._groups(model, 0.01)
    assert (decayed["weight_decay"], kept["weight_decay"]) == (0.01, 0.0)
    assert len(decayed["params"]) + len(kept["params"]) == len(names)
    plain = ("bias", "LayerNorm.weight")
    assert all(names[parameter].endswith(plain) for parameter in kept["params"])
    assert not any(names[parameter].endswith(plain) for parameter in decayed["params"])


@pytest.mark.parametrize("architecture", ["bi-encoder", "cross-encoder"])
def test_a_base_without_weights_is_refused(tmp_path, architecture):
    base = write_dense(tmp_path / "base")
    place = Place(tmp_path, base)
    parts = {"architecture": architecture}
    if architecture == "cross-encoder":
        parts["negatives"] = {}
    (base / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="has no weights"):
        place.train(**parts)


def test_a_base_that_lacks_some_weights_is_no_cross_encoder(tmp_path):
    from safetensors.torch import save_file

    base = write_dense(tmp_path / "base")
    tensors = load_file(base / "model.safetensors")
    del tensors[next(name for name in tensors if "attention" in name)]
    save_file(tensors, base / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="lacks 1 of its weights"):
        Place(tmp_path, base).train(architecture="cross-encoder", negatives={})


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("package:no_such_package", "'no_such_package', which is not installed"),
        ("package:json", "carries 0 models"),
        ("no/such/folder", "no folder"),
    ],
)
def test_a_base_that_cannot_be_had_is_refused(tmp_path, base, said):
    with pytest.raises(ModelError, match=said):
        Place(tmp_path, base).train()
