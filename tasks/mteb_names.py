"""What mteb calls our tasks, languages and measures; it needs no mteb to say so."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tasks.settings import Setting

DEPTH = 1000
"""Documents that mteb keeps of each ranking, unless told otherwise."""

SPLIT = "test"
CUTOFFS = (1, 3, 5, 10, 20, 100, 1000)
"""Cut-offs of mteb's scores."""

# fmt: off
LANGUAGES = {
    "ar": "ara-Arab", "bn": "ben-Beng", "de": "deu-Latn", "el": "ell-Grek", "en": "eng-Latn",
    "es": "spa-Latn", "fa": "fas-Arab", "fi": "fin-Latn", "fr": "fra-Latn", "hi": "hin-Deva",
    "id": "ind-Latn", "it": "ita-Latn", "ja": "jpn-Jpan", "ko": "kor-Hang", "nl": "nld-Latn",
    "pt": "por-Latn", "ru": "rus-Cyrl", "sw": "swa-Latn", "te": "tel-Telu", "th": "tha-Thai",
    "tr": "tur-Latn", "vi": "vie-Latn", "yo": "yor-Latn", "zh": "zho-Hans",
}
"""ISO 639-1 code to what mteb wants: ISO 639-3 and ISO 15924."""

SCORES = {
    "AP": "map", "RR": "mrr", "nDCG": "ndcg", "R": "recall", "P": "precision",
    "Success": "hit_rate",
}
"""Kinds of measures that mteb has, as we and as it calls them."""
# fmt: on


def mteb_name(task: str, depth: int = DEPTH) -> str:
    """What a task is called in mteb."""
    return f"babelboard-{task}" + (f"-top{depth}" if depth != DEPTH else "")


def mteb_score(measure: str, depth: int = DEPTH) -> str | None:
    """What mteb calls a measure: ``nDCG@10`` is ``ndcg_at_10``, ``AP`` is ``map_at_{depth}``.

    None where mteb has no such score, as for ``RankDistance``.
    """
    kind, _, cutoff = measure.partition("@")
    if kind not in SCORES or (cutoff and not cutoff.isdecimal()):
        return None
    return f"{SCORES[kind]}_at_{cutoff or depth}"


def main_score(primary_measure: str, depth: int = DEPTH) -> str:
    """The score that mteb reports of a task first: nDCG@10 where it lacks the primary measure."""
    return mteb_score(primary_measure, depth) or "ndcg_at_10"


def mteb_cutoffs(measures: Iterable[str], depth: int = DEPTH) -> list[int]:
    """The cut-offs at which mteb scores a task: its own, those of the measures, and the depth."""
    named = {measure.partition("@")[2] for measure in measures}
    own = {int(cutoff) for cutoff in named if cutoff.isdecimal()}
    return sorted({k for k in CUTOFFS if k <= depth} | own | {depth})


def mteb_languages(setting: Setting) -> list[str]:
    """The languages of a setting, those of the queries first."""
    codes = dict.fromkeys((*setting.query_languages, *setting.document_languages))
    return [LANGUAGES[code] for code in codes]


def dataset_revision(checksums: Mapping[str, str]) -> str:
    """What stands for the data of a task: sha256 of the sums of its files."""
    return hashlib.sha256(json.dumps(dict(checksums), sort_keys=True).encode()).hexdigest()
