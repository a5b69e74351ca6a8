"""The queue of shards: who dies of one, how often, and what is said of it. It needs no Ray."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from harness.cluster.narrowing import narrowed
from harness.cluster.work_queue import ATTEMPTS, WorkerDiedError, WorkQueue
from tasks.errors import ClusterError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Machine:
    """Workers that die when told so; ``done`` has who did what."""

    def __init__(self, deaths: dict[str, int] | None = None, bad_starts: int = 0) -> None:
        self.deaths = dict(deaths or {})
        self.bad_starts = bad_starts
        self.started = 0
        self.killed: list[int] = []
        self.calls: list[tuple[int, str]] = []
        self.lock = threading.Lock()

    def start(self) -> Mortal:
        with self.lock:
            self.started += 1
            return Mortal(self, self.started)


class Mortal:
    def __init__(self, machine: Machine, number: int) -> None:
        self.machine, self.number, self.dead = machine, number, False

    def open(self) -> None:
        with self.machine.lock:
            if self.machine.bad_starts:
                self.machine.bad_starts -= 1
                raise WorkerDiedError("stillborn")

    def call(self, method: str, *arguments: str) -> str:
        machine, (shard,) = self.machine, arguments
        if self.dead:
            raise WorkerDiedError("it was killed")
        with machine.lock:
            machine.calls.append((self.number, shard))
            if machine.deaths.get(shard, 0):
                machine.deaths[shard] -= 1
                self.dead = True
                raise WorkerDiedError(f"worker {self.number} was shot")
        if shard == "refused":
            raise ModelError("no")
        return f"{method} {shard}"

    def kill(self) -> None:
        self.dead = True
        self.machine.killed.append(self.number)


def run(work: WorkQueue, shard: str) -> str:
    found: str = work.run("encode", shard, named=lambda: [f"shard {shard}", *"abcde"])
    return found


def test_all_shards_are_done_once_by_workers_that_live() -> None:
    machine = Machine()
    work = WorkQueue(machine.start, 3)
    shards = [str(number) for number in range(50)]
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(lambda one: run(work, one), shards)) == [
            f"encode {one}" for one in shards
        ]
    assert sorted(shard for _, shard in machine.calls) == sorted(shards)
    work.close()
    assert sorted(machine.killed) == [1, 2, 3]


@pytest.mark.parametrize("deaths", range(1, ATTEMPTS))
def test_a_shard_whose_worker_died_goes_to_another_one(deaths: int) -> None:
    machine = Machine({"7": deaths})
    work = WorkQueue(machine.start, 2)
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda one: run(work, one), map(str, range(20))))
    assert found == [f"encode {number}" for number in range(20)]
    who = [number for number, shard in machine.calls if shard == "7"]
    assert len(set(who)) == len(who) == deaths + 1  # the queue never calls one that is dead


def test_a_shard_that_kills_every_worker_is_named_and_the_others_are_done() -> None:
    machine = Machine({"7": 99})
    work = WorkQueue(machine.start, 2)
    with ThreadPoolExecutor(2) as threads:
        futures = {shard: threads.submit(run, work, shard) for shard in map(str, range(20))}
    with pytest.raises(
        ClusterError, match=r"3 workers died of shard 7: a, b, c and 2 others\."
    ) as e:
        futures.pop("7").result()
    assert "was shot" in str(e.value)
    assert {shard: one.result() for shard, one in futures.items()} == {
        shard: f"encode {shard}" for shard in futures
    }
    assert len([1 for _, shard in machine.calls if shard == "7"]) == ATTEMPTS


@pytest.mark.parametrize("size", [1, 2, 7, 1024])
def test_the_input_that_workers_die_of_is_found_by_halving(size: int) -> None:
    for guilty in {0, size // 3, size - 1}:
        runs: list[bool] = []

        def dies(some: Sequence[int], guilty: int = guilty, runs: list[bool] = runs) -> bool:
            runs.append(guilty in some)
            return runs[-1]

        assert list(narrowed(range(size), dies)) == [guilty]
        assert sum(runs) <= size.bit_length()


def test_inputs_that_only_together_do_harm_are_all_named() -> None:
    assert len(narrowed(range(64), lambda some: len(some) > 10)) == 16


def test_a_death_on_trial_is_counted_for_nobody() -> None:
    work = WorkQueue(Machine({"7": 4}).start, 1)
    assert [work.dies("encode", "7") for _ in range(5)] == [True] * 4 + [False]
    assert run(work, "7") == "encode 7"


def test_an_error_of_the_model_is_no_death() -> None:
    machine = Machine()
    work = WorkQueue(machine.start, 1)
    for _ in range(ATTEMPTS + 1):
        with pytest.raises(ModelError, match="no"):
            run(work, "refused")
    assert run(work, "1") == "encode 1"
    assert machine.started == 1


def test_a_start_may_fail_but_not_every_time() -> None:
    machine = Machine(bad_starts=ATTEMPTS - 1)
    work = WorkQueue(machine.start, 1)
    work.wait_for(1)
    assert run(work, "1") == "encode 1"
    work = WorkQueue(Machine(bad_starts=99).start, 2)
    with pytest.raises(ClusterError, match=r"died each of 3 times .*stillborn"):
        work.wait_for(1)


def test_why_a_worker_cannot_be_started_is_said() -> None:
    def start() -> Mortal:
        raise ModelError("there is no such model")

    work = WorkQueue(start, 3)
    with pytest.raises(ModelError, match="no such model"):
        run(work, "1")


def test_one_worker_that_cannot_be_replaced_leaves_the_work_to_the_others() -> None:
    machine = Machine({"3": 1})

    def start() -> Mortal:
        if machine.started >= 2:
            raise ClusterError("no room")
        return machine.start()

    work = WorkQueue(start, 2)
    assert [run(work, str(number)) for number in range(10)] == [
        f"encode {number}" for number in range(10)
    ]


def test_who_waits_when_the_queue_is_closed_waits_no_longer() -> None:
    machine = Machine()
    work = WorkQueue(machine.start, 1)
    work.wait_for(1)
    work.close()
    with pytest.raises(ClusterError, match="stopped"):
        run(work, "1")
