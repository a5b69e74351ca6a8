"""The search itself: its trials, and that it can be stopped at any moment."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch", reason="needs the extra 'score'")
pytest.importorskip("optuna", reason="needs the extra 'search'")

from harness.progress import Silent
from submissions.baselines import policy_search
from submissions.baselines.policy_sampler import PolicySampler
from submissions.baselines.recipe_file import load_recipe
from submissions.baselines.training import Where, read_material, train
from tasks.errors import DataFileError, ModelError, UsageError
from tests.baselines.small_search import PART, SWITCHING, asked, lines_of, run, write_place
from tests.baselines.small_training import write_recipe


@pytest.fixture
def place(tmp_path, tiny_encoder):
    return write_place(tmp_path, tiny_encoder)


def test_the_first_trial_is_the_recipe_as_it_is(place):
    found = run(place, "out", asked(trials=2))
    recipe = load_recipe(place / "small.toml", {"training": {"steps": 2}})
    material = read_material(recipe, place / "data")
    trained = train(recipe, 5, material, Where(place / "b", place / "data", "cpu"), Silent())
    first, second = found.trials
    assert round(first.loss, 6) == trained.record["loss"][-1]
    assert first.switching == trained.record["switching"]
    assert second.switching != first.switching
    assert second.seed == first.seed == 5


def test_the_best_is_the_highest_and_the_other_half_is_not_looked_at(place):
    found = run(place, "out")
    objectives = [trial.objective for trial in found.trials]
    assert found.best.objective == max(objectives)
    assert found.best.trial == 1 + objectives.index(max(objectives))
    for number, trial in enumerate(found.trials):
        best_so_far = number == 0 or trial.objective > max(objectives[:number])
        assert (trial.reported is not None) == best_so_far
        assert trial.objective == trial.searched.mean
    assert found.header.searched != found.header.reported
    assert len({tuple(trial.parameters.values()) for trial in found.trials}) == 4


@pytest.mark.parametrize("stopped_in", [0, 2])
def test_a_search_that_was_stopped_goes_on_to_the_same_trials(place, monkeypatch, stopped_in):
    whole = run(place, "whole")
    steps, count = policy_search.run_steps, []

    def stops(job, source, reporter):
        progress = steps(job, source, reporter)
        count.append(job)
        if len(count) > stopped_in:
            raise KeyboardInterrupt  # trained, and not yet written down
        return progress

    monkeypatch.setattr(policy_search, "run_steps", stops)
    with pytest.raises(KeyboardInterrupt):
        run(place, "parts", every=1)
    monkeypatch.undo()
    assert len(lines_of(place, "parts")) == 1 + stopped_in
    assert (place / "parts" / f"trial-{stopped_in + 1}.safetensors").is_file()
    parts = run(place, "parts")
    assert lines_of(place, "parts") == lines_of(place, "whole")
    assert parts.best.trial == whole.best.trial
    assert [path.name for path in (place / "parts").iterdir()] == ["trials.jsonl"]


def test_more_trials_go_on_from_fewer_and_fewer_are_the_first(place, monkeypatch):
    run(place, "whole", asked(trials=4))
    run(place, "more", asked(trials=2))
    run(place, "more", asked(trials=4))
    assert lines_of(place, "more") == lines_of(place, "whole")
    monkeypatch.setattr(policy_search, "run_steps", None)  # nothing is left to train
    assert len(run(place, "more", asked(trials=3)).trials) == 3


def test_the_sampler_is_told_what_was_measured_also_when_going_on(place, monkeypatch):
    told = []
    tell = PolicySampler.tell

    def noted(sampler, objective):
        told.append(objective)
        tell(sampler, objective)

    monkeypatch.setattr(PolicySampler, "tell", noted)
    run(place, "out", asked(trials=2))
    found = run(place, "out", asked(trials=3))
    objectives = [trial.objective for trial in found.trials]
    assert told == [*objectives[:2], *objectives]


def test_another_search_or_other_data_are_refused_until_from_scratch(place):
    run(place, "out", asked(trials=1))
    with pytest.raises(UsageError, match=r"is of another search:\n  search: then"):
        run(place, "out", asked(trials=1, pairs=20))
    path = place / "data" / "lexicons" / "wiktionary" / "german.txt"
    path.write_text("river\tFluss\n", "utf-8")
    with pytest.raises(UsageError, match="source wiktionary de: then"):
        run(place, "out", asked(trials=1))
    assert len(run(place, "out", asked(trials=1), from_scratch=True).trials) == 1


def altered(lines, number, **changed):
    return [{**line, **changed} if n == number else line for n, line in enumerate(lines)]


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda lines: [*lines[:1], *lines[2:]], "trials.jsonl:2: trial 2, where trial 1 must be"),
        (lambda lines: altered(lines, 1, objective=float("nan")), "trials.jsonl:2 is not as exp"),
        (lambda lines: altered(lines, 1, objective=1.5), "objective: Input should be less"),
        (lambda lines: altered(lines, 0, schema_version=2), "trials.jsonl:1 is not as expected"),
        (
            lambda lines: altered(
                lines, 2, parameters={**lines[2]["parameters"], "rates.stop": 0.123}
            ),
            r"trials.jsonl:3: trial 2 has other parameters .* \(rates.stop\)",
        ),
        (lambda lines: altered(lines, 1, more=1), "more: Extra inputs"),
    ],
    ids=["missing", "nan", "above 1", "version", "parameters", "key"],
)
def test_a_log_that_was_altered_is_refused(place, alter, said):
    run(place, "out", asked(trials=2))
    path = place / "out" / "trials.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in alter(lines)), "utf-8")
    with pytest.raises(DataFileError, match=said):
        run(place, "out", asked(trials=3))


def test_a_loss_that_is_no_number_names_the_trial(place, tiny_encoder):
    numbers = {"steps": 2, "batch_size": 4, "learning_rate": 1e30, "max_tokens": 64}
    write_recipe(place / "small.toml", tiny_encoder, switching=SWITCHING, training=numbers)
    with pytest.raises(ModelError, match=r"^Trial 1: .*(loss|gradient|not finite)"):
        run(place, "out")


def test_a_language_must_keep_a_lexicon(place):
    own = {"document": ["de", "es"], "probability": 0.5, "sources": {"muse": 1, "wiktionary": 1}}
    write_recipe(place / "small.toml", load_recipe(place / "small.toml").base, switching=own)
    sources = {"muse": (0.0, 1.0), "wiktionary": (0.1, 1.0)}
    with pytest.raises(UsageError, match=r"muse may have the weight 0, and no other .* en-es"):
        run(place, "out", asked(space={"sources": sources}))
    with pytest.raises(UsageError, match="en is the language that the recipe switches"):
        run(place, "out", asked(held_out=[{**PART.model_dump(), "language": "en"}]))
