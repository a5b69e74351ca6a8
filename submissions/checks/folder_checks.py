"""The files of an entry: which there may be, under which names, and how large."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from harness.parquet_caps import RANKS, RUNS
from submissions.checks.problems import Problem, Problems, shown
from submissions.structured_text import MOST_JSON_BYTES, MOST_TOML_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_FILES = 500
_TASK = r"[a-z0-9][a-z0-9._+-]{0,127}"
CAPS: Mapping[str, int] = {
    r"(submission|reported|about|verification|status)\.toml": MOST_TOML_BYTES,
    rf"ranks/{_TASK}\.parquet": RANKS.file,
    rf"runs/{_TASK}\.parquet": RUNS.file,
    rf"(scores|language_shares|history)/{_TASK}\.json": MOST_JSON_BYTES,
    r"training\.json": MOST_JSON_BYTES,
    r"loss\.svg": 2**20,
    r"README\.md": 2**16,
}
"""By pattern of its path, how many bytes a file of an entry may have."""
FOLDERS = ("history", "ranks", "runs", "scores", "language_shares")
PORTABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,139}(?<!\.)")
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""Names that Windows takes for devices."""
WEIGHTS = re.compile(
    r".*\.(bin|pt|pth|pkl|pickle|joblib|npy|npz|ckpt|h5|hdf5|onnx|msgpack|safetensors|gguf)",
    re.IGNORECASE,
)
WEIGHTS_BEGIN = re.compile(rb"\x80[\x02-\x05]|PK\x03\x04|\x93NUMPY|\x89HDF")


def check_files(folder: Path, problems: Problems) -> dict[str, Path]:
    """The files of an entry that may be read, by path within it.

    Args:
        folder: The entry.
        problems: Takes what is wrong with the others.
    """
    walk = _Walk(problems)
    walk.folder(folder, "")
    return dict(sorted(walk.files.items()))


class _Walk:
    def __init__(self, problems: Problems) -> None:
        self.files: dict[str, Path] = {}
        self._problems = problems
        self._seen = 0
        self._folded: dict[str, str] = {}

    def folder(self, folder: Path, prefix: str) -> None:
        with os.scandir(folder) as found:
            for item in found:
                self._seen += 1
                if self._seen > MOST_FILES:
                    self._add(
                        "E006",
                        prefix.rstrip("/") or ".",
                        f"more than {MOST_FILES} files and folders",
                        f"{MOST_FILES} at most",
                        "Remove what is no part of the entry.",
                    )
                    return
                self._item(item, prefix)

    def _item(self, item: os.DirEntry[str], prefix: str) -> None:
        # Text that is not UTF-8 comes from the system with surrogates in it.
        name = os.fsencode(item.name).decode("utf-8", "backslashreplace")
        path = prefix + shown(name)[1:-1]
        status = item.stat(follow_symlinks=False)
        is_folder = stat.S_ISDIR(status.st_mode)
        if self._is_wrong(name, path, status.st_mode):
            return
        twin = self._folded.setdefault(path.casefold(), path)
        if twin != path:
            self._add(
                "E004",
                path,
                f"{shown(twin)} is there too, which is the same name on many machines",
                "names that differ in more than case",
                "Rename or remove one.",
            )
            return
        if is_folder:
            self._folder(item, path)
            return
        most = next((cap for form, cap in CAPS.items() if re.fullmatch(form, path)), None)
        if most is None:
            self._unexpected(item, path)
        elif status.st_size > most:
            self._add(
                "E005",
                path,
                f"{status.st_size:,} bytes",
                f"{most:,} bytes at most",
                "Shorten it, or leave it out if the entry does not need it.",
            )
        else:
            self.files[path] = Path(item.path)

    def _is_wrong(self, name: str, path: str, mode: int) -> bool:
        """Whether something is wrong with a name, or with what bears it."""
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            what = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
            self._add(
                "E001",
                path,
                what.get(stat.S_IFMT(mode), "a device"),
                "plain files and folders",
                "Put a copy of the file in its place, or remove it.",
            )
        elif name.startswith("."):
            self._add("E002", path, "a hidden file", "no name begins with a dot", "Remove it.")
        elif not PORTABLE.fullmatch(name) or RESERVED.fullmatch(name):
            self._add(
                "E008",
                path,
                f"the name {shown(name)}",
                "ASCII letters, digits and ._+-, at most 140, and no name that Windows reserves",
                "Rename or remove it.",
            )
        else:
            return False
        return True

    def _folder(self, item: os.DirEntry[str], path: str) -> None:
        if path in FOLDERS:
            self.folder(Path(item.path), f"{path}/")
        else:
            self._add(
                "E003",
                path,
                "a folder that no entry has",
                f"the folders {', '.join(sorted(FOLDERS))}",
                "Remove it.",
            )

    def _unexpected(self, item: os.DirEntry[str], path: str) -> None:
        with Path(item.path).open("rb") as file:
            begin = file.read(8)
        if WEIGHTS.fullmatch(path) or WEIGHTS_BEGIN.match(begin):
            self._add(
                "E007",
                path,
                "weights or pickled objects",
                "no weights: an entry says where its model is",
                "Remove it, and publish the weights as safetensors on a hub.",
            )
        else:
            self._add(
                "E003",
                path,
                "a file that no entry has",
                "the files that docs/entries.md lists",
                "Remove it; what readers should know goes into README.md.",
            )

    def _add(self, code: str, path: str, found: str, allowed: str, fix: str) -> None:
        self._problems.add(Problem(code, path, found, allowed, fix))
