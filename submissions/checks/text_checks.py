"""The texts of an entry: nothing that turns, hides, leads astray, or tells too much."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from submissions.checks.problems import Problem, Problems, shown
from submissions.checks.toml_lines import Place, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of writing."""
UNSEEN = re.compile("[\u00ad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
"""Characters that are not seen. Those that join emoji and Persian letters are not among them."""
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
NOT_HTTPS = re.compile(
    r"^\s*(?:javascript|data|vbscript|file|blob|http|ftp):\S"
    r"|\b(?:http|ftp|file)://(?!www\.w3\.org/2000/svg\")|javascript:",
    re.IGNORECASE,
)
SECRETS: Mapping[str, re.Pattern[str]] = {
    "a token of Hugging Face": re.compile(r"\bhf_[A-Za-z0-9]{20,}"),
    "a token of GitHub": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})"),
    "a key of an API": re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    "a key of Amazon's": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a token of Slack": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a password or token": re.compile(
        r"(?i)\b(api_?key|[a-z_]*token|secret|passw(or)?d)\s*[=:]\s*[^\s,;]{6,}"
    ),
    "a password in an address": re.compile(r"://[^/\s:@]+:[^/\s@]+@"),
    "a home folder": re.compile(r"(/home/|/Users/|/root/|[A-Za-z]:\\+Users\\+|~/)[^\s'\"]*"),
    "a folder of a machine": re.compile(
        r"(?<![\w./:])/(mnt|data|scratch|work|tmp|nfs|var|opt)/\S+"
    ),
    "an address in a private network": re.compile(
        r"\b(192\.168\.\d+|10\.\d+\.\d+|172\.(1[6-9]|2\d|3[01])\.\d+)\.\d+\b"
    ),
}
"""What should not be published, by what it is."""


def check_texts(path: str, content: object, lines: Mapping[Place, int], problems: Problems) -> None:
    """Looks through all texts of a TOML or JSON file.

    Args:
        path: The file, relative to the entry.
        content: What it holds.
        lines: Lines of its keys.
        problems: Takes what is found.
    """
    for place, text in texts_in(content):
        key = ".".join(shown(part)[1:-1] for part in place)
        check_text(path, text, line_of(lines, place), key, problems)


def check_plain_text(path: str, text: str, problems: Problems) -> None:
    """Looks through a file of text, line by line."""
    for number, line in enumerate(text.splitlines(), 1):
        check_text(path, line, number, "", problems)


def check_text(path: str, text: str, line: int | None, key: str, problems: Problems) -> None:
    """Looks through one text."""

    def add(code: str, found: str, allowed: str, fix: str) -> None:
        problems.add(Problem(code, path, found, allowed, fix, line=line, key=key))

    if found := TURNING.search(text) or CONTROL.search(text):
        add(
            "E025",
            f"U+{ord(found[0]):04X} as character {found.start() + 1}",
            "text without control characters and without marks of direction; right-to-left "
            "letters need none",
            "Remove the character.",
        )
    if found := UNSEEN.search(text):
        add(
            "W006",
            f"U+{ord(found[0]):04X} as character {found.start() + 1}",
            "characters that can be seen",
            "Remove the character, unless the word is written with it.",
        )
    if found := NOT_HTTPS.search(text):
        add(
            "E026",
            f"{shown(found[0].strip())} in {shown(text)}",
            "addresses that begin with https://",
            "Give the address with https, or leave it out.",
        )
    told = [what for what, pattern in SECRETS.items() if pattern.search(text)]
    home = str(Path.home())
    if not told and len(home) > 5 and home in text:
        told = ["your home folder"]
    for what in told:
        # The text itself is not repeated: what a check prints is public in CI.
        add(
            "W002",
            f"what looks like {what}",
            "nothing that opens something or tells of a person or machine",
            "Take it out: put the name alone in place of a path. A secret that was published must "
            "also be revoked.",
        )


def texts_in(content: object, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """All texts of nested tables and lists, keys too, with their places."""
    if isinstance(content, str):
        yield place, content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield (*place, key), key
            yield from texts_in(value, (*place, key))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from texts_in(value, (*place, number))
