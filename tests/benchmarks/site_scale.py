"""Builds the site of very many made-up entries, and holds it against its budgets.

Usage: ``python -m tests.benchmarks.site_scale [--entries 1000] [--folder DIR] [--out FILE.json]``

A thousand entries in 550 settings of 100 questions take minutes to make; ``--folder`` keeps them
and the site. The site is built from nothing, again with nothing changed, and with one entry more,
each time in a process of its own. ``--site DIR`` holds a site that is there against the budgets of
its files instead.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.provenance import hardware, versions
from tests.benchmarks.many_entries import entry_id, write_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUILD = [str(Path(sys.executable).parent / "babelboard"), "leaderboard"]
START_TAG = re.compile(rb"<[a-zA-Z]")
"""As many as elements: pages have no other ``<`` before a letter, as all text is escaped."""
EVERY = 0.2
"""Seconds between two looks at the memory."""
KB = 1000


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with what it must not exceed.

    Attributes:
        name: What it is of.
        value: What was measured.
        unit: Of both numbers.
        budget: The most that it may be, or None if it is free.
        where: The file that has it, of the largest of many.
    """

    name: str
    value: float
    unit: str
    budget: float | None = None
    where: str = ""

    def line(self) -> str:
        """In words."""
        text = f"{self.name:32}{self.value:>12,.1f} {self.unit:10}"
        if self.budget is not None:
            state = "within" if self.value <= self.budget else "OVER"
            text += f"{state} {self.budget:,.0f}"
        return f"{text}  {self.where}".rstrip()


def tree_memory(root: int) -> int:
    """Bytes of a process and all that it started; what they share counts once."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2]
            except (OSError, UnicodeDecodeError):
                continue  # it has ended
            parents[int(entry.name)] = int(after_name.split()[1])
    tree = {root}
    while grown := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= grown
    return sum(map(_own_share, tree))


def _own_share(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0  # it has ended
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


@contextmanager
def peak_memory(pid: int) -> Iterator[list[int]]:
    """The largest memory of a tree of processes while the block runs."""
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(EVERY):
            peak[0] = max(peak[0], tree_memory(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def build(name: str, folder: Path, seconds: float | None, memory: float | None) -> list[Figure]:
    """Builds the site in a process of its own.

    Args:
        name: What is built.
        folder: With the entries; the site and what is kept for the next build go there too.
        seconds: What it may take; None if that is free.
        memory: What it may need in GB, likewise.
    """
    parts = ("--entries", "entries"), ("--out", "site"), ("--cache", "cache")
    arguments = [text for option, kept in parts for text in (option, str(folder / kept))]
    start = time.perf_counter()
    with subprocess.Popen([*BUILD, *arguments], stdout=subprocess.DEVNULL) as process:
        with peak_memory(process.pid) as peak:
            status = process.wait()
        taken = time.perf_counter() - start
    if status:
        raise SystemExit(f"{name}: the build ended with {status}")
    return [
        Figure(f"{name}, time", taken, "s", seconds),
        Figure(f"{name}, peak memory", peak[0] / 1e9, "GB", memory),
    ]


def file_figures(site: Path) -> list[Figure]:
    """What the files of a site are held against: the largest of each sort."""
    files = [path for path in site.rglob("*") if path.is_file()]
    pages = [path for path in files if path.suffix == ".html"]
    scripts = [path for path in files if path.suffix == ".js"]
    home = site / "index.html"
    return [
        Figure("files", len(files), ""),
        Figure("all files", sum(path.stat().st_size for path in files) / 1e6, "MB"),
        Figure("landing page", _compressed(home) / KB, "kB gz", 100, "index.html"),
        _largest("elements of a page", pages, site, _elements, ("", 1, 3_000)),
        _largest("script", scripts, site, _compressed, ("kB gz", KB, 50)),
    ]


def _largest(
    name: str,
    files: list[Path],
    site: Path,
    measure: Callable[[Path], int],
    shown: tuple[str, int, float],
) -> Figure:
    """The largest of many files.

    Args:
        name: What is measured.
        files: The files.
        site: What their names are said from.
        measure: What gives the size of a file; at most its bytes.
        shown: Unit, how much of the measure is one, and the budget.
    """
    largest, where = -1, ""
    for path in sorted(files, key=lambda path: -path.stat().st_size):
        if path.stat().st_size <= largest:
            break  # no smaller file can be larger
        if (size := measure(path)) > largest:
            largest, where = size, path.relative_to(site).as_posix()
    unit, one, budget = shown
    return Figure(f"largest, {name}", largest / one, unit, budget, where)


def _compressed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), mtime=0))


def _elements(path: Path) -> int:
    return len(START_TAG.findall(path.read_bytes()))


def build_figures(folder: Path, entries: int) -> list[Figure]:
    """Builds the site three times.

    Args:
        folder: Where made-up entries are, or are made.
        entries: Number of entries at first.
    """
    say(f"{entries + 1} entries in {folder} ...")
    write_entries(folder / "made-up", range(entries + 1))
    for name in ("entries", "site", "cache"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "entries").mkdir()
    for number in range(entries):
        _link(folder, number)
    say("from nothing ...")
    figures = build("from nothing", folder, 120, 2.0)
    say("again ...")
    figures += build("nothing changed", folder, None, None)
    _link(folder, entries)
    say("with one more ...")
    return figures + build("one entry added", folder, 10, None)


def _link(folder: Path, number: int) -> None:
    """Puts an entry into the folder that the site is made from."""
    entry = folder.resolve() / "made-up" / entry_id(number)
    (folder / "entries" / entry_id(number)).symlink_to(entry)


def say(line: str) -> None:
    """Progress, on stderr."""
    sys.stderr.write(f"{line}\n")


def main() -> None:
    """Prints the figures; JSON goes to --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000)
    parser.add_argument("--folder", type=Path, help="where entries and site are kept")
    parser.add_argument("--site", type=Path, help="a built site: only its files are measured")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    if chosen.site:
        figures = file_figures(chosen.site)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            folder = chosen.folder or Path(temporary)
            figures = build_figures(folder, chosen.entries)
            figures += file_figures(folder / "site")
    for figure in figures:
        print(figure.line())
    if chosen.out:
        content = {
            "entries": None if chosen.site else chosen.entries,
            "figures": [asdict(figure) for figure in figures],
            "hardware": hardware("cpu"),
            "versions": versions(),
        }
        chosen.out.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
