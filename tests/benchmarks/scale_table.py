"""What scoring mMARCO and MIRACL takes on 1, 8 and 64 GPUs: the tables of docs/scale.md.

::

    python -m tests.benchmarks.scale_table

Computed from the rates below. Sizes are those of the catalogue.
"""

from __future__ import annotations

from tasks.definition import load_definition

TASKS = {"mmarco": "mMARCO", "miracl": "MIRACL"}
GPUS = (1, 8, 64)
# Passages a second on one H200 in bfloat16. Estimates: no GPU has been measured.
ENCODERS = {
    "22 million parameters, 384 dimensions": (15_000, 384),
    "560 million, 1,024": (600, 1024),
}
# Passages that the driver hashes and sends: 1.5 million a second hashed, twice, and 0.9 million
# hashed and packed, on one core of an AMD EPYC (measured; passages of 390 bytes).
DRIVER = 1 / (2 / 1_500_000 + 1 / 900_000)
# Scores a second at 384 dimensions: measured on two cores, and taken to grow with the cores.
SCORES, SCORES_CORES, DRIVER_CORES = 80e6, 2, 16
DOLLARS_A_GPU_HOUR = 3.0


def encoding() -> list[str]:
    """Rows of hours, GPU hours and dollars of encoding."""
    rows = ["| task | encoder | GPUs | hours | dollars | vectors |", "|---|---|---|---|---|---|"]
    for name, title in TASKS.items():
        passages, _ = size_of(name)
        for encoder, (rate, dimension) in ENCODERS.items():
            for gpus in GPUS:
                hours = passages / min(gpus * rate, DRIVER) / 3600
                rows.append(
                    f"| {title} | {encoder} | {gpus} | {hours:,.1f} "
                    f"| {hours * gpus * DOLLARS_A_GPU_HOUR:,.0f} "
                    f"| {passages * dimension * 4 / 1e9:,.0f} GB |"
                )
    return rows


def ranking() -> list[str]:
    """Rows of hours of ranking all queries against all passages, on the driver."""
    rows = ["| task | queries | passages | hours of ranking |", "|---|---|---|---|"]
    for name, title in TASKS.items():
        passages, queries = size_of(name)
        hours = passages * queries / (SCORES * DRIVER_CORES / SCORES_CORES) / 3600
        rows.append(f"| {title} | {queries:,} | {passages:,} | {hours:,.1f} |")
    return rows


def size_of(task: str) -> tuple[int, int]:
    """Passages and queries of a task, in all its languages."""
    sizes = load_definition(task)[0].language_sizes.values()
    return sum(one.documents or 0 for one in sizes), sum(one.queries or 0 for one in sizes)


if __name__ == "__main__":
    print("\n".join([*encoding(), "", *ranking()]))
