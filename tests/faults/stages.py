"""The stages that are killed: what each begins with, does, and must have left when it is done."""

from __future__ import annotations

import json
import shutil
import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.baselines.small_training import write_data, write_recipe
from tests.faults.child import command, run
from tests.faults.made_up_task import write_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.child import Ended

Contents = dict[str, bytes]
# Modules of tests that are imported by their own names, as pytest does it.
_TESTS = Path(__file__).parents[1]
for _folder in (_TESTS, _TESTS / "queue"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))


def contents(folder: Path) -> Contents:
    """Every file of a folder by its path there, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Stage(ABC):
    """One command.

    Args:
        shared: Folder with what all its cases begin with; made once.
    """

    name: str
    results: tuple[str, ...]
    """Folders with what must be the same after every case."""

    def __init__(self, shared: Path) -> None:
        self.shared = shared / self.name
        self.shared.mkdir(parents=True)

    @abstractmethod
    def prepare(self) -> None:
        """Fills the shared folder; runs in a child."""

    @abstractmethod
    def work(self) -> Callable[[], None]:
        """What the command does in a copy of the shared folder."""

    def begin(self, folder: Path) -> Path:
        """A fresh place for a case."""
        shutil.copytree(self.shared, folder)
        return folder

    def results_of(self, folder: Path) -> Contents:
        """What the command left, without what a clock says."""
        found = {}
        for name in self.results:
            if (folder / name).is_dir():
                of_one = contents(folder / name)
                found |= {f"{name}/{path}": content for path, content in of_one.items()}
        return found

    def said(self, ended: Ended) -> str:  # noqa: ARG002  # most results are in files
        """What it printed that must be the same after every case."""
        return ""

    def check_killed(
        self,
        folder: Path,  # noqa: ARG002
        before: Contents,  # noqa: ARG002
        after: Contents,  # noqa: ARG002
    ) -> str | None:
        """What is wrong with what a kill has left, before anything is done about it."""
        return None


class Score(Stage):
    """Scores an encoder anew over an entry whose ranks were others."""

    name = "score"
    results = ("entries",)

    def prepare(self) -> None:
        from tests.tiny_models import write_dense

        write_dense(self.shared / "tiny", prompts={"query": "", "document": ""})
        write_task(self.shared / "task", turn=1)
        with suppress(SystemExit):
            command(*self._words("--cache", "other-cache"))()

    def work(self) -> Callable[[], None]:
        return command(*self._words())

    def begin(self, folder: Path) -> Path:
        super().begin(folder)
        write_task(folder / "task", turn=0)
        return folder

    def check_killed(self, folder: Path, before: Contents, after: Contents) -> str | None:
        entry = "entries/made-up/"
        found = {k: v for k, v in self.results_of(folder).items() if k.startswith(entry)}
        whole = [{k: v for k, v in one.items() if k.startswith(entry)} for one in (before, after)]
        return None if found in whole else "the entry is neither as before nor as after"

    @staticmethod
    def _words(*more: str) -> tuple[str, ...]:
        return (
            *("score", "tiny", "--entry", "made-up", "--name", "Made up"),
            *("--task", "task/own.toml", "--entries", "entries", "--keep-runs", "2"),
            *("--device", "cpu", *(more or ("--cache", "cache"))),
        )


class Train(Stage):
    """Trains a tiny encoder for a few steps, with a checkpoint after each."""

    name = "train"
    results = ("models",)

    def prepare(self) -> None:
        from tests.tiny_models import write_dense

        base = write_dense(self.shared / "tiny")
        write_data(self.shared / "data", "de")
        switching = {"lexicon": "muse", "document": ["de"], "probability": 0.5}
        numbers = {"steps": 5, "batch_size": 4, "learning_rate": 1e-3, "max_tokens": 64}
        recipe = self.shared / "small.toml"
        write_recipe(recipe, base, switching=switching, training=numbers)

    def work(self) -> Callable[[], None]:
        return command(
            *("train", "small.toml", "--data", "data", "--out", "models", "--device", "cpu"),
            *("--checkpoint-every", "1", "--threads", "1"),
        )

    def results_of(self, folder: Path) -> Contents:
        found = super().results_of(folder)
        record = "models/small-seed-1/record.json"
        if record in found:
            content = json.loads(found[record]) | {"seconds": 0}
            found[record] = json.dumps(content).encode()
        return found


class Compare(Stage):
    """Compares systems: nothing is written, and what is printed must be the same."""

    name = "compare"
    results = ("entries",)

    def prepare(self) -> None:
        from tests.faults.made_up_entries import write_entry

        for number in range(3):
            write_entry(self.shared / "entries", number)

    def work(self) -> Callable[[], None]:
        names = (f"system-{number}" for number in range(3))
        return command(
            *("compare", *names, "--entries", "entries", "--resamples", "20000", "--format", "json")
        )

    def said(self, ended: Ended) -> str:
        return ended.said

    def check_killed(self, folder: Path, before: Contents, after: Contents) -> str | None:  # noqa: ARG002
        return None if self.results_of(folder) == before else "an entry was changed"


class Leaderboard(Stage):
    """Builds a site anew over that of other entries, with the cache of that build."""

    name = "leaderboard"
    results = ("site", "entries")

    def prepare(self) -> None:
        from tests.faults.made_up_entries import write_entry

        for number in range(3):
            write_entry(self.shared / "entries", number)
        with suppress(SystemExit):
            self.work()()
        write_entry(self.shared / "entries", 3)
        write_entry(self.shared / "entries", 1, draw=1)
        shutil.rmtree(self.shared / "entries" / "system-0")

    def work(self) -> Callable[[], None]:
        return command("leaderboard", "--entries", "entries", "--out", "site", "--cache", "cache")


class RunQueue(Stage):
    """Works off a queue of made-up jobs, two at a time."""

    name = "run-queue"
    results = ("queue/entries", "queue/work", "queue/done", "queue/failed", "queue/waiting")

    def prepare(self) -> None:
        from made_up_queue import make_queue, put, write_template

        write_template(self.shared / "made-up-id")
        queue = make_queue(self.shared / "queue")
        for number in range(3):
            put(queue, f"job-{number}")

    def work(self) -> Callable[[], None]:
        def works() -> None:
            from made_up_queue import MadeUp, open_queue, work_off

            template = Path("made-up-id").resolve()
            queue = open_queue(Path("queue").resolve())
            try:
                work_off(queue, MadeUp(template), workers=2, retries=9)
            except OSError as error:  # as the command line does it
                print(error)
                sys.exit(2)

        return works


STAGES: dict[str, type[Stage]] = {
    one.name: one for one in (Score, Train, Compare, Leaderboard, RunQueue)
}


def prepared(name: str, shared: Path) -> Stage:
    """A stage whose shared folder is filled.

    Raises:
        RuntimeError: If that fails.
    """
    stage = STAGES[name](shared)
    ended = run(stage.prepare, stage.shared)
    if ended.code != 0:
        raise RuntimeError(f"{name} cannot be prepared: {ended.said}")
    return stage
