"""`charrnn inspect` through the front door: findings for programs and for people."""

import codecs
import gzip
import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import charrnn
from charrnn.checkpoint.model import Checkpoint, save
from charrnn.cli.inspect import inspect as inspect_view
from charrnn.inference import language_model
from charrnn.inference.softmax import log_softmax
from charrnn.inspection.sentences import BLANK, SENTENCES
from charrnn.terminal import reading
from charrnn.text.byte import ByteTokenizer
from charrnn.text.char import CharTokenizer
from charrnn.text.tokenizer import Tokenizer
from charrnn.text.word import WordTokenizer
from tests.checkpoint.handmade import small
from tests.cli.conftest import tale
from tests.cli.program import Answer, Terminal, run, shown, warm

pytestmark = pytest.mark.usefixtures("model")

FORMATS = Path(charrnn.__file__).parents[1] / "docs" / "formats.md"
# A net of 16 units over the tale's 18 characters and two reserved ids, counted by hand: embedding, the three
# gates' weights and biases, output and its bias.
VOCABULARY = len(set(tale()[: int(0.9 * len(tale()))])) + 2
PARAMETERS = VOCABULARY * 32 + 3 * 16 * (32 + 16 + 1) + VOCABULARY * (16 + 1)


def inspect(*words: str, given: bytes | None = None) -> Answer:
    """What a quiet inspection of the run `tale` answers."""
    answer = warm("inspect", *words, "-m", "tale", given=given)
    assert (answer.status, answer.stderr) == (0, "")
    return answer


def view(*words: str, given: bytes | None = None) -> Any:
    """Its one line of JSON."""
    return json.loads(inspect(*words, "--json", given=given).text)


def likeliest(text: str) -> Any:
    """All tokens after a text, the likeliest first."""
    return view("next", text, "-k", "1000")["next"]


def log() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("checkpoints/tale/log.jsonl").read_text().splitlines()]


def test_the_card_for_programs_has_at_least_these_keys() -> None:
    card = view()
    finished = log()[-1]
    expected = {
        "name": "tale",
        "task": "language-model",
        "level": "char",
        "cell": "gru",
        "num_layers": 1,
        "hidden_size": 16,
        "parameters": PARAMETERS,
        "vocab_size": VOCABULARY,
    }
    assert {key: card[key] for key in expected} == expected
    assert card["digest"].startswith("sha256:")
    assert card["corpus"]["digest"] == hashlib.sha256(tale().encode()).hexdigest()
    training = int(0.9 * len(tale()))
    assert card["trained"]["tokens"] >= 30 * 900
    assert card["trained"]["epochs"] == pytest.approx(card["trained"]["tokens"] / training, rel=0.01)
    assert 0 < card["trained"]["seconds"] <= finished["seconds"]
    assert {key: card["validation"][key] for key in ("nats_per_token", "bits_per_byte", "tokens")} == (
        finished["validation"]
    )
    assert card["validation"]["tokens"] == len(tale()) - training
    # One byte a character, all of them known.
    assert card["validation"]["bits_per_byte"] == pytest.approx(
        card["validation"]["nats_per_token"] / math.log(2)
    )


def test_the_card_for_people_has_a_fact_a_line() -> None:
    card = view()
    lines = inspect().text.splitlines()
    trained, validation = card["trained"], card["validation"]
    spent = f"0:{round(trained['seconds']):02}"
    assert lines[:10] == [
        "name         tale",
        "file         checkpoints/tale/model.safetensors",
        f"model        gru 1×16, embedding 32, {PARAMETERS / 1000:.2f} k parameters",
        f"vocabulary   {VOCABULARY} ids at level char",
        f"corpus       tale.txt: {len(tale()):,} characters in 1 document",
        f"             sha256 {card['corpus']['digest']}",
        f"trained      {spent}, 30 steps, {trained['tokens'] / 1000:.1f} k tokens, "
        f"{trained['epochs']:.2f} epochs",
        f"validation   {validation['bits_per_byte']:.4f} bits/byte, "
        f"{validation['nats_per_token']:.4f} nats/token, on {validation['tokens']:,} tokens",
        f"yardstick    {card['yardstick']['bits_per_byte']:.4f} bits/byte by xz",
        "settings     " + ", ".join(f"{key} {value}" for key, value in card["settings"].items()),
    ]
    assert lines[10:] == [
        f"created      {card['created']}",
        "versions     " + ", ".join(f"{key} {value}" for key, value in card["versions"].items()),
        f"digest       {card['digest']}",
        f"engine       {card['engine']}",
    ]


def test_a_card_is_found_by_name_folder_and_file_before_or_after() -> None:
    expected = inspect().stdout
    assert warm("inspect", "tale").stdout == expected
    assert warm("inspect", "checkpoints/tale").stdout == expected
    assert warm("inspect", "checkpoints/tale/model.safetensors").stdout == expected
    newest = warm("inspect")
    assert (newest.stdout, newest.lines) == (expected, ["charrnn: model tale (the newest run)"])


def test_a_model_with_weights_that_are_no_numbers_can_be_looked_at() -> None:
    checkpoint = small()
    bias = checkpoint.tensors["model.output.bias"] * math.nan
    save(Path("bad"), replace(checkpoint, tensors=checkpoint.tensors | {"model.output.bias": bias}))
    answer = warm("inspect", "bad")
    assert answer.text.splitlines()[-1] == f"damaged      {len(bias)} non-finite values in model.output.bias"
    assert json.loads(warm("inspect", "bad", "--json").text)["non_finite"] == {"model.output.bias": len(bias)}


def test_the_model_may_stand_before_and_after_the_view() -> None:
    after = warm("inspect", "next", "the", "-m", "tale", "--json")
    before = warm("inspect", "-m", "tale", "next", "the", "--json")
    between = warm("inspect", "next", "--model", "tale", "the", "--json")
    assert after.stdout == before.stdout == between.stdout
    assert after.status == before.status == between.status == 0


def test_next_gives_a_distribution_over_the_vocabulary_sorted() -> None:
    tokens = likeliest("the")
    probabilities = [token["probability"] for token in tokens]
    assert len(tokens) == VOCABULARY
    assert {token["text"] for token in tokens if "reserved" not in token} == set(tale())
    assert [token["reserved"] for token in sorted(tokens, key=lambda token: token["id"])[:2]] == [
        "<boundary>",
        "<unk>",
    ]
    assert sum(probabilities) == pytest.approx(1)
    assert probabilities == sorted(probabilities, reverse=True)
    assert [token["bits"] for token in tokens] == pytest.approx([-math.log2(p) for p in probabilities])


def test_every_field_of_next_is_named_where_formats_are() -> None:
    lines = FORMATS.read_text("utf-8").splitlines()
    row = next(line for line in lines if line.startswith("| `inspect next`"))
    found = view("next", "the", "-k", "1000")
    fields = {*found, *(field for token in found["next"] for field in token)}
    assert "reserved" in fields
    assert {field for field in fields if f"`{field}`" not in row} == set()


def test_next_shows_bars_probabilities_bits_and_code_points() -> None:
    tokens = view("next", "th", "-k", "3")["next"]
    title, header, *rows = inspect("next", "th", "-k", "3").text.splitlines()
    assert title == 'after "th"'
    assert header.split() == ["next", "probability", "bits", "code", "point"]
    names = {" ": "space", "\n": "newline"}
    for row, token in zip(rows, tokens, strict=True):
        name, bar, *cells = row.split()
        assert name == names.get(token["text"], token["text"])
        assert len(bar) == math.ceil(round(token["probability"] * 30 * 8) / 8)
        assert cells == [
            f"{token['probability']:.2%}",
            f"{token['bits']:.2f}",
            f"U+{ord(token['text']):04X}",
        ]


def test_a_table_in_a_pipe_is_neither_wrapped_nor_cut_nor_emptied() -> None:
    text = "the \x1b\u202e\U000f0000" * 20
    words = ("inspect", "next", text, "-k", "2", "-q")
    expected = run(*words)
    for columns in ("0", "20"):
        assert run(*words, env={"COLUMNS": columns}) == expected
    # The last 40 characters, made visible.
    assert (
        expected.text.splitlines()[0]
        == 'after "…e ^[\\u{202e}\\u{f0000}' + "the ^[\\u{202e}\\u{f0000}" * 5 + '"'
    )


def test_each_looks_at_every_position() -> None:
    lines = [
        json.loads(line) for line in inspect("next", "then", "--each", "-k", "4", "--json").text.splitlines()
    ]
    assert [line["text"] for line in lines] == ["", "t", "th", "the", "then"]
    assert lines[-1] == view("next", "then", "-k", "4")
    assert lines[2] == view("next", "th", "-k", "4")
    tables = inspect("next", "then", "--each", "-k", "1").text.split("\n\n")
    titles = [table.splitlines()[0] for table in tables]
    assert titles == ["after nothing", 'after "t"', 'after "th"', 'after "the"', 'after "then"']


def test_next_scores_every_position_only_where_each_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scored: list[int] = []

    def spied(scores: NDArray[np.float32]) -> NDArray[np.float64]:
        scored.append(scores.size)
        return log_softmax(scores)

    monkeypatch.setattr(language_model, "log_softmax", spied)
    inspect_view("next", "then", ["tale"], quiet=True)
    last = capsys.readouterr().out
    assert scored == [VOCABULARY]
    inspect_view("next", "then", ["tale"], each=True, quiet=True)
    assert scored == [VOCABULARY] * 6
    assert capsys.readouterr().out.endswith("\n\n" + last)


def test_next_reads_a_pipe_and_drops_its_last_newline() -> None:
    expected = view("next", "th")
    assert view("next", given=b"th\n") == expected
    assert view("next") == view("next", given=b"") == view("next", "")


def test_unknown_characters_are_named_and_still_stand_in_the_text() -> None:
    answer = warm("inspect", "next", "té", "-m", "tale", "--each", "-k", "1", "--json")
    assert answer.lines == ['charrnn: not in the model\'s vocabulary, read as <unk>: "é"']
    assert [json.loads(line)["text"] for line in answer.text.splitlines()] == ["", "t", "té"]


def test_a_certain_character_has_no_bits_not_minus_none() -> None:
    checkpoint = small()
    bias = checkpoint.tensors["model.output.bias"].copy()
    bias[2] = 1e6
    save(Path("sure"), replace(checkpoint, tensors=checkpoint.tensors | {"model.output.bias": bias}))
    rows = warm("inspect", "next", "", "-m", "sure", "-k", "2").text.splitlines()[2:]
    assert rows[0].split()[2:] == ["100.00%", "0.00", "U+000A"]
    assert rows[1].split()[-2:] == ["0.00%", "inf"]
    described = json.loads(warm("inspect", "next", "", "-m", "sure", "-k", "2", "--json").text)["next"]
    assert [token["bits"] for token in described] == [0.0, None]


def test_bytes_are_shown_as_bytes_where_they_are_no_character() -> None:
    save(Path("bytes"), byte_model())
    answer = warm("inspect", "next", "é", "-m", "bytes", "--each", "-k", "257", "--json")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["text"] for line in lines] == ["", "\ufffd", "é"]
    table = warm("inspect", "next", "", "-m", "bytes", "-k", "257").text.splitlines()[2:]
    ends = {tuple(row.split()[-1:]) if row.startswith("byte") else ("U+",) for row in table}
    assert ends == {("U+",), *((f"0x{byte:02X}",) for byte in range(0x80, 0x100))}


def byte_model() -> Checkpoint:
    return small(ByteTokenizer())


def test_surprise_in_a_pipe_has_a_line_of_three_cells_a_line() -> None:
    Path("two").write_text("the cat\nsat on")
    lines = [line.split("\t") for line in inspect("surprise", "two").text.splitlines()]
    found = view("surprise", "two")
    assert [(line[0], line[2]) for line in lines] == [("1", "the cat"), ("2", "sat on"), ("all", "two")]
    assert [line[1] for line in lines] == [
        *(f"{line['bits_per_byte']:.4f}" for line in found["lines"]),
        f"{found['bits_per_byte']:.4f}",
    ]


def test_surprise_adds_up_what_next_says_of_each_character() -> None:
    Path("text").write_text("the cat\nsat")
    found = view("surprise", "text")
    views = map(
        json.loads, inspect("next", "the cat\nsat", "--each", "-k", "1000", "--json").text.splitlines()
    )
    bits = [
        next(token["bits"] for token in position["next"] if token["text"] == character)
        for position, character in zip(views, "the cat\nsat", strict=False)
    ]
    assert found["bits_per_byte"] == pytest.approx(sum(bits) / 11)
    assert found["nats_per_token"] == pytest.approx(sum(bits) / 11 * math.log(2))
    assert (found["source"], found["bytes"], found["tokens"]) == ("text", 11, 11)
    assert [(line["line"], line["text"], line["bytes"]) for line in found["lines"]] == [
        (1, "the cat\n", 8),
        (2, "sat", 3),
    ]
    assert found["lines"][0]["bits_per_byte"] == pytest.approx(sum(bits[:8]) / 8)


def test_a_character_outside_the_vocabulary_costs_unk_and_8_bits_a_byte() -> None:
    unk = next(token["bits"] for token in likeliest("") if token.get("reserved") == "<unk>")
    assert view("surprise", given="é".encode())["bits_per_byte"] == pytest.approx((unk + 16) / 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_what_the_bytes_are_and_is_no_text(encoding: str) -> None:
    assert view("surprise", given="the".encode(encoding)) == view("surprise", given=b"the")


def test_a_text_cut_short_after_its_byte_order_mark_is_refused() -> None:
    answer = warm("inspect", "surprise", "-m", "tale", given="the".encode("utf-16")[:-1])
    assert (answer.status, answer.text) == (3, "")
    assert answer.lines[0].startswith("charrnn: error: standard input: not UTF-16-LE")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"abc\xe9def\n", "UTF-8 at byte 3 (0xE9)"),
        (codecs.BOM_UTF8 + b"abc\xe9def\n", "UTF-8 at byte 6 (0xE9), line 1"),
        (codecs.BOM_UTF16_LE + b"a\0\0\xd8b\0", "UTF-16-LE at byte 4 (0x00), line 1"),
    ],
)
def test_surprise_advises_no_flag_that_it_has_not(data: bytes, error: str) -> None:
    Path("text").write_bytes(data)
    assert warm("inspect", "surprise", "text", "-m", "tale").lines == [
        f"charrnn: error: text: not {error}",
        "hint: iconv -f ENCODING -t UTF-8 converts it",
    ]


def test_surprise_takes_standard_input_and_a_pipe_by_name() -> None:
    Path("text").write_text("then\n")
    expected = view("surprise", "text") | {"source": "standard input"}
    assert view("surprise", given=b"then\n") == view("surprise", "-", given=b"then\n") == expected
    piped = run("inspect", "surprise", "/dev/stdin", "-m", "tale", "--json", given=b"then\n")
    assert json.loads(piped.text) == expected | {"source": "/dev/stdin"}


@pytest.mark.parametrize(
    ("tokenizer", "progress"),
    [
        (ByteTokenizer(), "14 of 14 bytes"),
        (CharTokenizer.from_codepoints(sorted(map(ord, set("the cat sat é")))), "13 of 13 chars"),
        (WordTokenizer(["the", " ", "cat", "sat", "é"]), "7 of 7 tokens"),
    ],
)
def test_progress_counts_what_is_read(
    tokenizer: Tokenizer, progress: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reading, "SHOWN_AFTER", 0.0)
    Path("text").write_text("the cat sat é")
    save(Path("model"), small(tokenizer))
    for subject in (("surprise", "text"), ("next", "the cat sat é")):
        inspect_view(*subject, ["model"])
        assert capsys.readouterr().err == f"charrnn: reading: {progress}\n"


@pytest.mark.parametrize("nothing", [b"", codecs.BOM_UTF8])
def test_there_is_no_surprise_of_an_empty_text(nothing: bytes) -> None:
    Path("empty.txt").write_bytes(nothing)
    for words, name in ((("empty.txt", "--json"), "empty.txt"), ((), "standard input")):
        answer = warm("inspect", "surprise", *words, "-m", "tale", given=nothing)
        assert answer == Answer(3, b"", f"charrnn: error: {name}: is empty\n")


def test_at_level_byte_any_bytes_can_surprise() -> None:
    save(Path("bytes"), byte_model())
    answer = warm("inspect", "surprise", "-m", "bytes", "--json", given=b"\xff\x00\n\x80")
    found = json.loads(answer.text)
    assert (found["bytes"], found["tokens"], len(found["lines"])) == (4, 4, 2)


def test_gradients_for_programs_have_every_figure_of_every_net() -> None:
    trained, before = (
        json.loads(line)
        for line in reversed(inspect("gradients", "the cat sat", "--untrained", "--json").text.splitlines())
    )
    assert (before["net"], trained["net"]) == ("tale untrained", "tale")
    for found in (before, trained):
        assert found["target"] == "t"
        (layer,) = found["layers"]
        assert len(layer["norms"]) == len("the cat sat")
        assert list(layer["products"]) == ["1", "2", "5", "10"]
        assert set(layer["saturated"]) == {"sigmoid", "tanh"}
        assert list(layer["far"]) == ["10", "50", "100"]
        assert "".join(step["text"] for step in found["influence"]) == "the cat sa"
    # The surprise that is looked back from is the one that `next` tells of the same character.
    (bits,) = (token["bits"] for token in likeliest("the cat sa") if token["text"] == "t")
    assert trained["nats"] == pytest.approx(bits * math.log(2), rel=1e-5)
    assert before["nats"] == pytest.approx(math.log(VOCABULARY), rel=0.1)


def test_gradients_in_a_pipe_are_a_line_a_distance() -> None:
    rows = [line.split("\t") for line in inspect("gradients", given=b"the cat sat\n").text.splitlines()]
    assert [row[:3] for row in rows] == [["tale", "1", str(distance)] for distance in range(11)]
    (layer,) = view("gradients", "the cat sat")["layers"]
    assert [float(row[3]) for row in rows] == pytest.approx(layer["norms"], rel=1e-5)


@pytest.mark.parametrize("number", [1, 2])
def test_the_sentences_end_where_the_name_should_come(number: int) -> None:
    answer = warm("inspect", "gradients", "--sentence", str(number), "--json", "-m", "tale")
    found = json.loads(answer.text)
    assert "".join(step["text"] for step in found["influence"]) == SENTENCES[number - 1]
    assert found["target"] == BLANK[0]
    assert 'read as <unk>: "J"' in answer.stderr  # this model has seen no capitals


def test_a_picture_of_gradients_needs_nothing_from_anywhere() -> None:
    assert inspect("gradients", "the cat sat", "--svg", "a.svg").stdout == b""
    picture = Path("a.svg").read_text("utf-8")
    assert picture.startswith("<svg")
    assert "url(http" not in picture
    assert "@font-face" not in picture
    assert "tenfold" in picture


def test_a_picture_goes_where_a_link_points() -> None:
    Path("pictures").mkdir()
    Path("latest.svg").symlink_to("pictures/a.svg")
    assert inspect("gradients", "the cat sat", "--svg", "latest.svg").stdout == b""
    assert Path("latest.svg").is_symlink()
    assert Path("pictures/a.svg").read_text("utf-8").startswith("<svg")


def test_runs_are_sorted_best_first_and_the_unreadable_come_last() -> None:
    for name, bits in (("worse", 9.5), ("best", 0.25), ("unscored", None)):
        Path("checkpoints", name).mkdir()
        card = {"validation": {"bits_per_byte": bits}} if bits else {}
        save(Path("checkpoints", name, "model.safetensors"), small(card=card))
    Path("checkpoints/broken").mkdir()
    Path("checkpoints/broken/model.safetensors").write_bytes(b"")
    answer = warm("inspect", "runs")
    assert answer.stderr == ""
    rows = [line.split("\t") for line in answer.text.splitlines()]
    assert [row[1] for row in rows] == ["best", "tale", "worse", "broken", "unscored"]
    tale_bits = view()["validation"]["bits_per_byte"]
    scores = [f"{bits:.4f} bits/byte" for bits in (0.25, tale_bits, 9.5)]
    assert [row[0] for row in rows] == [*scores, "", ""]
    assert rows[1][2:4] == ["char gru 1x16", f"{PARAMETERS / 1000:.2f} k"]
    path = "checkpoints/broken/model.safetensors"
    assert rows[3][2] == f"{path}: 0 bytes are too short for a charrnn checkpoint"
    described = [json.loads(line) for line in warm("inspect", "runs", "--json").text.splitlines()]
    assert [line["name"] for line in described] == [row[1] for row in rows]
    assert described[1]["bits_per_byte"] == tale_bits


def test_no_view_but_gradients_imports_torch() -> None:
    Path("text").write_text("the")
    for words in ([], ["next", "the"], ["surprise", "text"], ["runs"]):
        answer = run("inspect", *words, env={"PYTHONPROFILEIMPORTTIME": "1"})
        imported = {line.rpartition("|")[2].strip() for line in answer.lines}
        assert answer.status == 0
        assert "numpy" in imported
        assert "torch" not in imported


def test_a_terminal_gets_tables() -> None:
    Path("text").write_text("the cat\nXYZ\n")
    surprise = shown("inspect", "surprise", "text", "-m", "tale")
    assert "bits/byte" in surprise
    assert "\x1b[31mXYZ" in surprise  # unknown characters stand out in red
    runs = shown("inspect", "runs")
    assert "parameters" in runs
    assert "char gru 1x16" in runs
    card = shown("inspect", "tale")
    assert "\x1b[36mname" in card


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}])
def test_no_escape_sequence_where_the_terminal_is_to_be_plain(plain: dict[str, str]) -> None:
    for words in (["tale"], ["next", "th", "-m", "tale"], ["runs"]):
        assert "\x1b" not in shown("inspect", *words, env=plain)


def test_the_rows_of_a_table_fit_a_narrow_terminal() -> None:
    Path("text").write_text("the cat sat on the mat " * 20)
    with Terminal("inspect", "surprise", "text", "-m", "tale", columns=40, env={"NO_COLOR": "1"}) as terminal:
        _, text = terminal.finish()
    assert all(len(line) <= 40 for line in text.splitlines()[:-2])
    assert "…" in text


def test_the_surprise_of_a_packed_text_is_that_of_the_text(model: Path) -> None:
    folder = model.parents[1]
    (folder / "tale.txt.gz").write_bytes(gzip.compress((folder / "tale.txt").read_bytes()))
    plain, packed = (
        run("inspect", "surprise", name, "--json", cwd=folder) for name in ("tale.txt", "tale.txt.gz")
    )
    assert json.loads(packed.text) | {"source": ""} == json.loads(plain.text) | {"source": ""}
