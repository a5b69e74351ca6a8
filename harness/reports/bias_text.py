"""A system's language bias as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from harness.bias.bias_profile import document_languages, first_of_others, mean_of
from harness.reports.bias_wording import notes
from harness.reports.wording import number
from tasks.languages import POOL
from tasks.settings import languages_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from harness.bias.bias_profile import BiasProfile, PoolBias

SPREADS = {
    "moir": "MoIR",
    "clir_from": "CLIR from",
    "clir_into": "CLIR into",
    "mlir": "MLIR",
}


def print_bias(console: Console, profile: BiasProfile, title: str) -> None:
    """Prints a block for pools and one for scores by language, then what the numbers are.

    Args:
        console: Where to.
        profile: What to print.
        title: What it is of, such as the entry.
    """
    console.print(f"[bold]{escape(f'{title}, {profile.task}')}[/bold]")
    if profile.pools:
        console.print("\nIn a pool of languages, by query language")
        console.print(Padding.indent(_by_query_language(profile), 2))
        languages = document_languages(profile.pools)
        if languages:
            console.print("\nIn a pool of languages, by document language")
            console.print(Padding.indent(_by_document_language(profile, languages), 2))
    if profile.gaps or profile.spreads:
        console.print(f"\n{escape(profile.measure)} by language")
        console.print(Padding.indent(_by_language(profile), 2))
    console.print()
    console.print("\n".join(notes(profile)), markup=False)


def _by_query_language(profile: BiasProfile) -> Table:
    has_peer = any(pool.peer.mean is not None for pool in profile.pools)
    has_shares = any(pool.shares for pool in profile.pools)
    headings = ["queries", "rank distance", "of pool", "own first", "chance"]
    headings += [f"own in top {profile.k}", "apart"] if has_shares else []
    headings += [f"PEER@{profile.k}"] if has_peer else []
    table = _table(headings)
    rows: list[list[float | None]] = []
    for pool in profile.pools:
        distance, own, shares = pool.rank_distance, pool.preference.own, pool.shares
        row: list[float | None] = []
        row += (distance.mean, distance.share) if distance else (None, None)
        row += (own.rate, own.chance) if own else (None, None)
        if has_shares:
            row += (shares.own, shares.total_variation) if shares else (None, None)
        row += [pool.peer.mean] if has_peer else []
        rows.append(row)
        table.add_row(_name(pool), f"{pool.queries:,}", *_cells(row, has_shares))
    if len(rows) > 1:
        means = [mean_of(column) for column in zip(*rows, strict=True)]
        table.add_row("mean", "", *_cells(means, has_shares))
    return table


def _cells(row: Sequence[float | None], has_shares: bool) -> list[str]:
    """The cells of a row by query language; the excess of the own language has a sign."""
    return [_cell(value, signed=has_shares and place == 4) for place, value in enumerate(row)]


def _by_document_language(profile: BiasProfile, languages: Sequence[str]) -> Table:
    shares = [pool.shares for pool in profile.pools if pool.shares]
    others = first_of_others(profile.pools)
    headings = ["queries", "first of others", "chance"]
    headings += [f"of top {profile.k}", "of relevant", "excess"] if shares else []
    table = _table(headings)
    for code in languages:
        first = others.get(code)
        cells = (
            [f"{first.queries:,}", _cell(first.rate), _cell(first.chance)]
            if first
            else ["-", "-", "-"]
        )
        if shares:
            cells += [
                _cell(mean_of(one.top.get(code) for one in shares)),
                _cell(mean_of(one.relevant.get(code) for one in shares)),
                _cell(mean_of(one.excess.get(code) for one in shares), signed=True),
            ]
        table.add_row(code, *cells)
    return table


def _by_language(profile: BiasProfile) -> Table:
    kinds = [name for name in SPREADS if name in profile.spreads]
    columns = [SPREADS[name] for name in kinds]
    table = _table([*columns, *(["gap"] if profile.gaps else [])])
    spreads = [profile.spreads[name] for name in kinds]
    languages = set(profile.gaps).union(*(spread.by_language for spread in spreads))
    for code in sorted(languages):
        cells = [_cell(spread.by_language.get(code)) for spread in spreads]
        if profile.gaps:
            gap = profile.gaps.get(code)
            cells.append(_cell(gap.gap if gap else None, signed=True))
        table.add_row(code, *cells)
    means = [_cell(spread.mean) for spread in spreads]
    if profile.gaps:
        means.append(_cell(mean_of(gap.gap for gap in profile.gaps.values()), signed=True))
    table.add_row("mean", *means)
    table.add_row("best - worst", *(_cell(spread.range) for spread in spreads))
    table.add_row("sd", *(_cell(spread.deviation) for spread in spreads))
    return table


def _name(pool: PoolBias) -> str:
    """The query language; with the setting, where that asks queries of several languages."""
    if languages_of(pool.setting)[0] == POOL:
        return f"{pool.query_language} ({pool.setting})"
    return pool.query_language


def _table(headings: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for heading in headings:
        table.add_column(heading, justify="right", min_width=7)
    return table


def _cell(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return "-"
    return f"{value:+.4f}" if signed else number(value)
