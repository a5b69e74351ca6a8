"""``make baselines-smoke``: every recipe, a few steps on ``pocket`` with a tiny model, and scored.

It shows that the recipes can be followed, not that anything is learned.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.baselines.pocket_recipes import write_data, write_recipes
from tests.tiny_models import write_dense

STEPS = 3
# Threads that wait for each other by spinning cost many times what so small a model computes.
WAITING = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


def main() -> int | str:
    """Runs ``babelboard baselines`` in a folder of its own, twice: the second has nothing to do.

    Returns:
        The exit status, or what is wrong.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [
            str(Path(sys.executable).with_name("babelboard")),
            "baselines",
            *("--recipes", str(write_recipes(folder / "recipes"))),
            *("--data", str(write_data(folder / "data"))),
            *("--base", str(write_dense(folder / "tiny", tokens=128))),
            *("--cache", str(folder / "cache")),
            *("--out", str(folder / "models")),
            *("--entries", str(folder / "entries")),
            *("--task", "pocket", "--seed", "1", "--steps", str(STEPS)),
            "--allow-contaminated",
            *("--depth", "2", "--rerank-settings", "moir/*"),
        ]
        for _ in range(2):
            done = subprocess.run(command, env={**os.environ, **WAITING}, check=False)
            if done.returncode:
                return done.returncode
        entries = sorted(path.parent.name for path in folder.glob("entries/*/submission.toml"))
        recipes = sorted(f"{path.stem}-seed-1" for path in folder.glob("recipes/*.toml"))
        recipes.remove("grid-seed-1")
        if entries != recipes:
            return f"expected entries {recipes}, found {entries}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
