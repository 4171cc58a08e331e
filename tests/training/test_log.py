"""The log: a line an event, steps at most once a second, nothing twice after a resume."""

import json
import resource
from pathlib import Path
from typing import Any

import pytest

from charrnn.evaluation.metrics import Validation
from charrnn.training.events import Evaluated, Saved, Started, Stepped
from charrnn.training.log import Log

PATH = Path("log.jsonl")


def opened() -> Log:
    """The log of a new run that has saved something; the line of that stands first."""
    log = Log(PATH, 0)
    log.write(Saved(0.0, 0, "last.safetensors"))
    return log


def stepped(seconds: float, step: int) -> Stepped:
    return Stepped(seconds, step, 0.5, 1.0, 64, 2.5, 0.01, 0.3)


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in PATH.read_text().splitlines()]


def test_steps_are_logged_at_most_once_a_second() -> None:
    log = opened()
    for step in range(100):
        log.write(stepped(step * 0.1, step))
    log.close()
    assert [line["step"] for line in lines()[1:]] == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_an_event_is_a_line_with_its_name_time_and_step() -> None:
    log = Log(PATH, 0)
    log.write(Started(0.5, 0))
    log.write(Evaluated(1.0, 3, 0.1, 0.2, 2.0, Validation(1.5, 2.1, 99), "average", True, "text"))
    log.write(Saved(1.5, 3, "last.safetensors"))
    log.close()
    assert lines()[0] == {"event": "started", "seconds": 0.5, "step": 0}
    evaluated = lines()[1]
    assert (evaluated["event"], evaluated["seconds"], evaluated["step"]) == ("evaluated", 1.0, 3)
    assert evaluated["validation"] == {"nats_per_token": 1.5, "bits_per_byte": 2.1, "tokens": 99}


def test_a_resumed_log_drops_what_will_happen_again_and_torn_lines() -> None:
    log = opened()
    for step in range(10, 50, 10):
        log.write(stepped(float(step), step))
    log.close()
    with PATH.open("a") as file:
        file.write('{"event": "stepped", "sec')
    log = Log(PATH, from_step=25)
    log.write(stepped(60.0, 26))
    log.close()
    assert [line["step"] for line in lines()] == [0, 10, 20, 26]


def test_a_new_run_starts_a_new_log_once_it_has_saved_something() -> None:
    PATH.write_text(earlier := '{"event": "stepped", "step": 0}\n')
    log = Log(PATH, 0)
    log.write(Started(0.5, 0))
    log.write(stepped(1.0, 1))
    assert PATH.read_text() == earlier
    log.write(Saved(2.0, 1, "last.safetensors"))
    log.write(stepped(3.0, 2))
    log.close()
    assert [line["event"] for line in lines()] == ["started", "stepped", "saved", "stepped"]


def three_steps() -> bytes:
    """Leaves a log of three steps, and gives its content."""
    log = opened()
    for step in (10, 20, 30):
        log.write(stepped(float(step), step))
    log.close()
    return PATH.read_bytes()


def test_a_resumed_log_of_which_nothing_is_dropped_is_the_same_file() -> None:
    before, file = three_steps(), PATH.stat().st_ino
    Log(PATH, from_step=30).close()
    assert (PATH.read_bytes(), PATH.stat().st_ino) == (before, file)


def test_a_last_line_that_lost_its_end_stays_a_line() -> None:
    PATH.write_bytes(three_steps().removesuffix(b"\n"))
    log = Log(PATH, from_step=30)
    log.write(stepped(40.0, 40))
    log.close()
    assert [line["step"] for line in lines()] == [0, 10, 20, 30, 40]


def test_a_full_disk_takes_nothing_from_the_log_that_is_there() -> None:
    before = three_steps()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9, hard))  # bytes
    try:
        log = Log(PATH, from_step=20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    log.write(stepped(25.0, 25))
    log.close()
    assert log.failure == "log.jsonl: File too large"
    assert PATH.read_bytes() == before
    assert list(Path().iterdir()) == [PATH]


def test_a_log_that_cannot_be_opened_is_none() -> None:
    PATH.mkdir()
    for from_step in (0, 1):
        log = Log(PATH, from_step)
        log.write(Saved(1.0, 1, "last.safetensors"))
        log.close()
        assert log.failure == "log.jsonl: Is a directory"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is always full")
def test_a_full_disk_ends_the_log_and_nothing_else() -> None:
    log = Log(Path("/dev/full"), 0)
    assert log.failure is None
    for step in range(3):
        log.write(Saved(float(step), step, "last.safetensors"))
        assert log.failure == "/dev/full: No space left on device"
    log.close()
