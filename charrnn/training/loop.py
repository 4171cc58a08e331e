"""The training loop: a generator of events. Knows no terminal, and no clock but the one it is given."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.errors import CheckpointError, DivergedError, Signalled
from charrnn.evaluation.score import Score
from charrnn.models.places import tensors_of
from charrnn.training.descent import Step
from charrnn.training.events import Evaluated, Event, Finished, Saved, Started, Stepped
from charrnn.training.interrupt import Interrupt
from charrnn.training.objective import Batch, Batches, Evaluator, Keeper, Learner
from charrnn.training.progress import Point, Progress
from charrnn.training.schedule import factor

# Evaluations lie closer together at the start, where a person waits for the first sign of life: the k-th of
# n comes at (k/n) to this power of the budget.
EVALUATION_SPACING = 1.5
# Losses this many times that of blind guessing, for so many steps in a row, do not come back.
DIVERGED_BY = 3.0
DIVERGED_STEPS = 20
SAVE_SECONDS = 30.0


class Training:
    """One run, from where it stands to the end of its budget. `fit` moves it and changes the learner."""

    def __init__(
        self,
        learner: Learner[Any, Any],
        batches: Batches[Any],
        evaluator: Evaluator[Any],
        progress: Progress,
        run: Keeper,
        *,
        clock: Callable[[], float],
        final_tokens: int | None = None,
        sample: Callable[[Tensors], str] | None = None,
        way_out: str | None = None,
    ) -> None:
        """Sets up a run.

        Args:
            learner: what learns.
            batches: what it learns from.
            evaluator: what it is measured on.
            progress: where the run stands.
            run: where it is kept.
            clock: seconds spent on this run so far, earlier sittings included.
            final_tokens: how many tokens the last evaluation scores; all if not given.
            sample: makes the short text of an evaluation from weights; none if not given.
            way_out: what to try when training diverges; a lower rate if not given.
        """
        self.progress = progress
        self._learner = learner
        self._batches = batches
        self._evaluator = evaluator
        self._run = run
        self._clock = clock
        self._interrupt = Interrupt()
        self._at_first_save: Callable[[Path], None] | None = None
        self._final_tokens = final_tokens
        self._sample = sample or (lambda _: "")
        lower = learner.settings.learning_rate / 4
        self._way_out = way_out or f"begin anew at a lower rate: --lr {lower:.2g}"
        self._saved_at = clock()
        self._bad_steps = 0

    def watch(self, interrupt: Interrupt) -> None:
        """From now on asks this, after every step and while it scores, whether to stop."""
        self._interrupt = interrupt

    def at_first_save(self, act: Callable[[Path], None]) -> None:
        """Calls this once, with the first file that this run has saved."""
        self._at_first_save = act

    def fit(self) -> Iterator[Event]:
        """Trains to the end of the budget, or until interrupted, or until validation has turned.

        Evaluating, saving and sampling change nothing in the steps that follow. Under a budget of steps
        the same run stopped anywhere and gone on with is the same to the last bit; under seconds too, if
        the clock shows the same.

        Raises:
            DivergedError: if the loss is lost; what was saved before stays.
            StorageError: if saving fails.
        """
        yield Started(self._clock(), self.progress.step)
        self._forget_a_best_that_is_gone()
        with contextlib.suppress(Signalled):  # in an evaluation, which is made when the run goes on
            yield from self._learn()
        yield from self._stop_early() if self._interrupt.requested else self._finish()

    def _forget_a_best_that_is_gone(self) -> None:
        """Without a model to keep, none could be shown at the end where no better one is found.

        One that is there and cannot be read just now is none of these: a worse one must not replace it.
        """
        if self.progress.best is None:
            return
        try:
            if self._run.model_file.exists():
                self._run.load_model()
                return
        except CheckpointError:
            pass  # damaged
        self.progress = replace(self.progress, best=None)

    def _learn(self) -> Iterator[Event]:
        """Takes steps until something ends it; what is due is done before the next one."""
        while not self._interrupt.requested and not self.progress.has_turned:
            if self._evaluation_is_due():
                yield from self._evaluate()
                yield self._save()
                continue
            if self._clock() - self._saved_at >= SAVE_SECONDS:
                yield self._save()
            share = self.progress.segment.share(self._learner.step, self._clock())
            if share >= 1.0 and self.progress.step:  # one step at least, or there would be no model
                break
            yield self._advance(share)

    def _advance(self, share: float) -> Stepped:
        settings, segment = self._learner.settings, self.progress.segment
        batch = self._batches.at(self._learner.step)
        learning_rate = settings.learning_rate * factor(segment, share, settings.warmup)
        step = self._learner.learn(batch, learning_rate)
        self._check_health(step)
        self.progress = self._after(step, batch)
        return Stepped(
            seconds=self.progress.seconds,
            step=self.progress.step,
            share=self._share(),
            epoch=self._epoch(),
            tokens=batch.tokens,
            loss=step.loss,
            learning_rate=learning_rate,
            grad_norm=step.grad_norm,
        )

    def _after(self, step: Step, batch: Batch) -> Progress:
        before = self.progress
        return replace(
            before,
            step=self._learner.step,
            seconds=self._clock(),
            tokens=before.tokens + batch.tokens,
            loss_sum=before.loss_sum + step.loss * batch.scored,
            loss_tokens=before.loss_tokens + batch.scored,
        )

    def _check_health(self, step: Step) -> None:
        is_number = math.isfinite(step.loss) and math.isfinite(step.grad_norm)
        is_bad = not is_number or step.loss > DIVERGED_BY * self._learner.guessing
        self._bad_steps = self._bad_steps + 1 if is_bad else 0
        if not is_number or self._bad_steps >= DIVERGED_STEPS:
            raise self._diverged(f"loss {step.loss:.3g}")

    def _diverged(self, symptom: str) -> DivergedError:
        has_model = self.progress.best is not None
        kept = f"the best model so far is {self._run.model_file}" if has_model else "no model was saved"
        return DivergedError(
            f"training diverged at step {self._learner.step:,} ({symptom}); {kept}",
            self._way_out,
        )

    def _share(self) -> float:
        return self.progress.segment.share(self.progress.step, self.progress.seconds)

    def _epoch(self) -> float:
        return self.progress.tokens / self._batches.tokens

    def _evaluation_is_due(self) -> bool:
        if not self.progress.loss_tokens:  # nothing was learnt since the last one
            return False
        planned = self._learner.settings.evaluations
        next_at = ((self.progress.evaluations + 1) / planned) ** EVALUATION_SPACING
        return bool(next_at < 1.0) and self._share() >= next_at

    def _evaluate(self) -> Iterator[Event]:
        """Scores the weights and their average on the fixed slice, and keeps the better if it is the best."""
        candidates = {"weights": self._learner.model, "average": self._learner.average}
        tokens = self._learner.settings.evaluation_tokens
        scores = self._scores(candidates, tokens)
        name = min(scores, key=lambda name: scores[name].loss)
        score, before = scores[name], self.progress
        is_best = score.loss < (before.best.loss if before.best else math.inf)
        training_loss = before.loss_sum / max(1, before.loss_tokens)
        point = Point(before.step, before.seconds, training_loss, score.loss)
        self.progress = replace(
            before,
            evaluations=before.evaluations + 1,
            loss_sum=0.0,
            loss_tokens=0,
            best=score if is_best else before.best,
            since_best=0 if is_best else before.since_best + 1,
            history=(*before.history, point),
        )
        tensors = tensors_of(candidates[name])
        yield Evaluated(
            seconds=before.seconds,
            step=before.step,
            share=self._share(),
            epoch=self._epoch(),
            training_loss=training_loss,
            validation=score,
            candidate=name,
            is_best=is_best,
            sample=self._sample(tensors),
        )
        if is_best:
            yield self._save_model(tensors, score)

    def _scores(
        self, models: Mapping[str, Any], tokens: int | None, between: Callable[[], None] | None = None
    ) -> dict[str, Score]:
        """Those of models whose scores are numbers: finite weights may still overflow on other text.

        It may take minutes, so it goes no further when somebody asks to stop, unless told otherwise.
        """
        scores = {}
        for name, model in models.items():
            with contextlib.suppress(FloatingPointError):
                scores[name] = self._evaluator.score(model, tokens, between or self._interrupt.heed)
        if not scores:
            raise self._diverged("validation loss nan")
        return scores

    def _finish(self) -> Iterator[Event]:
        """The last evaluation: the last weights on the slice, then the best model on everything."""
        reason = "turned" if self.progress.has_turned else "budget"
        try:
            if self.progress.loss_tokens or self.progress.best is None:
                yield from self._evaluate()
            yield self._save()  # scoring everything takes its time, and must cost nobody the last steps
            tensors = self._run.load_model()
            best = {"best": self._learner.with_weights(tensors)}
            validation = self._scores(best, self._final_tokens)["best"]
        except Signalled:
            yield from self._stop_early()
            return
        yardstick = self._run.yardstick()
        self.progress = replace(self.progress, finished=True)
        yield self._save_model(tensors, validation, yardstick)
        yield self._save()
        yield Finished(self._clock(), self.progress.step, reason, validation, yardstick)

    def _stop_early(self) -> Iterator[Event]:
        """Saves everything; a run that has no model yet gets one, which does not count as its best."""
        validation = self.progress.best
        if validation is None:
            tokens = self._learner.settings.evaluation_tokens
            model = {"weights": self._learner.model}
            validation = self._scores(model, tokens, between=lambda: None)["weights"]
            yield self._save_model(tensors_of(self._learner.model), validation)
        yield self._save()
        yield Finished(self._clock(), self.progress.step, "stopped", validation, None)

    def _save_model(self, tensors: Tensors, validation: Score, yardstick: float | None = None) -> Saved:
        self._refuse_non_finite(tensors)
        self._run.save_model(tensors, validation, self.progress, self._epoch(), yardstick)
        return self._saved(self._run.model_file)

    def _refuse_non_finite(self, tensors: Tensors) -> None:
        """What is not a number never reaches the disk, so the last healthy state stays there."""
        if counts := weights.non_finite(tensors):
            raise self._diverged(f"non-finite values in {next(iter(counts))}")

    def _save(self) -> Saved:
        tensors = self._learner.tensors()
        self._refuse_non_finite(tensors)
        self._run.save_last(tensors, self.progress)
        saved = self._saved(self._run.last_file)
        self._saved_at = saved.seconds
        return saved

    def _saved(self, file: Path) -> Saved:
        act, self._at_first_save = self._at_first_save, None
        if act is not None:
            act(file)
        return Saved(self._clock(), self.progress.step, str(file))
