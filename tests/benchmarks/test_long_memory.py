"""The tasks are those of the papers: answered by hand from the inputs alone."""

import pytest
import torch

from benchmarks.long_memory import (
    BLANK,
    DELIMITER,
    KINDS,
    RECALLED,
    SYMBOLS,
    TASKS,
    adding,
    copying,
    digits,
    hidden_size,
    layer_of,
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("length", [25, 100])
def test_adding_marks_a_number_in_each_half_and_wants_their_sum(
    length: int, generator: torch.Generator
) -> None:
    inputs, targets = adding(length, 64, generator)
    assert inputs.shape == (length, 64, 2)
    values, marks = inputs.unbind(-1)
    assert (marks[: length // 2].sum(0) == 1).all()
    assert (marks[length // 2 :].sum(0) == 1).all()
    assert targets.tolist() == pytest.approx((values * marks).sum(0).tolist())


def test_always_saying_one_leaves_the_known_error_of_adding(generator: torch.Generator) -> None:
    _, targets = adding(50, 20_000, generator)
    assert float(((targets - 1) ** 2).mean()) == pytest.approx(1 / 6, rel=0.03)


def test_copying_shows_symbols_then_nothing_until_the_delimiter(generator: torch.Generator) -> None:
    inputs, targets = copying(7, 16, generator)
    shown = inputs.argmax(-1)
    assert shown.shape == (2 * RECALLED + 7 + 1, 16)
    assert (shown[:RECALLED] == targets).all()
    assert (targets < SYMBOLS).all()
    assert (shown[RECALLED : RECALLED + 7] == BLANK).all()
    assert (shown[RECALLED + 7] == DELIMITER).all()
    assert (shown[RECALLED + 8 :] == BLANK).all()


def test_permuted_digits_are_the_digits_in_another_order() -> None:
    plain, labels = digits(is_permuted=False)(64, 32, torch.Generator().manual_seed(0))
    mixed, same = digits(is_permuted=True)(64, 32, torch.Generator().manual_seed(0))
    assert plain.shape == (64, 32, 1)
    assert (labels == same).all()
    assert (plain != mixed).any()
    assert torch.equal(plain.sort(0).values, mixed.sort(0).values)


@pytest.mark.parametrize("name", TASKS)
def test_right_answers_solve_a_task_and_constant_ones_do_not(name: str, generator: torch.Generator) -> None:
    task = TASKS[name]
    examples = task.draw(task.lengths[0], 64, generator)
    if name == "adding":
        right = torch.zeros(task.lengths[0], 64, 1)
        right[-1, :, 0] = examples.targets
    elif name == "copy":
        answers = torch.nn.functional.one_hot(examples.targets, SYMBOLS).float()
        right = torch.cat((torch.zeros(task.lengths[0] + RECALLED + 1, 64, SYMBOLS), answers))
    else:
        right = torch.nn.functional.one_hot(examples.targets, 10).float().expand(64, 64, 10)
    assert task.is_solved(task.score(right, examples))
    assert not task.is_solved(task.score(torch.zeros_like(right), examples))
    assert float(task.loss(10 * right, examples)) != float(task.loss(torch.zeros_like(right), examples))


def test_all_kinds_of_nets_have_about_as_many_weights() -> None:
    for kind in KINDS:
        layer = layer_of(kind, 2, 100, 17_000)
        assert layer.hidden_size == hidden_size(kind.cell, 2, 17_000)
        assert sum(part.numel() for part in layer.parameters()) == pytest.approx(17_000, rel=0.02)
