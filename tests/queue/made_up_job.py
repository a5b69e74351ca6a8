"""What a made-up job does in place of scoring; run as ``made_up_job.py BEHAVIOUR ID TEMPLATE``.

BEHAVIOUR is the name of a function here and, after a colon, its value. A job works in its own
folder, and imports nothing of babelboard's, so that a thousand of them take minutes.
"""

from __future__ import annotations

import mmap
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

CHUNK = 2**24
ENTRY, TEMPLATE = sys.argv[2:]
FOLDER = Path("entries", ENTRY)


def good(_: str) -> None:
    write()


def slow(seconds: str) -> None:
    time.sleep(float(seconds))
    write()


def silent(seconds: str) -> None:
    os.close(1)
    os.close(2)
    slow(seconds)


def crash(_: str) -> None:
    os.abort()


def fail(message: str) -> None:
    raise ValueError(message)


def wrong(message: str) -> None:
    say(f"Loading\nbabelboard: {message}")
    sys.exit(2)


def crash_until(value: str) -> None:
    """Each attempt leaves a byte in a file; one of them is the first not to crash."""
    number, _, path = value.partition("@")
    with Path(path).open("ab") as file:
        file.write(b"x")
    if Path(path).stat().st_size < int(number):
        os.kill(os.getpid(), signal.SIGKILL)
    write()


def hang(_: str) -> None:
    time.sleep(3600)


def deaf(_: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("deaf now")
    time.sleep(3600)


def finish_when_asked(_: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: write() or os._exit(0))
    say("listening")
    time.sleep(3600)


def leave_a_child(path: str) -> None:
    """Out of the session, and it holds the output open."""
    sleeps = [sys.executable, "-c", "import time; time.sleep(3600)"]
    child = subprocess.Popen(sleeps, start_new_session=True)
    Path(path).write_text(str(child.pid), encoding="utf-8")
    write()


def memory(_: str) -> None:
    held = []
    while True:
        held.append(b"x" * CHUNK)
        time.sleep(0.001)


def memory_of_a_child(_: str) -> None:
    subprocess.run([sys.executable, __file__, "memory", ENTRY, TEMPLATE], check=False)


def mapped(_: str) -> None:
    path = Path("tmp", "mapped")
    path.write_bytes(bytes(8 * CHUNK))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        assert not any(pages[start] for start in range(0, len(pages), 4096))
        time.sleep(0.5)
    write()


def disk(_: str) -> None:
    for number in range(10**6):
        Path("tmp", str(number)).write_bytes(bytes(2**20))
        time.sleep(0.002)


def one_large_file(_: str) -> None:
    with Path("tmp", "large").open("wb") as file:
        while True:
            file.write(bytes(2**20))


def flood(_: str) -> None:
    say("first words")
    for _ in range(64):
        say("y" * 2**16)
    say("last words")
    write()


def environment(_: str) -> None:
    for key, text in sorted(os.environ.items()):
        say(f"{key}={text}")
    say(f"stdin: {sys.stdin.read()!r}")
    say(f"session: {os.getsid(0) == os.getpid()} folder: {Path.cwd()}")
    write()


def no_entry(_: str) -> None:
    return


def altered_ranks(_: str) -> None:
    write()
    next(FOLDER.glob("ranks/*")).write_bytes(b"PAR1")


def altered_scores(content: str) -> None:
    write()
    next(FOLDER.glob("scores/*")).write_text(content * 10**5, encoding="utf-8")


def other_id(_: str) -> None:
    write("other")
    Path("entries", "other").rename(FOLDER)


def extra_file(_: str) -> None:
    write()
    (FOLDER / "extra.sh").write_text("true", encoding="utf-8")


def link(_: str) -> None:
    write()
    (FOLDER / "README.md").symlink_to("/etc/hostname")


def link_as_entry(_: str) -> None:
    write()
    FOLDER.rename("elsewhere")
    FOLDER.symlink_to("../elsewhere")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write(entry: str = ENTRY) -> None:
    """Writes an entry as score does: the manifest comes last."""
    folder = Path("entries", entry)
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("submission.toml"))
    manifest = Path(TEMPLATE, "submission.toml").read_text(encoding="utf-8")
    time.sleep(0.01)
    (folder / "submission.toml").write_text(manifest.replace("made-up-id", entry), "utf-8")


if __name__ == "__main__":
    name, _, value = sys.argv[1].partition(":")
    globals()[name.replace("-", "_")](value)
