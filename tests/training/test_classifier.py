"""A classifier's training keeps the laws of the loop, and what it saves says what it measured."""

import itertools
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from charrnn.checkpoint import classifier as files
from charrnn.config import Budget, ClassifierConfig, FineTuningConfig, LabelledConfig, ModelConfig
from charrnn.evaluation.classification import Verdict
from charrnn.evaluation.classifier_evaluator import ClassifierEvaluator
from charrnn.inference.answering import Classifier
from charrnn.models.classifier import Member
from charrnn.models.language_model import LanguageModel
from charrnn.models.places import tensors_of
from charrnn.models.recurrent import Bidirectional
from charrnn.text.document_batches import DocumentBatch
from charrnn.training import classifier_plan
from charrnn.training.adoption import adopted
from charrnn.training.classifier_learner import ClassifierLearner
from charrnn.training.classifier_run import Texts, load_recipe, restored_texts
from charrnn.training.descent import Descent
from charrnn.training.events import Finished
from tests.training.fitting import fit, refusals
from tests.training.small_classifier import STEPS, new


def test_it_learns_what_the_words_say() -> None:
    finished = fit(new("run", Budget("epochs", 20))[0])[-1]
    assert isinstance(finished, Finished)
    assert isinstance(finished.validation, Verdict)
    assert finished.validation.net.accuracy == 1.0
    assert finished.validation.answer.accuracy == 1.0


@pytest.mark.parametrize("members", [1, 3])
def test_the_figures_of_the_card_are_those_of_the_file_read_on_numpy(members: int) -> None:
    training, run = new("run", Budget("steps", STEPS), ("named.tsv",), members=members)
    finished = fit(training)[-1]
    assert isinstance(finished, Finished)
    assert isinstance(finished.validation, Verdict)
    classifier = Classifier(files.load(run.model_file))
    validation = run.corpus.validation
    p = classifier.probabilities(validation.texts)
    nats = -np.log(p[np.arange(len(validation)), validation.labels]).mean()
    assert finished.validation.answer.nats == pytest.approx(nats, abs=1e-6)
    assert finished.validation.answer.accuracy == (p.argmax(1) == validation.labels).mean()
    assert classifier.checkpoint.card["validation"]["answer"]["nats"] == finished.validation.answer.nats


def test_an_evaluation_of_a_part_reads_texts_of_every_label() -> None:
    training, run = new("run", Budget("steps", 1))
    evaluator = training._evaluator
    assert isinstance(evaluator, ClassifierEvaluator)
    verdict = evaluator.score(training._learner.model, evaluator.tokens // 2)
    assert 3 <= verdict.documents <= 9
    assert len(run.corpus.validation) == 12


def batch(labels: list[int]) -> DocumentBatch:
    inputs = np.random.default_rng(0).integers(2, 12, size=(5, len(labels)))
    return DocumentBatch(inputs, np.full(len(labels), 5), np.array(labels))


def learner(weights: list[float] | None = None, members: int = 1, **settings: Any) -> ClassifierLearner:
    return ClassifierLearner(
        ClassifierConfig(vocab_size=12, classes=3, hidden_size=4, embedding_size=3, members=members),
        FineTuningConfig(**{"seed": 1, "evaluation_tokens": 1, "dropout": 0.0} | settings),
        torch.device("cpu"),
        unknown=1,
        label_weights=None if weights is None else np.array(weights, np.float32),
    )


def test_the_loss_is_the_weighted_surprise_at_the_right_labels() -> None:
    labels, weights = [0, 1, 1, 2], [1.0, 0.5, 3.0]
    ours = learner(weights, dropout_words=0.0)
    one = batch(labels)
    scores = ours.model(torch.from_numpy(one.inputs), torch.from_numpy(one.lengths)).detach().double()
    nats = -torch.log_softmax(scores, 1)[range(4), labels].numpy()
    share = np.array(weights)[labels]
    assert ours.learn(one, 0.0).loss == pytest.approx(float((nats * share).sum() / share.sum()), rel=1e-5)


def test_the_loss_of_members_is_the_mean_of_what_each_would_have_alone() -> None:
    ours, one = learner(members=3, dropout_words=0.0), batch([0, 1, 1, 2])
    inputs, lengths, labels = (torch.from_numpy(part) for part in (one.inputs, one.lengths, one.labels))
    each = [functional.cross_entropy(member(inputs, lengths), labels).item() for member in ours.model]
    assert len(set(each)) == 3
    assert ours.learn(one, 0.0).loss == pytest.approx(np.mean(each), rel=1e-6)


def test_a_step_of_one_member_is_that_of_a_net_alone_to_the_last_bit() -> None:
    ours = learner(dropout_words=0.3, dropout=0.5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        alone = Member(ours.model.config, ours.settings)
    descent = Descent(alone, ours.settings, torch.device("cpu"))
    one = batch([0, 1, 1, 2])
    for _ in range(3):
        generator = descent.generator()
        inputs = ours._without_some(torch.from_numpy(one.inputs), generator)
        scores = alone(inputs, torch.from_numpy(one.lengths), generator)
        step = descent.take(functional.cross_entropy(scores, torch.from_numpy(one.labels)), 0.01)
        assert ours.learn(one, 0.01) == step
    for name, tensor in descent.tensors().items():
        np.testing.assert_array_equal(ours.tensors()[name], tensor, err_msg=name)


def test_members_begin_apart_and_stay_apart() -> None:
    ours = learner(members=2, dropout_words=0.3, dropout=0.5)
    for _ in range(2):
        first, second = (tensors_of(member) for member in ours.model)
        for name in first:
            assert "bias" in name or (first[name] != second[name]).all(), name
        for _ in range(20):
            ours.learn(batch([0, 1, 2]), 0.01)


def test_members_of_one_beginning_part_by_what_is_left_out_for_each() -> None:
    for dropout_words, dropout in ((0.3, 0.0), (0.0, 0.5)):
        ours = learner(members=2, dropout_words=dropout_words, dropout=dropout)
        beginning = tensors_of(next(iter(ours.model)))
        ours.adopt(lambda made, beginning=beginning: made | beginning)  # type: ignore[misc]
        first, second = (tensors_of(member) for member in ours.model)
        np.testing.assert_array_equal(first["model.output.weight"], second["model.output.weight"])
        ours.learn(batch([0, 1, 2]), 0.01)
        first, second = (tensors_of(member) for member in ours.model)
        assert (first["model.output.weight"] != second["model.output.weight"]).any()


def test_left_out_words_are_unknown_wherever_they_stand_and_others_in_every_document_and_step() -> None:
    ours = learner(dropout_words=0.4)
    seen: list[torch.Tensor] = []
    (member,) = ours.model
    member.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    one = batch([0, 1, 2] * 40)
    one.inputs[4] = one.inputs[0]  # a word that stands in its document twice
    for _ in range(2):
        ours.learn(one, 0.01)
    for read in seen:
        changed = read.numpy() != one.inputs
        assert (read.numpy()[changed] == 1).all()
        assert 0.3 < changed.mean() < 0.5
        np.testing.assert_array_equal(changed[4], changed[0])
        first_word = one.inputs == one.inputs[0, 0]
        assert 0 < changed[first_word].mean() < 1
    assert (seen[0] != seen[1]).any()


def test_a_timed_budget_that_would_read_small_texts_too_often_ends_sooner() -> None:
    ticks = itertools.count()
    training, _ = new("run", Budget("seconds", 100_000.0))
    training._clock = lambda: float(next(ticks))
    finished = fit(training)[-1]
    assert isinstance(finished, Finished)
    assert finished.step <= classifier_plan.MOST_EPOCHS * 14  # 108 texts, 8 a batch


@pytest.mark.parametrize(
    ("epochs", "flags", "dropout"),
    [
        (1.0, {}, FineTuningConfig.dropout),
        (8.0, {}, classifier_plan.DROPOUT_OF_MANY),
        (8.0, {"dropout": 0.1}, 0.1),
    ],
)
def test_more_is_dropped_where_texts_are_read_often_unless_one_says_otherwise(
    epochs: float, flags: dict[str, Any], dropout: float
) -> None:
    training, run = new("run", Budget("epochs", epochs), **flags)
    assert run.recipe.settings.dropout == dropout
    assert [member.dropout for member in training._learner.model] == [dropout]


@pytest.mark.parametrize("cell", ["gru", "lstm-peephole"])
def test_what_a_language_model_knew_the_forward_direction_knows(cell: str) -> None:
    torch.manual_seed(3)
    shape: dict[str, Any] = {
        "vocab_size": 12,
        "hidden_size": 4,
        "embedding_size": 3,
        "cell": cell,
        "num_layers": 2,
    }
    language_model = LanguageModel(ModelConfig(**shape))
    ours = ClassifierLearner(
        ClassifierConfig(classes=3, **shape),
        FineTuningConfig(seed=1, evaluation_tokens=1),
        torch.device("cpu"),
    )
    before = ours.tensors()
    ours.adopt(partial(adopted, forward=tensors_of(language_model)))
    inputs = torch.from_numpy(batch([0, 1, 2]).inputs)
    (member,) = ours.model
    first = member.layers[0]
    assert isinstance(first, Bidirectional)
    ahead, _ = first.forwards.read(inputs, member.embedding.weight)
    hidden, _ = language_model.layers[0](language_model.embedding(inputs))
    torch.testing.assert_close(ahead, hidden)
    after = ours.tensors()
    for name, tensor in after.items():
        if ".backwards." in name or ".output." in name:
            np.testing.assert_array_equal(tensor, before[name], err_msg=name)
    second = after["model.layers.1.forwards.input"]
    np.testing.assert_array_equal(second[:, :4], tensors_of(language_model)["model.layers.1.input"])
    np.testing.assert_array_equal(second[:, 4:], before["model.layers.1.forwards.input"][:, 4:])
    np.testing.assert_array_equal(after["train.average.model.embedding"], after["model.embedding"])


@pytest.mark.parametrize(
    ("said", "valid"), [(None, ()), ("/texts/held*", ("/texts/held*",)), (["/a", "/b"], ("/a", "/b"))]
)
def test_validation_texts_of_older_runs_are_one_path_or_pattern(said: Any, valid: tuple[str, ...]) -> None:
    described = asdict(Texts(config=LabelledConfig(), sources=("/a.tsv",))) | {"valid": said}
    assert restored_texts(described) == Texts(config=LabelledConfig(), sources=("/a.tsv",), valid=valid)


def test_no_odd_value_in_what_a_run_left_is_worse_than_refused() -> None:
    fit(new("run", Budget("steps", STEPS))[0], 13)
    assert refusals(Path("run"), load_recipe) > 200
