"""Jobs on other machines, through a Dask scheduler that is already running."""

from __future__ import annotations

import contextlib
import queue
import re
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from app.analysis.job import FAILED, STOPPED, Job, Outcome, Progress, run_job
from app.analysis.workers import Tell
from app.errors import SettingsError

__all__ = ["run_on_cluster"]

_ADDRESS = re.compile(
    r"(?:(?:tcp|tls|wss?|ucxx?)://)?(?:[^\s/:\[\]]+|\[[0-9a-f:.%]+\]):([0-9]{1,5})/?", re.IGNORECASE
)
_LAST_PORT = 65535
_CONNECT_SECONDS = 15.0
_LOOK_SECONDS = 0.2
_GIVE_UP_SECONDS = 30.0
# A scheduler has better things to do than to pass every frame on.
_TELL_SECONDS = 1.0


def run_on_cluster(jobs: Sequence[Job], tell: Tell, stop: threading.Event, *, address: str) -> None:
    """Work the jobs off on the workers of the scheduler at `address`, such as tcp://10.0.0.1:8786.

    Every machine must reach inputs, model and output folder under the same paths. tell, stop: as
    `run_in_processes` takes them. Raises `SettingsError` when `distributed` is missing, no
    scheduler answers, or it has no worker.
    """
    with _connected(address) as client:
        heard: queue.SimpleQueue[Progress | Outcome] = queue.SimpleQueue()
        topic = f"mien-{uuid.uuid4().hex}"
        client.subscribe_topic(topic, lambda event: heard.put(Progress(*event[1])))
        halt = _event(topic, client)
        waiting = {}
        for job in jobs:
            future = client.submit(_on_worker, job, topic, key=f"{topic}-{job.number}", retries=0)
            waiting[job.number] = future
            future.add_done_callback(lambda done, job=job: heard.put(_outcome(job, done)))
        asked_at: float | None = None
        while waiting:
            with contextlib.suppress(queue.Empty):
                message = heard.get(timeout=_LOOK_SECONDS)
                if isinstance(message, Outcome):
                    waiting.pop(message.number, None)
                tell(message)
            if stop.is_set() and asked_at is None:
                asked_at = time.monotonic()
                halt.set()
            if asked_at is not None and time.monotonic() - asked_at > _GIVE_UP_SECONDS:
                for number in waiting:
                    tell(Outcome(number, STOPPED))
                client.cancel(list(waiting.values()))
                return


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        if error.name not in ("distributed", "dask"):
            raise
        raise SettingsError(
            "Working on several machines needs the package distributed, which is not installed: "
            'run pip install -e ".[cluster]" in Mien\'s folder, or leave --scheduler out.'
        ) from error
    # Looked at first: a client that takes no address leaves a traceback as it goes.
    found = _ADDRESS.fullmatch(address)
    if found is None or not 1 <= int(found.group(1)) <= _LAST_PORT:
        raise SettingsError(
            f'Expected the address of a Dask scheduler, such as tcp://10.0.0.1:8786, found "'
            f'{address}"; correct it.'
        )
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=_CONNECT_SECONDS, set_as_default=False, name="mien"
        )
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(
            f'Expected a Dask scheduler at "{address}", found none that answers; start one with '
            f"dask scheduler and give its address, such as tcp://10.0.0.1:8786."
        ) from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise SettingsError(
                f'Expected workers at the scheduler "{address}", found none; start some with dask '
                f"worker {address} --nthreads 1 and try again."
            )
        yield client


def _event(name: str, client: Any = None) -> Any:
    from distributed import Event

    return Event(name, client=client)  # type: ignore[no-untyped-call]


def _on_worker(job: Job, topic: str) -> Outcome:
    """Run a job on a worker; asks only now and then whether to stop, since that takes a message."""
    from distributed import get_worker

    worker, halt = get_worker(), _event(topic)
    asked_at, halted = float("-inf"), False

    def stopped() -> bool:
        nonlocal asked_at, halted
        now = time.monotonic()
        if now - asked_at >= _TELL_SECONDS:
            asked_at, halted = now, halted or halt.is_set()
        return halted

    told_at = float("-inf")

    def report(progress: Progress) -> None:
        nonlocal told_at
        now = time.monotonic()
        if now - told_at >= _TELL_SECONDS:
            told_at = now
            worker.log_event(topic, (progress.number, progress.frames))

    return run_job(job, report, stopped)


def _outcome(job: Job, future: Any) -> Outcome:
    """Return what came of a job; whatever Dask itself has to say counts as its failure."""
    if future.status == "finished":
        outcome: Outcome = future.result()
        return outcome
    if future.status == "cancelled":
        return Outcome(job.number, STOPPED)
    error = future.exception()
    return Outcome(
        job.number,
        FAILED,
        note=f'"{job.source.place}" could not be analysed on the cluster '
        f"({type(error).__name__}: {error}); check that the same Mien is installed on each "
        f"machine and that none runs out of memory.",
    )
