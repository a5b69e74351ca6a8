"""A place where small recipes are trained, and the kinds of training that are told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safetensors.torch import load_file

from harness.progress import Silent
from submissions.baselines.recipe_file import load_recipe
from submissions.baselines.training import Where, read_material, train
from tests.baselines.small_training import write_data, write_recipe

if TYPE_CHECKING:
    from pathlib import Path

    from submissions.baselines.training import Trained

ML_CS = {"lexicon": "muse", "query": ["de", "es"], "document": ["de", "es"], "probability": 0.5}
KINDS: dict[str, dict[str, Any]] = {
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

    def __init__(self, folder: Path, base: Path) -> None:
        self.folder = folder
        self.base = base
        self.data = write_data(folder / "data", "de", "es")

    def train(
        self,
        out: str = "out",
        *,
        seed: int = 1,
        every: int = 2,
        from_scratch: bool = False,
        threads: int | None = None,
        **changed: Any,
    ) -> Trained:
        """Trains the small recipe with other values for the tables that are given."""
        recipe = load_recipe(write_recipe(self.folder / "small.toml", self.base, **changed))
        where = Where(self.folder / out, self.data, "cpu", every, from_scratch, threads)
        return train(recipe, seed, read_material(recipe, self.data), where, Silent())


def weights(trained: Trained) -> dict[str, bytes]:
    """Every tensor of a model, to the last bit."""
    return {
        name: tensor.numpy().tobytes()
        for path in sorted(trained.model.rglob("*.safetensors"))
        for name, tensor in load_file(path).items()
    }
