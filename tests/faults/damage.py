"""Files that are cut short, or have one bit turned: what is read must be whole or refused."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tests.faults.child import CRASHED, Kill, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.kills import Undisturbed
    from tests.faults.stages import Stage

Kind = Literal["cut", "bit"]
KINDS: tuple[Kind, ...] = ("cut", "bit")


@dataclass(frozen=True)
class Target:
    """Files of one format.

    Attributes:
        stage: The command that reads them.
        when: Whether it has not begun, was killed halfway, or was done once before.
        pattern: Which files; one of them is damaged.
        codes: Exit codes that it may end with.
        exact: Whether the results must be those of an undisturbed run where it ends with 0. They
            need not where the file is what a user says: another text is another input.
    """

    stage: str
    when: Literal["before", "halfway", "after"]
    pattern: str
    codes: tuple[int, ...]
    exact: bool = True


REBUILT, REFUSED, INVALID = (0,), (0, 2), (0, 1, 2)
TARGETS = (
    Target("score", "after", "cache/embeddings/**/*.np[yz]", REBUILT),
    Target("score", "before", "task/own.toml", REFUSED, exact=False),
    Target("score", "before", "task/texts/*.json", REFUSED, exact=False),
    Target("score", "before", "entries/made-up/submission.toml", REFUSED, exact=False),
    Target("score", "before", "entries/made-up/*/own.*", REBUILT, exact=False),
    Target("train", "before", "small.toml", REFUSED, exact=False),
    Target("train", "before", "data/train/pairs.jsonl", REFUSED, exact=False),
    Target("train", "before", "data/lexicons/muse/*.txt", REFUSED, exact=False),
    Target("train", "halfway", "models/small-seed-1/checkpoint.safetensors", REFUSED),
    Target("train", "after", "models/small-seed-1/small-seed-1/model.safetensors", REBUILT),
    Target("train", "after", "models/small-seed-1/record.json", REFUSED, exact=False),
    Target("compare", "before", "entries/*/ranks/*.parquet", REFUSED),
    Target("compare", "before", "entries/*/submission.toml", REFUSED),
    Target("leaderboard", "before", "entries/*/ranks/*.parquet", (1,)),
    Target("leaderboard", "before", "entries/*/submission.toml", INVALID, exact=False),
    Target("leaderboard", "before", "cache/**/*.*", REBUILT),
    Target("leaderboard", "before", "site/files.json", REFUSED),
    Target("leaderboard", "after", "site/files.json", REFUSED),
    Target("run-queue", "before", "queue/waiting/*.toml", (0,), exact=False),
)


def damaged(content: bytes, kind: Kind, draws: random.Random) -> bytes:
    """A file's content, cut at a place or with one bit turned."""
    place = draws.randrange(len(content))
    if kind == "cut":
        return content[:place]
    turned = bytearray(content)
    turned[place] ^= 1 << draws.randrange(8)
    return bytes(turned)


def check_damage(
    stage: Stage, expected: Undisturbed, target: Target, draw: tuple[Kind, str], folder: Path
) -> str | None:
    """Runs one case; gives what is wrong, or None.

    Args:
        stage: The target's stage.
        expected: What it gives undisturbed.
        target: Which files.
        draw: What is done to one of them, and the seed of where.
        folder: A place for it.
    """
    kind, seed = draw
    draws = random.Random(f"{target}:{kind}:{seed}")  # noqa: S311  # places, not secrets
    place = stage.begin(folder)
    if target.when == "halfway":
        run(stage.work(), place, Kill(step=expected.steps // 2))
    elif target.when == "after":
        run(stage.work(), place)
    paths = sorted(path for path in place.glob(target.pattern) if path.is_file())
    if not paths:
        return f"there is no file {target.pattern}"
    path = draws.choice(paths)
    path.write_bytes(damaged(path.read_bytes(), kind, draws))
    ended = run(stage.work(), place)
    what = f"{path.relative_to(place)}, {kind} {seed}: "
    if ended.code == CRASHED or "Traceback" in ended.said or ended.code not in target.codes:
        return f"{what}ended with {ended.code}: {ended.said[-2000:]}"
    if ended.code != 0 and target.when == "halfway":
        path.unlink()  # what the message advises is to begin anew
        ended = run(stage.work(), place)
    if target.exact and ended.code == 0:
        if stage.said(ended) != expected.said:
            return f"{what}it printed something else"
        found = stage.results_of(place)
        if found != expected.after:
            names = {*found, *expected.after}
            other = sorted(n for n in names if found.get(n) != expected.after.get(n))
            return f"{what}other results: {', '.join(other[:5])}"
    shutil.rmtree(place)
    return None
