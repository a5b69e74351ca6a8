"""Names of measures, and what each one says.

Names are those of ir_measures: ``AP``, ``AP@20``, ``RR@10``, ``nDCG@10``, ``R@100``, ``IPrec@0.1``,
``RBP(p=0.9,rel=1)``, with ``(rel=2)`` where only higher grades count as relevant. To these come
``RankDistance`` and ``RankDistanceShare``, measures of language bias, and ``Unjudged@k``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import ir_measures

from tasks.errors import UnknownNameError

RANK_DISTANCE = "RankDistance"
RANK_DISTANCE_SHARE = "RankDistanceShare"
UNJUDGED = "Unjudged"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure.

    Attributes:
        kind: The name without its parameters: ``AP``, ``nDCG``, ``RankDistance``, ...
        cutoff: Only this many ranks count; None for all.
        least_relevant: The lowest grade that counts as relevant.
        recall: Of ``IPrec``: the share of the relevant documents, from 0 to 1.
        persistence: Of ``RBP``: how likely a reader goes on from one document to the next.
    """

    kind: str
    cutoff: int | None = None
    least_relevant: int = 1
    recall: float = 0.0
    persistence: float = 0.8

    @property
    def higher_is_better(self) -> bool:
        """False for measures of bias, and for the share of documents that nobody judged."""
        return not self.is_for_mlir and self.kind != UNJUDGED

    @property
    def is_for_mlir(self) -> bool:
        """Whether it is defined only where one pool holds documents in several languages."""
        return self.kind in (RANK_DISTANCE, RANK_DISTANCE_SHARE)

    @property
    def is_for_runs(self) -> bool:
        """Whether it needs the number of documents retrieved, which a rank file does not tell."""
        return self.kind in ("NumRet", "SetAP", "SetF", "SetP", "SetRelP")

    @property
    def is_count(self) -> bool:
        """Whether its values are whole numbers, which are summed over queries, not averaged."""
        return self.kind.startswith("Num")


@dataclass(frozen=True, slots=True)
class _Form:
    """How the name of a measure is written.

    Attributes:
        example: What is suggested when a name is wrong.
        must: Parameters that a name has to give.
        may: Parameters that it can give.
    """

    example: str
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ("rel",)


# ir_measures knows more parameters, and a few more measures: those are refused.
_FORMS = {
    "AP": _Form("AP", may=("rel", "cutoff")),
    "Bpref": _Form("Bpref"),
    "IPrec": _Form("IPrec@0.1", must=("recall",)),
    "Judged": _Form("Judged@10", must=("cutoff",), may=()),
    "NumQ": _Form("NumQ", may=()),
    "NumRel": _Form("NumRel"),
    "NumRelRet": _Form("NumRelRet"),
    "NumRet": _Form("NumRet", may=()),
    "P": _Form("P@10", must=("cutoff",)),
    "R": _Form("R@100", must=("cutoff",)),
    # Without a least grade the grades are gains, on a scale that the judgments do not tell.
    "RBP": _Form("RBP(p=0.9,rel=1)", must=("rel",), may=("p", "cutoff")),
    "RR": _Form("RR@10", may=("rel", "cutoff")),
    RANK_DISTANCE: _Form(RANK_DISTANCE, may=()),
    RANK_DISTANCE_SHARE: _Form(RANK_DISTANCE_SHARE, may=()),
    "Rprec": _Form("Rprec"),
    "SetAP": _Form("SetAP"),
    # No beta: trec_eval's weight of recall is not the beta of the F measure, save where both are 1.
    "SetF": _Form("SetF"),
    "SetP": _Form("SetP"),
    "SetR": _Form("SetR"),
    "SetRelP": _Form("SetRelP"),
    "Success": _Form("Success@10", must=("cutoff",)),
    UNJUDGED: _Form("Unjudged@10", must=("cutoff",), may=()),
    "infAP": _Form("infAP"),
    "nDCG": _Form("nDCG@10", may=("cutoff",)),
}

# Ours by the name that trec_eval gives it; where it ends in @, a cut-off follows.
_OF_TREC_EVAL = {
    "P": "P@",
    "bpref": "Bpref",
    "iprec_at_recall": "IPrec@",
    "map": "AP",
    "map_cut": "AP@",
    "ndcg": "nDCG",
    "ndcg_cut": "nDCG@",
    "num_q": "NumQ",
    "num_rel": "NumRel",
    "num_rel_ret": "NumRelRet",
    "num_ret": "NumRet",
    "rbp": "RBP(p=0.9,rel=1)",
    "recall": "R@",
    "recip_rank": "RR",
    "set_F": "SetF",
    "set_P": "SetP",
    "set_map": "SetAP",
    "set_recall": "SetR",
    "set_relative_P": "SetRelP",
    "success": "Success@",
    "unj": "Unjudged@",
}

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_PARAMETER = rf"[a-z_]+=(?:{_NUMBER}|True|False)"
_NAME = re.compile(rf"([A-Za-z]+)(?:\(({_PARAMETER}(?:, ?{_PARAMETER})*)\))?(?:@({_NUMBER}))?")


def parse_measure(name: str) -> Measure:
    """The measure of a name.

    Raises:
        UnknownNameError: If there is no such measure, or it takes no such parameters. The nearest
            names are suggested, for a name of trec_eval's ours.
    """
    found = _NAME.fullmatch(name)
    kind, given = _parts(*found.groups()) if found else (name, {})
    form = _FORMS.get(kind)
    if form is None:
        raise UnknownNameError("measure", name, _suggestions(name))
    possible = all(_is_possible(parameter, value) for parameter, value in given.items())
    if not possible or not set(form.must) <= set(given) <= {*form.must, *form.may}:
        raise UnknownNameError("measure", name, [form.example])
    return Measure(
        kind,
        cutoff=int(given["cutoff"]) if "cutoff" in given else None,
        least_relevant=int(given.get("rel", 1)),
        recall=given.get("recall", 0.0),
        persistence=given.get("p", 0.8),
    )


def _parts(word: str, listed: str | None, at: str | None) -> tuple[str, dict[str, float]]:
    """The kind of a measure and its parameters, its other names and their meaning resolved."""
    given = dict[str, float]()
    for parameter in re.split(", ?", listed) if listed else ():
        key, _, text = parameter.partition("=")
        _give(given, key, text == "True" if text in ("True", "False") else _number(text))
    known = ir_measures.measures.registry.get(word)
    if at is not None:
        _give(given, "cutoff" if known is None else known.AT_PARAM, _number(at))
    if known is None:
        return word, given
    given = {**known.params, **given}
    if known.NAME == "NumRet" and "rel" in given:
        return "NumRelRet", given
    if known.NAME == "SetP" and isinstance(given.get("relative"), bool):
        return "SetRelP" if given.pop("relative") else "SetP", given
    return known.NAME, given


def _give(given: dict[str, float], parameter: str, value: float) -> None:
    """Notes a parameter; one that is there already gets a name that no measure takes."""
    given[f"second {parameter}" if parameter in given else parameter] = value


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


def _is_possible(parameter: str, value: float) -> bool:
    if parameter in ("cutoff", "rel"):
        return type(value) is int and value > 0
    if parameter == "recall":
        return 0 <= value <= 1
    return 0 < value < 1


def _suggestions(name: str) -> list[str]:
    """Names that may have been meant: our name of a measure of trec_eval's, or all there are."""
    kind, _, cutoff = re.sub(r"[._]([0-9.]+)$", r" \1", name).partition(" ")
    ours = _OF_TREC_EVAL.get(kind)
    if ours is None or ours.endswith("@") != bool(cutoff):
        return [form.example for form in _FORMS.values()]
    return [f"{ours}{cutoff}"]
