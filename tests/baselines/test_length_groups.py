"""A batch run in groups of texts of like length gives what the whole batch gives."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'score'")

from sentence_transformers import CrossEncoder, SentenceTransformer  # noqa: E402
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer  # noqa: E402
from tiny_models import DIMENSION, write_causal_reranker, write_cross_encoder  # noqa: E402

from submissions.baselines import length_groups  # noqa: E402
from submissions.baselines.length_groups import GROUP, run_in_groups  # noqa: E402

# Of all lengths, some of them equal, in no order; the last group is no full one.
TEXTS = [f"{n} " + "word " * (n * 7 % 13) for n in range(2 * GROUP + 5)]
PAIRS = [(f"Which {n}?", text) for n, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def encoder(tiny_encoder):
    return SentenceTransformer(str(tiny_encoder), device="cpu")


@pytest.fixture(scope="module")
def padded_left(tmp_path_factory):
    """A decoder with the vector of its last token; where a text begins does not matter to it."""
    folder = tmp_path_factory.mktemp("models") / "decoder"
    write_causal_reranker(folder)
    transformer = Transformer(f"{folder}-backbone", max_seq_length=64)
    transformer.tokenizer.padding_side = "left"
    model = SentenceTransformer(
        modules=[transformer, Pooling(DIMENSION, pooling_mode="lasttoken")], device="cpu"
    )
    mask = model.preprocess(["a", "longer"])["attention_mask"]
    assert mask[:, 0].tolist() == [0, 1]
    assert mask[:, -1].tolist() == [1, 1]
    return model


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory):
    folder = write_cross_encoder(tmp_path_factory.mktemp("models") / "cross")
    return CrossEncoder(str(folder), device="cpu")


CASES = [
    ("encoder", TEXTS, "sentence_embedding"),
    ("padded_left", TEXTS, "sentence_embedding"),
    ("cross_encoder", PAIRS, "scores"),
]


def gradients(model: Any, outputs: Any) -> dict[str, Any]:
    """Of a sum in which each text and each number has a weight of its own."""
    model.zero_grad()
    weights = torch.linspace(-1, 1, outputs.numel()).view(outputs.shape)
    (outputs * weights).sum().backward()
    named = model.named_parameters()
    return {name: one.grad.clone() for name, one in named if one.grad is not None}


@pytest.mark.parametrize(("name", "texts", "output"), CASES, ids=[case[0] for case in CASES])
def test_groups_give_what_the_whole_batch_gives(name, texts, output, request, monkeypatch):
    # Without dropout; in float64, in which the order of a sum hardly matters.
    model = request.getfixturevalue(name).eval().double()
    features = model.preprocess(texts)
    whole = model(dict(features))[output].float()
    expected = gradients(model, whole)
    sizes = []

    def counted(features, rows, mask, part=length_groups._of_rows):
        found = part(features, rows, mask)
        sizes.append(tuple(found["attention_mask"].shape))
        return found

    monkeypatch.setattr(length_groups, "_of_rows", counted)
    grouped = run_in_groups(model, features, output)
    found = gradients(model, grouped)

    assert grouped.shape == whole.shape
    assert whole.std() > 0.01, "texts that come out alike would hide a wrong order"
    torch.testing.assert_close(grouped, whole, rtol=1e-5, atol=1e-5)
    assert found.keys() == expected.keys()
    largest = max(gradient.abs().max().item() for gradient in expected.values())
    for key, gradient in expected.items():  # parts of the decoder compute in float32 all the same
        torch.testing.assert_close(found[key], gradient, rtol=1e-5, atol=1e-5 * largest)

    # Short texts are run without the padding of long ones.
    assert [texts for texts, _ in sizes] == [GROUP, GROUP, 5]
    widths = [tokens for _, tokens in sizes]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1] == features["attention_mask"].shape[1]


def test_the_features_are_left_as_they_were(encoder):
    features = encoder.preprocess(TEXTS)
    before = {key: value.clone() for key, value in features.items() if torch.is_tensor(value)}
    run_in_groups(encoder, features, "sentence_embedding")
    for key, value in before.items():
        assert torch.equal(features[key], value)


def test_half_precision_comes_out_as_float32(encoder):
    encoder.float()
    features = encoder.preprocess(TEXTS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert run_in_groups(encoder, features, "sentence_embedding").dtype == torch.float32


def test_a_batch_without_a_mask_is_run_whole():
    class Doubling:
        device = torch.device("cpu")

        def __call__(self, features):
            return {"numbers": features["ids"] * 2}

    ids = torch.arange(6).view(3, 2)
    assert run_in_groups(Doubling(), {"ids": ids}, "numbers").tolist() == (ids * 2.0).tolist()
