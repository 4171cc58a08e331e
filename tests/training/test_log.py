"""The log: a line an event, steps at most once a second, nothing twice after a resume."""

import json
from pathlib import Path
from typing import Any

import pytest

from charrnn.errors import StorageError
from charrnn.evaluation.metrics import Validation
from charrnn.training.events import Evaluated, Started, Stepped
from charrnn.training.log import Log

PATH = Path("log.jsonl")


def stepped(seconds: float, step: int) -> Stepped:
    return Stepped(seconds, step, 0.5, 1.0, 64, 2.5, 0.01, 0.3)


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in PATH.read_text().splitlines()]


def test_steps_are_logged_at_most_once_a_second() -> None:
    log = Log(PATH, 0)
    for step in range(100):
        log.write(stepped(step * 0.1, step))
    log.close()
    assert [line["step"] for line in lines()] == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_an_event_is_a_line_with_its_name_time_and_step() -> None:
    log = Log(PATH, 0)
    log.write(Started(0.5, 0))
    log.write(Evaluated(1.0, 3, 0.1, 0.2, 2.0, Validation(1.5, 2.1, 99), "average", True, "text"))
    log.close()
    assert lines()[0] == {"event": "started", "seconds": 0.5, "step": 0}
    evaluated = lines()[1]
    assert (evaluated["event"], evaluated["seconds"], evaluated["step"]) == ("evaluated", 1.0, 3)
    assert evaluated["validation"] == {"nats_per_token": 1.5, "bits_per_byte": 2.1, "tokens": 99}


def test_a_resumed_log_drops_what_will_happen_again_and_torn_lines() -> None:
    log = Log(PATH, 0)
    for step in range(0, 50, 10):
        log.write(stepped(float(step), step))
    log.close()
    with PATH.open("a") as file:
        file.write('{"event": "stepped", "sec')
    log = Log(PATH, from_step=25)
    log.write(stepped(60.0, 26))
    log.close()
    assert [line["step"] for line in lines()] == [0, 10, 20, 26]


def test_a_new_run_starts_a_new_log() -> None:
    PATH.write_text('{"event": "stepped", "step": 0}\n')
    Log(PATH, 0).close()
    assert PATH.read_text() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is always full")
def test_a_full_disk_is_told_once() -> None:
    log = Log(Path("/dev/full"), 0)
    with pytest.raises(StorageError, match="/dev/full: No space left on device"):
        log.write(Started(0.5, 0))
    log.close()
