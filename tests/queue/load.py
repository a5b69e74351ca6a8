"""A thousand jobs in a queue, of which many go wrong: all must end, and all be accounted for.

::

    python -m tests.queue.load [--jobs N] [--workers N]

5% crash, 5% hang, 5% take too much memory, 1% are no manifests; the others are good. Counts go to
stdout; exits with 1 if a job is missing or ended otherwise than it must.
"""

# ruff: noqa: T201  # a program, which prints

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from made_up_queue import LIMITS, MadeUp, make_queue, put, work_off, write_template

from submissions.queue.journal import read
from submissions.queue.status import counts, status_of

TWENTY = {3: "crash", 7: "hang", 11: "memory"}
"""What every twentieth job does."""
LIMIT = replace(LIMITS, seconds=4.0, memory=2**26)
"""So long that a good job ends in time on a busy machine."""
ENDS = {"good": "scored", "crash": "crashed", "hang": "over time", "memory": "over memory"}
RETRIES = 1


def main(jobs: int, workers: int) -> int:
    behaviours = {f"job-{n:05}": TWENTY.get(n % 20, "good") for n in range(jobs)}
    malformed = [f"bad-{n:05}" for n in range(jobs // 100)]
    with tempfile.TemporaryDirectory() as folder:
        queue = make_queue(Path(folder, "queue"))
        template = write_template(Path(folder, "made-up-id"))
        for name in behaviours:
            put(queue, name)
        for name in malformed:
            queue.manifest("waiting", name).write_text("id = ", "utf-8")
        began = time.monotonic()
        runner = MadeUp(template, behaviours)
        found = work_off(queue, runner, limits=LIMIT, workers=workers, retries=RETRIES)
        seconds = time.monotonic() - began
        states = counts(status_of(queue))
        ended, wrong = Counter(), []
        for name, behaviour in behaviours.items():
            outcomes = [event.outcome for event in read(queue.journal(name)) if event.outcome]
            attempts = RETRIES + 1 if behaviour == "crash" else 1
            state = "done" if behaviour == "good" else "failed"
            ended[behaviour, outcomes[-1] if outcomes else "nothing", state] += 1
            entry = queue.entries / f"entry-{name}" / "submission.toml"
            if (
                outcomes != [ENDS[behaviour]] * attempts
                or name not in found
                or found[name].state != state
                or entry.is_file() != (behaviour == "good")
            ):
                wrong.append((name, behaviour, outcomes))
        left = [*(queue.root / "scratch").iterdir()]
        wrong += [(name, "malformed", "") for name in malformed if found[name].state != "refused"]
    print(f"{jobs + len(malformed):,} manifests, {workers} workers, {seconds:.0f} s")
    for (behaviour, outcome, state), number in sorted(ended.items()):
        print(f"  {behaviour:8} {number:5,}  {outcome}, {state}")
    print(f"  no manifest {len(malformed):3,}  refused")
    print(", ".join(f"{number:,} {state}" for state, number in states.items()))
    all_there = sum(states.values()) == len(found) == jobs + len(malformed)
    for one in wrong:
        print("not as expected:", *one)
    print("all accounted for" if all_there and not wrong and not left else "NOT all accounted for")
    return 0 if all_there and not wrong and not left else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4)
    chosen = parser.parse_args()
    sys.exit(main(chosen.jobs, chosen.workers))
