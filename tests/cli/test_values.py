"""Words of the command line to values, and the one sentence for those that are none."""

import math
import re

import pytest

from charrnn.cli.values import duration, name_of, number, one_of, whole
from charrnn.config import Budget
from charrnn.errors import UsageError

# What Python's own int() and float() would take, or a person might think they take.
NEVER = [
    "",
    " ",
    "nan",
    "-nan",
    "inf",
    "-inf",
    "1_000",
    "١٢",
    " 1 ",
    "1 ",
    "+1",
    "0x10",
    "1,5",
    "1e",
    "--",
    "abc",
]


@pytest.mark.parametrize("text", [*NEVER, "-1", "1.0", "1e3", "2**70", "9" * 5000, "11"])
def test_a_whole_number_is_digits_within_its_range(text: str) -> None:
    message = f"--k {text or repr('')}: must be a whole number from 0 to 10"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        whole("--k", 0, 10)(text)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("10", 10), ("007", 7)])
def test_both_ends_of_the_range_of_whole_numbers_are_in_it(text: str, value: int) -> None:
    assert whole("--k", 0, 10)(text) == value


def test_a_whole_number_is_exact_beyond_what_a_float_holds() -> None:
    assert whole("--seed", 0, 2**64 - 1)("18446744073709551615") == 2**64 - 1


def test_the_range_is_said_with_separators() -> None:
    with pytest.raises(UsageError, match=r"^--batch 0: must be a whole number from 1 to 65,536$"):
        whole("--batch", 1, 65_536)("0")


@pytest.mark.parametrize("text", [*NEVER, "-1", "-0.5", "1e400", "1e-400x", "100.1", "1e+3"])
def test_a_number_is_finite_and_within_its_range(text: str) -> None:
    message = f"--temp {text or repr('')}: must be a number from 0 to 100"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        number("--temp", 0, 100)(text)


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0.0), ("100", 100.0), (".5", 0.5), ("1.", 1.0), ("1e-30", 1e-30), ("1E1", 10.0)]
)
def test_a_number_is_written_as_people_write_it(text: str, value: float) -> None:
    assert number("--temp", 0, 100)(text) == value


def test_a_range_may_leave_out_its_low_end() -> None:
    parse = number("--lr", 0, 1, above=True)
    assert parse("1e-9") == 1e-9
    for text in ("0", "0.0", "1e-999"):
        with pytest.raises(UsageError, match=f"^--lr {re.escape(text)}: must be a number above 0 to 1$"):
            parse(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("2h", 7200),
        ("1.5m", 90),
        (".5h", 1800),
        ("720h", 30 * 24 * 3600),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert duration("--time")(text) == Budget("seconds", seconds)


@pytest.mark.parametrize("text", [*NEVER, "0", "0s", "-5m", "5 m", "5min", "5M", "1h30m", "721h", "1e3s"])
def test_a_duration_that_is_none_says_what_one_looks_like(text: str) -> None:
    message = f"--time {text or repr('')}: must be a time such as 90s, 5m or 2h, at most 720h"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        duration("--time")(text)


def test_one_of_takes_its_words_and_lists_them() -> None:
    parse = one_of("--level", ("char", "byte"))
    assert parse("byte") == "byte"
    for text in ("word", "Byte", "", "char,byte"):
        with pytest.raises(UsageError, match=f"^--level {text or repr('')}: must be one of char, byte$"):
            parse(text)


@pytest.mark.parametrize("text", ["tale", " ", "-", "a\nb", "\udcff"])
def test_a_name_is_any_word_but_an_empty_one(text: str) -> None:
    parse = name_of("--name", "a run")
    assert parse(text) == text
    with pytest.raises(UsageError, match=r"^--name '': must name a run$"):
        parse("")


def test_a_default_passes_as_it_is() -> None:
    budget = Budget("seconds", 300.0)
    assert duration("--time")(budget) is budget  # type: ignore[arg-type]  # Typer hands defaults to parsers too
    assert whole("-n", 1, 9)(5) == 5  # type: ignore[arg-type]
    assert math.isclose(number("--temp", 0, 1)(0.8), 0.8)  # type: ignore[arg-type]
