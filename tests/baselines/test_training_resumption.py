from __future__ import annotations

import json
import signal
import subprocess
import time
from itertools import product

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'score'")

from command_line import SCRIPT  # noqa: E402

from submissions.baselines import training_loop  # noqa: E402
from submissions.baselines.step_texts import SwitchedTexts  # noqa: E402
from submissions.baselines.training import CHECKPOINT  # noqa: E402
from tasks.errors import DataFileError, ModelError, UsageError  # noqa: E402
from tests.baselines.training_place import KINDS, ML_CS, Place, Stopped, weights  # noqa: E402

SAME = ("loss", "model_digest", "switching", "languages")
STEPS, EVERY = 8, 3
USUAL = 4  # between two checkpoints
STOPS = [
    pytest.param(kind, stop, marks=() if stop == USUAL else pytest.mark.long)
    for kind, stop in product(KINDS, range(STEPS))
]


@pytest.fixture
def place(tmp_path, tiny_encoder):
    return Place(tmp_path, tiny_encoder)


def _stop_at(stop, update=training_loop._update):
    def stops(job, optimizer, texts, step):
        if step == stop:
            raise Stopped
        return update(job, optimizer, texts, step)

    return stops


@pytest.mark.parametrize(("kind", "stop"), STOPS)
def test_a_run_that_was_stopped_goes_on_to_the_same_model(place, kind, stop, monkeypatch):
    whole = place.train("whole", **KINDS[kind])
    monkeypatch.setattr(training_loop, "_update", _stop_at(stop))
    with pytest.raises(Stopped):
        place.train("part", every=EVERY, **KINDS[kind])
    monkeypatch.undo()
    seen, update = [], training_loop._update

    def sees(job, optimizer, texts, step):
        seen.append(step)
        return update(job, optimizer, texts, step)

    monkeypatch.setattr(training_loop, "_update", sees)
    resumed = place.train("part", every=EVERY, **KINDS[kind])
    assert seen == list(range(stop // EVERY * EVERY, STEPS))
    assert weights(resumed) == weights(whole)
    for key in SAME:
        assert resumed.record[key] == whole.record[key]


@pytest.mark.parametrize(
    "delays", [(0.0,), pytest.param((0.0, 0.11, 0.23, 0.37), marks=pytest.mark.long)], ids=len
)
def test_a_run_that_was_killed_goes_on_to_the_same_model(place, delays):
    """With SIGKILL, at whatever it is doing, as often as it takes."""
    numbers = {"steps": 60, "batch_size": 4, "learning_rate": 1e-3, "max_tokens": 64}
    changed = {"switching": ML_CS, "training": numbers}
    threads = torch.get_num_threads()
    whole = place.train("whole", threads=threads, **changed)
    command = [
        str(SCRIPT),
        *("train", str(place.folder / "small.toml"), "--data", str(place.data)),
        *("--out", str(place.folder / "killed"), "--device", "cpu", "--checkpoint-every", "1"),
        *("--threads", str(threads)),
    ]
    made = place.folder / "killed" / "small-seed-1"
    kills = 0
    for delay in delays:
        run = subprocess.Popen(command, stderr=subprocess.PIPE)
        before = _changed(made / CHECKPOINT)
        deadline = time.monotonic() + 120
        while _changed(made / CHECKPOINT) == before and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(delay)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        kills += run.returncode == -signal.SIGKILL
    assert kills >= 1
    again = place.train("killed", **changed)
    assert weights(again) == weights(whole)
    record = json.loads((made / "record.json").read_text("utf-8"))
    for key in SAME:
        assert record[key] == whole.record[key]
    left = ["loss.svg", "record.json", "small-seed-1"]
    assert sorted(path.name for path in made.iterdir()) == left


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
