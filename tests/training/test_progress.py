"""Progress goes through JSON and comes back to the last bit."""

import json

from hypothesis import given
from hypothesis import strategies as st

from charrnn.evaluation.metrics import Validation
from charrnn.training.progress import PATIENCE, Point, Progress, restore
from charrnn.training.schedule import Segment

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite, finite, finite, st.integers(0, 2**53))
def test_a_description_read_back_from_json_is_the_same_progress(
    a: float, b: float, c: float, step: int
) -> None:
    progress = Progress(
        segment=Segment("seconds", a, b, c),
        step=step,
        seconds=a,
        loss_sum=b,
        best=Validation(a, b, step),
        history=(Point(step, a, b, c), Point(step, c, b, a)),
    )
    assert restore(json.loads(json.dumps(progress.describe()))) == progress


def test_it_has_turned_only_after_patience_and_when_it_is_worse() -> None:
    def progress(since_best: int, last: float) -> Progress:
        points = tuple(Point(1, 1.0, 1.0, loss) for loss in (1.0, *[1.1] * PATIENCE, last))
        return Progress(
            segment=Segment("steps", 0, 1), evaluations=len(points), since_best=since_best, history=points
        )

    assert progress(PATIENCE, 1.03).has_turned
    assert not progress(PATIENCE - 1, 1.03).has_turned
    assert not progress(PATIENCE, 1.01).has_turned
    assert not Progress(segment=Segment("steps", 0, 1)).has_turned


def test_a_run_that_goes_on_has_not_turned_while_it_gets_better_again() -> None:
    def goes_on(*losses: float) -> Progress:
        before = tuple(Point(1, 1.0, 1.0, loss) for loss in (1.2, 1.0))  # of the segment that ended
        points = tuple(Point(2, 2.0, 1.0, loss) for loss in losses)
        return Progress(
            segment=Segment("steps", 1, 2),
            best=Validation(1.0, 1.0, 1),
            evaluations=len(points),
            since_best=len(points),
            history=before + points,
        )

    assert not goes_on(1.5, 1.4, 1.3, 1.2, 1.1).has_turned
    assert goes_on(1.2, 1.1, 1.2, 1.3, 1.4).has_turned
