"""Models that `--from` names: which go together, and what a classifier takes over from them."""

from dataclasses import replace
from typing import Any

import pytest

from charrnn.errors import UsageError
from charrnn.text.byte import ByteTokenizer
from charrnn.training.origins import Origins, inherited_by_classifier, load_origins, paired, single
from charrnn.training.request import Origin, settled
from tests.checkpoint.handmade import small

AHEAD = Origin("ahead", small())
BACK = Origin("back", small(backward=True, embedding_size=5))
FIT = "train both on the same text with the same flags; only --embedding may differ"


def back(**shape: Any) -> Origin:
    return Origin("back", small(backward=True, **shape))


def test_a_pair_is_the_same_in_either_order_and_one_alone_has_its_direction() -> None:
    assert paired([AHEAD, BACK]) == paired([BACK, AHEAD]) == Origins(AHEAD, BACK)
    assert paired([BACK]) == Origins(None, BACK)
    assert paired([AHEAD]) == Origins(AHEAD, None)
    assert paired([]) is None
    assert Origins(AHEAD, BACK).name == "ahead and back"
    assert Origins(None, BACK).tensors == (None, BACK.checkpoint.tensors)


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (
            [AHEAD, AHEAD],
            "--from ahead --from ahead: both read forwards",
            "train one of them with --backward and the other without",
        ),
        (
            [BACK, BACK],
            "--from back --from back: both read backwards",
            "train one of them with --backward and the other without",
        ),
        (
            [AHEAD, Origin("back", small(ByteTokenizer(), backward=True))],
            "--from ahead --from back: do not fit together: their vocabularies differ",
            FIT,
        ),
        *(
            ([AHEAD, back(**{field: value})], f"--from ahead --from back: do not fit together: {reason}", FIT)
            for field, value, reason in (
                ("hidden_size", 5, "--hidden is 4 and 5"),
                ("num_layers", 2, "--layers is 1 and 2"),
                ("cell", "gru", "--cell is rnn and gru"),
                ("nonlinearity", "relu", "--nonlinearity is tanh and relu"),
                ("zoneout", 0.5, "--zoneout is 0.0 and 0.5"),
            )
        ),
    ],
)
def test_models_that_are_no_pair_are_refused(given: list[Origin], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        paired(given)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_more_than_two_are_refused_before_any_is_read() -> None:
    with pytest.raises(UsageError) as caught:
        load_origins(["a", "b", "c"])
    assert caught.value.message == "--from a --from b --from c: 3 models"
    assert caught.value.hint == (
        "a classifier starts from two at most, one for each direction, and a language model from one"
    )


def test_a_language_model_starts_from_one() -> None:
    assert single([AHEAD]) is AHEAD
    assert single([]) is None
    with pytest.raises(UsageError) as caught:
        single([AHEAD, BACK])
    assert caught.value.message == "--from ahead --from back: a language model starts from one model"


def test_a_classifier_takes_over_the_shape_and_both_embeddings() -> None:
    corpus, net = inherited_by_classifier(Origins(AHEAD, BACK), {}, {"seed": 1, "bidirectional": True})
    assert corpus == {"level": "char"}
    shape = {"cell": "rnn", "nonlinearity": "tanh", "zoneout": 0.0, "num_layers": 1, "hidden_size": 4}
    assert net == {"seed": 1, "bidirectional": True, "embedding_size": 3 + 5, **shape}


@pytest.mark.parametrize("forward", [AHEAD, None])
def test_a_model_that_reads_backwards_needs_both_ways(forward: Origin | None) -> None:
    by = "--from ahead --from back" if forward else "--from back"
    with pytest.raises(UsageError) as caught:
        inherited_by_classifier(Origins(forward, BACK), {}, {"bidirectional": False})
    assert caught.value.message == f"--no-bidirectional contradicts {by}: back reads backwards"
    assert caught.value.hint == "leave --no-bidirectional out"
    _, net = inherited_by_classifier(Origins(AHEAD, None), {}, {"bidirectional": False})
    assert net["bidirectional"] is False


def test_a_flag_that_says_something_else_than_both_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        inherited_by_classifier(Origins(AHEAD, BACK), {}, {"embedding_size": 3})
    assert caught.value.message == (
        "--embedding 3 contradicts --from ahead --from back: it has --embedding 8"
    )


@pytest.mark.parametrize(
    ("corpus", "lines"), [({"lines": True}, True), ({"lines": False}, False), (None, False)]
)
def test_a_model_of_lines_is_the_beginning_of_another_one(corpus: Any, lines: bool) -> None:
    of_lines = replace(AHEAD.checkpoint, has_endings=True, card={"corpus": corpus})
    found, _ = settled({}, {}, Origin("ahead", of_lines))
    assert found.lines == lines


@pytest.mark.parametrize(("newline", "given"), [("lf", {}), ("keep", {"newline": "keep"})])
def test_line_ends_are_those_of_the_model_to_start_from_unless_others_are_asked_for(
    newline: str, given: dict[str, Any]
) -> None:
    origin = Origin("ahead", replace(AHEAD.checkpoint, card={"corpus": {"newline": "lf"}}))
    assert settled(given, {}, origin)[0].newline == newline
