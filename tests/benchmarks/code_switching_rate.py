"""Times code-switching on one core, in words a second.

Usage: ``python -m tests.benchmarks.code_switching_rate [--out FILE.json] [--quick]``

Made-up English-like text with Zipf's distribution of words, queries of 10 words and passages of
120, and lexicons of 100,000 entries, of which 20,000 are phrases. Exits with 1 below 100,000 words
a second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from harness.provenance import hardware, versions
from submissions.baselines.code_switching import CodeSwitcher, SwitchOptions, SwitchTally
from submissions.baselines.lexicon import Lexicon, make_lexicon

LEAST = 100_000
WORDS, PHRASES = 80_000, 20_000
LETTERS = np.array(list("etaoinshrdlucmfwypvbgk"))
CASES = {
    "BL-CS, one language": (1, SwitchOptions()),
    "ML-CS, five languages": (5, SwitchOptions()),
    "ML-CS, redrawn": (5, SwitchOptions(redraw=True)),
    "phrases": (1, SwitchOptions(level="phrase")),
    "Wiki-CS, entities": (1, SwitchOptions(1.0, level="entity")),
}


def vocabulary(stream: np.random.Generator) -> list[str]:
    """Different words, the frequent ones short."""
    words: dict[str, None] = {}
    while len(words) < 2 * WORDS:
        length = 2 + len(words) // 20_000 + int(stream.integers(0, 4))
        words["".join(stream.choice(LETTERS, length))] = None
    return list(words)


def make_texts(words: list[str], stream: np.random.Generator, total: int) -> list[str]:
    """Queries and passages of so many words in all, with capitals and full stops."""
    drawn = np.minimum(stream.zipf(1.15, total), len(words)) - 1
    texts, start = [], 0
    while start < total:
        length = 10 if len(texts) % 2 else 120
        some = [words[index] for index in drawn[start : start + length]]
        texts.append(f"{some[0].capitalize()} {' '.join(some[1:])}.")
        start += length
    return texts


def make_lexicons(words: list[str], stream: np.random.Generator) -> list[Lexicon]:
    """Five lexicons: half of the words, and pairs of frequent words."""
    lexicons = []
    for target in ("ar", "de", "es", "ru", "tr"):
        single = stream.choice(len(words), WORDS, replace=False)
        pairs = [(words[i], f"{target}{words[i]}", 1.0) for i in single]
        first, second = stream.integers(0, 2_000, (2, 3 * PHRASES))
        phrases = dict.fromkeys(
            f"{words[i]} {words[j]}" for i, j in zip(first, second, strict=True)
        )
        pairs += [(phrase, f"{target}phrase", 1.0) for phrase in list(phrases)[:PHRASES]]
        lexicons.append(make_lexicon("made", "en", target, pairs))
    return lexicons


def rate(switcher: CodeSwitcher, texts: list[str], repeats: int) -> tuple[float, SwitchTally]:
    """Words a second, the median of some repeats, and what was switched."""
    speeds = []
    tally = SwitchTally()
    for _ in range(repeats):
        tally = SwitchTally()
        start = time.process_time()
        for number, text in enumerate(texts):
            tally.add(switcher.switch(str(number), text))
        speeds.append(tally.tokens / (time.process_time() - start))
    return statistics.median(speeds), tally


def main() -> int:
    """Runs the cases and prints a table; JSON goes to --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of the words")
    arguments = parser.parse_args()
    stream = np.random.default_rng(0)
    words = vocabulary(stream)
    texts = make_texts(words, stream, 100_000 if arguments.quick else 1_000_000)
    lexicons = make_lexicons(words, stream)
    print(f"{len(lexicons[0].entries):,} entries a lexicon, {len(texts):,} texts", file=sys.stderr)
    rows = []
    for name, (languages, options) in CASES.items():
        speed, tally = rate(CodeSwitcher(lexicons[:languages], options), texts, 3)
        rows.append(
            {
                "case": name,
                "words_per_second": round(speed),
                "requested": options.probability,
                "achieved": tally.achieved,
                "coverage": tally.coverage,
            }
        )
        print(f"{name:<24}{speed:>12,.0f} words/s  {tally.coverage:.1%} in the lexicon")
    if arguments.out:
        content = {"rows": rows, "hardware": hardware("cpu"), "versions": versions()}
        arguments.out.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    return int(min(row["words_per_second"] for row in rows) < LEAST)


if __name__ == "__main__":
    sys.exit(main())
