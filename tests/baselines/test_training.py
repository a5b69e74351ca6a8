from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'score'")

from safetensors.torch import load_file  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402
from tiny_models import write_dense  # noqa: E402
from transformers import get_linear_schedule_with_warmup  # noqa: E402

from harness.progress import Silent  # noqa: E402
from submissions.baselines import training_loop  # noqa: E402
from submissions.baselines.recipe import TrainingPart  # noqa: E402
from submissions.baselines.recipe_file import load_recipe  # noqa: E402
from submissions.baselines.step_texts import SwitchedTexts  # noqa: E402
from submissions.baselines.training import CHECKPOINT, Where, read_material, train  # noqa: E402
from submissions.baselines.training_loop import learning_rate  # noqa: E402
from tasks.errors import DataFileError, ModelError, UsageError  # noqa: E402
from tests.baselines.small_training import write_data, write_recipe  # noqa: E402

ML_CS = {"lexicon": "muse", "query": ["de", "es"], "document": ["de", "es"], "probability": 0.5}
KINDS = {
    "ml-cs": {"switching": ML_CS},
    "multitask": {"switching": ML_CS, "multitask": {"weight": 0.5}},
    "hybrid": {
        "switching": {"lexicon": "muse", "probability": 1.0},
        "batches": {"strategy": "hybrid", "alpha": 0.5, "languages": ["en", "de", "es"]},
    },
    "cross-encoder": {"architecture": "cross-encoder", "negatives": {}, "switching": ML_CS},
}


class Stopped(Exception):  # noqa: N818  # no error
    """Stands for whatever ends a run."""


class Place:
    """A recipe with its data, and a folder for models."""

    def __init__(self, folder, base):
        self.folder = folder
        self.base = base
        self.data = write_data(folder / "data", "de", "es")

    def train(self, out="out", *, seed=1, every=2, from_scratch=False, threads=None, **changed):
        recipe = load_recipe(write_recipe(self.folder / "small.toml", self.base, **changed))
        where = Where(self.folder / out, self.data, "cpu", every, from_scratch, threads)
        return train(recipe, seed, read_material(recipe, self.data), where, Silent())


@pytest.fixture
def place(tmp_path, tiny_encoder):
    return Place(tmp_path, tiny_encoder)


def weights(trained):
    found = {}
    for path in sorted(trained.model.rglob("*.safetensors")):
        for name, tensor in load_file(path).items():
            found[name] = tensor.numpy().tobytes()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_weights_and_another_one_others(place, kind):
    changed = KINDS[kind]
    first, again = place.train("a", **changed), place.train("b", **changed)
    other = place.train("c", seed=2, **changed)
    assert weights(first) == weights(again)
    assert weights(first) != weights(other)
    for key in ("loss", "model_digest", "switching", "languages", "plan"):
        assert first.record[key] == again.record[key]


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_was_stopped_at_any_step_goes_on_to_the_same_model(place, kind, monkeypatch):
    whole = place.train("whole", **KINDS[kind])
    update = training_loop._update
    for stop in range(8):

        def stops(job, optimizer, texts, step, stop=stop):
            if step == stop:
                raise Stopped
            return update(job, optimizer, texts, step)

        monkeypatch.setattr(training_loop, "_update", stops)
        with pytest.raises(Stopped):
            place.train(f"part-{stop}", every=3, **KINDS[kind])
        monkeypatch.setattr(training_loop, "_update", update)
        resumed = place.train(f"part-{stop}", every=3, **KINDS[kind])
        assert weights(resumed) == weights(whole)
        for key in ("loss", "model_digest", "switching", "languages"):
            assert resumed.record[key] == whole.record[key]


def test_a_run_that_was_killed_goes_on_to_the_same_model(place):
    """With SIGKILL, at whatever it is doing, as often as it takes."""
    changed = {
        "switching": ML_CS,
        "training": {"steps": 60, "batch_size": 8, "learning_rate": 1e-3, "max_tokens": 64},
    }
    whole = place.train("whole", **changed)
    command = [
        str(Path(sys.executable).with_name("babelboard")),
        *("train", str(place.folder / "small.toml"), "--data", str(place.data)),
        *("--out", str(place.folder / "killed"), "--device", "cpu", "--checkpoint-every", "1"),
    ]
    made = place.folder / "killed" / "small-seed-1"
    surroundings = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    kills = 0
    for delay in (0.0, 0.11, 0.23):
        run = subprocess.Popen(command, env=surroundings, stderr=subprocess.PIPE)
        before = _changed(made / CHECKPOINT)
        deadline = time.monotonic() + 120
        while _changed(made / CHECKPOINT) == before and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(delay)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        kills += run.returncode == -signal.SIGKILL
    assert kills >= 1
    done = subprocess.run(
        [*command, "--json"], env=surroundings, capture_output=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert found["model_digest"] == whole.record["model_digest"]
    record = json.loads((made / "record.json").read_text("utf-8"))
    for key in ("loss", "switching", "languages"):
        assert record[key] == whole.record[key]
    assert sorted(path.name for path in made.iterdir()) == [
        "loss.svg",
        "record.json",
        "small-seed-1",
    ]


def _changed(path):
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def test_threads_are_those_of_the_beginning_whatever_sets_others(place, monkeypatch):
    """numba, which finds negatives, takes torch's own number of threads away."""
    update, make = training_loop._update, SwitchedTexts.of
    seen = []

    def sees(job, optimizer, texts, step):
        seen.append(torch.get_num_threads())
        if step == 5 and len(seen) < 8:
            raise Stopped
        return update(job, optimizer, texts, step)

    def disturbs(*arguments):
        torch.set_num_threads(2)
        return make(*arguments)

    monkeypatch.setattr(training_loop, "_update", sees)
    monkeypatch.setattr(SwitchedTexts, "of", disturbs)
    before = torch.get_num_threads()
    with pytest.raises(Stopped):
        place.train(threads=1)
    place.train(threads=3)  # goes on with the number that it began with
    assert seen == [1] * 10
    assert torch.get_num_threads() == before


def test_what_is_done_is_left_alone_and_what_was_altered_is_made_again(place):
    first = place.train()
    assert first.is_new
    assert not place.train().is_new
    next(first.model.glob("*.safetensors")).write_bytes(b"altered")
    again = place.train()
    assert again.is_new
    assert again.record["model_digest"] == first.record["model_digest"]
    assert place.train(from_scratch=True).is_new


def test_a_folder_with_another_training_is_refused_until_from_scratch(place, monkeypatch):
    place.train()
    longer = {"steps": 9, "batch_size": 4, "learning_rate": 1e-3, "max_tokens": 64}
    with pytest.raises(UsageError, match=r"(?s)another training:.*recipe: then .*--from-scratch"):
        place.train(training=longer)
    assert place.train(training=longer, from_scratch=True).record["steps"] == 9

    monkeypatch.setattr(training_loop, "_update", _stop_at(5))
    with pytest.raises(Stopped):
        place.train("half")
    monkeypatch.undo()
    pairs = place.data / "train" / "pairs.jsonl"
    pairs.write_text(pairs.read_text("utf-8").replace("castle", "palace"), "utf-8")
    with pytest.raises(UsageError, match=r"data train/pairs\.jsonl: then"):
        place.train("half")


def _stop_at(stop, update=training_loop._update):
    def stops(job, optimizer, texts, step):
        if step == stop:
            raise Stopped
        return update(job, optimizer, texts, step)

    return stops


def test_a_damaged_checkpoint_is_refused(place):
    folder = place.folder / "out" / "small-seed-1"
    folder.mkdir(parents=True)
    (folder / CHECKPOINT).write_bytes(b"no safetensors")
    with pytest.raises(DataFileError, match=r"is damaged.*--from-scratch"):
        place.train()


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_checkpoint(place):
    wild = {"steps": 40, "batch_size": 4, "learning_rate": 1e30, "max_tokens": 64, "warmup": 0}
    with pytest.raises(ModelError, match=r"of step (\d+) is nan: training stopped") as caught:
        place.train(training=wild, every=1)
    step = int(str(caught.value).split("of step ")[1].split(" ")[0])
    assert 2 <= step < 40
    kept = place.folder / "out" / "small-seed-1" / CHECKPOINT
    assert f"The checkpoint of step {step - 1} is kept: {kept}" in str(caught.value)
    assert not (kept.parent / "record.json").exists()


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
