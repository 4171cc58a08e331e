"""Every number that a flag takes: the ends of its range are in it, what lies just beyond them is not."""

import pytest

from charrnn.config import (
    MAX_DROPPED,
    MAX_HIDDEN,
    MAX_LAYERS,
    MAX_MEMBERS,
    MAX_SEED,
    MAX_THREADS,
    MAX_VOCABULARY,
)
from charrnn.errors import UsageError
from tests.cli.test_command import parsed

WHOLE = {
    "train": {
        "--vocab": (2, MAX_VOCABULARY),
        "--layers": (1, MAX_LAYERS),
        "--hidden": (1, MAX_HIDDEN),
        "--embedding": (1, MAX_HIDDEN),
        "--batch": (1, 65_536),
        "--seq": (1, 65_536),
        "--steps": (1, 10**9),
        "--members": (1, MAX_MEMBERS),
        "--seed": (0, MAX_SEED),
        "--threads": (1, MAX_THREADS),
    },
    "sample": {
        "--length": (0, 10**18),
        "-n": (1, 10**18),
        "--top-k": (1, 10**18),
        "--seed": (0, MAX_SEED),
        "--threads": (1, MAX_THREADS),
    },
    "classify": {"--top": (1, 10**18), "--threads": (1, MAX_THREADS)},
    "inspect": {"-k": (1, 1000), "--sentence": (1, 2), "--threads": (1, MAX_THREADS)},
}
# The low end, the high one, and whether the low one is out of it.
REAL: dict[str, dict[str, tuple[float, float, bool]]] = {
    "train": {
        "--val-fraction": (0, 0.5, True),
        "--epochs": (0, 1e6, True),
        "--dropout": (0, MAX_DROPPED, False),
        "--dropout-input": (0, MAX_DROPPED, False),
        "--weight-drop": (0, MAX_DROPPED, False),
        "--zoneout": (0, MAX_DROPPED, False),
        "--pretrain": (0, 0.95, False),
        "--lr": (0, 1e12, True),
        "--clip": (0, 1e12, True),
        "--clip-value": (0, 1e12, True),
        "--weight-decay": (0, 1e3, False),
    },
    "sample": {"--temp": (0, 100, False), "--top-p": (0, 1, True), "--min-p": (0, 1, False)},
    "classify": {"--abstain": (0, 1, False), "--fail-under": (0, 1, False)},
}


def given(verb: str, flag: str, text: str) -> list[object]:
    """The values of all options of a verb that was given this flag alone."""
    return list(parsed(verb, flag, text).values())


@pytest.mark.parametrize(("verb", "flag"), [(verb, flag) for verb, flags in WHOLE.items() for flag in flags])
def test_a_flag_of_whole_numbers_takes_those_of_its_range(verb: str, flag: str) -> None:
    low, high = WHOLE[verb][flag]
    for value in (low, high):
        assert value in given(verb, flag, str(value))
    said = rf"^{flag} -?\d+: must be a whole number from {low:,} to {high:,}$"
    for beyond in (low - 1, high + 1):
        with pytest.raises(UsageError, match=said):
            given(verb, flag, str(beyond))


@pytest.mark.parametrize(("verb", "flag"), [(verb, flag) for verb, flags in REAL.items() for flag in flags])
def test_a_flag_of_numbers_takes_those_of_its_range(verb: str, flag: str) -> None:
    low, high, is_above = REAL[verb][flag]
    for value in (low + 1e-300, high):
        assert value in given(verb, flag, repr(value))
    said = f"must be a number {'above' if is_above else 'from'} {low:g} to "
    beyond = [f"-{low:g}.1", repr(high * (1 + 1e-15)), *(["0"] if is_above else [])]
    for text in beyond:
        with pytest.raises(UsageError, match=f"^{flag} {text.replace('+', '.')}: {said}"):
            given(verb, flag, text)
    if not is_above:
        assert low in given(verb, flag, "0")
