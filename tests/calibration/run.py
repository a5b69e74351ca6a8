"""Runs the calibration suite.

::

    python -m tests.calibration.run [--quick] [--jobs N] [--write FILE]

Progress goes to stderr, the table to stdout. Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.calibration.bars import BARS, SEED, Bar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

READING = f"""\
# Calibration of the tests

Each row simulates systems whose true means are known, with RR@10 scores and 45% of the differences 0, runs the tests of `babelboard compare` at level .05, and counts. Monte-Carlo tests have 999 resamples here, those of families 499. A size is the share of false alarms of one test, FWER the share of families with any; both must stay near .05 or below. Coverage is the share of families in which all 95% intervals hold the truth. The ranges leave room for the simulations' own error only, about 3 standard errors. The second table is of methods that are wrong: they must come out far above .05, so that the suite is known to be able to fail. `make calibrate` makes this file anew, with seed {SEED}, and fails if a figure is out of its range; `make test` runs a cut-down form.
"""  # noqa: E501  # a paragraph of Markdown


@dataclass(frozen=True, slots=True)
class Result:
    """What a bar came to.

    Attributes:
        bar: The bar.
        figure: Its figure.
        quick: Whether in the cut-down form.
    """

    bar: Bar
    figure: float
    quick: bool

    @property
    def met(self) -> bool:
        """Whether the figure is in the range."""
        return self.bar.met(self.figure, quick=self.quick)

    def row(self) -> str:
        """A row of the table, in Markdown."""
        bar = self.bar
        cells = (
            bar.name,
            bar.what.replace("|", r"\|"),
            f"{bar.quick if self.quick else bar.simulations:,}",
            allowed(bar, quick=self.quick),
            f"{self.figure:.4f}",
            "yes" if self.met else "NO",
        )
        return f"| {' | '.join(cells)} |"


def allowed(bar: Bar, *, quick: bool) -> str:
    """The range in words."""
    low, high = bar.allowed(quick=quick)
    if bar.kind == "anti-test":
        return f"> {low:.4g}"
    if not bar.share:
        return f"< {high:.4g}"
    if low == 0.0:
        return f"<= {high:.4g}"
    if high == 1.0:
        return f">= {low:.4g}"
    return f"{low:.4g} to {high:.4g}"


def measure(bars: Sequence[Bar], *, quick: bool, jobs: int) -> Iterator[Result]:
    """Results as they are ready, in processes of one thread each."""
    # Threads that wait for each other would cost more than these small products do. Libraries
    # read this when a new process imports them.
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            running = {pool.submit(bar.run, quick=quick): bar for bar in bars}
            for done in as_completed(running):
                yield Result(running[done], done.result(), quick)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def table(results: Mapping[str, Result], bars: Sequence[Bar]) -> str:
    """Both tables in Markdown, in the order of the bars."""
    heading = "| {} | What is simulated and counted | N | Allowed | Found | Met |\n"
    heading += "|---|---|---:|---|---:|---|\n"
    parts = []
    for kind, title in (("bar", "Bar"), ("anti-test", "Anti-test")):
        rows = [results[bar.name].row() for bar in bars if bar.kind == kind]
        if rows:
            parts.append(heading.format(title) + "\n".join(rows) + "\n")
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None, bars: Sequence[Bar] = BARS) -> int:
    parser = argparse.ArgumentParser(description="Calibrate the tests by simulation.")
    parser.add_argument("--quick", action="store_true", help="fewer simulations, wider ranges")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--write", type=Path, metavar="FILE", help="Markdown file to write")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs must be at least 1")
    if options.write and options.quick:
        parser.error("--write is for the full form")
    started = time.monotonic()
    results = {}
    for result in measure(bars, quick=options.quick, jobs=options.jobs):
        results[result.bar.name] = result
        sys.stderr.write(
            f"{time.monotonic() - started:5.0f} s  {len(results)}/{len(bars)}  "
            f"{result.bar.name}: {result.figure:.4f}{'' if result.met else '  MISSED'}\n"
        )
    text = table(results, bars)
    sys.stdout.write(text)
    if options.write:
        options.write.write_text(f"{READING}\n{text}", encoding="utf-8")
    missed = [result.bar.name for result in results.values() if not result.met]
    if missed:
        sys.stderr.write(f"Missed: {'; '.join(sorted(missed))}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
