"""Two columns of facts, on a terminal and elsewhere."""

import pytest

from charrnn.terminal.cards import print_card
from charrnn.terminal.model_card import facts
from tests.terminal.drawing import console

HOSTILE = "\x1b]0;title\x07[red]x[/][/] :smile: \u202e"
INERT = "^[]0;title^G[red]x[/][/] :smile: \\u{202e}"


def test_elsewhere_a_fact_is_one_line_however_long_and_however_narrow() -> None:
    screen, file = console(width=20)
    print_card(screen, [("model", "x" * 100), ("", "y y y"), ("started from", "z")])
    assert file.getvalue() == f"model        {'x' * 100}\n             y y y\nstarted from z\n"


def test_on_a_terminal_long_values_wrap_under_themselves() -> None:
    screen, file = console(terminal=True, width=20)
    print_card(screen, [("model", "abc " * 5)])
    lines = [line.replace("\x1b[36m", "").replace("\x1b[0m", "") for line in file.getvalue().splitlines()]
    assert [line.rstrip() for line in lines] == ["model  abc abc abc", "       abc abc"]


@pytest.mark.parametrize("terminal", [True, False])
def test_foreign_text_in_a_card_is_inert(terminal: bool) -> None:
    screen, file = console(terminal=terminal)
    print_card(screen, [("corpus", HOSTILE)])
    text = file.getvalue().replace("\x1b[36m", "").replace("\x1b[0m", "")
    assert INERT in text
    assert "\x1b" not in text


def test_a_model_card_leaves_out_what_a_file_does_not_say() -> None:
    bare = {
        "name": "x",
        "path": "x/model.safetensors",
        "cell": "rnn",
        "nonlinearity": "relu",
        "num_layers": 2,
        "hidden_size": 8,
        "embedding_size": 4,
        "backward": False,
        "parameters": 999_999,
        "vocab_size": 6,
        "level": "char",
        "created": "today",
        "digest": "sha256:0",
        "non_finite": {},
    }
    assert facts(bare) == [
        ("name", "x"),
        ("file", "x/model.safetensors"),
        ("model", "rnn (relu) 2×8, embedding 4, 1.00 M parameters"),
        ("vocabulary", "6 ids at level char"),
        ("created", "today"),
        ("digest", "sha256:0"),
    ]
    backward = dict(facts(bare | {"backward": True}))["model"]
    assert backward == "rnn (relu) 2×8 backwards, embedding 4, 1.00 M parameters"
    corpus = {"sources": ["a", "b"], "characters": 1234, "documents": 2, "digest": "abc"}
    trained = {"finished": False, "seconds": 61.0, "steps": 2000, "tokens": 5e6, "epochs": 1.5}
    validation = {"tokens": 1000, "of": 5000, "bits_per_byte": 2.0, "nats_per_token": 1.4}
    told = facts(
        bare
        | {"corpus": corpus, "trained": trained, "validation": validation, "from": "y", "level": "byte"}
        | {"non_finite": {"model.output.bias": 3}}
    )
    assert dict(told)["corpus"] == "a b: 1,234 bytes in 2 documents"
    assert dict(told)["started from"] == "y"
    assert dict(told)["trained"] == "1:01, 2,000 steps, 5.00 M tokens, 1.50 epochs, not finished"
    assert dict(told)["validation"] == "2.0000 bits/byte, 1.4000 nats/token, on 1,000 of 5,000 tokens"
    assert told[-1] == ("damaged", "3 non-finite values in model.output.bias")
