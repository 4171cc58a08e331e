"""`charrnn sample` through the front door: text on stdout and nothing else."""

import fcntl
import json
import math
import os
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import charrnn
from charrnn.checkpoint.model import save
from charrnn.cli.sample import sample as sample_verb
from charrnn.text.byte import ByteTokenizer
from tests.checkpoint.handmade import small
from tests.cli.conftest import SMALL, tale
from tests.cli.program import Answer, Terminal, run, start, warm

ALPHABET = set(tale())


WORDS = ("sample", "-m", "tale", "-q", "--seed", "5")


def text_of(answer: Answer) -> str:
    """The text of a sample about which nothing had to be said."""
    assert (answer.status, answer.stderr) == (0, "")
    return answer.text


def sample(*words: str, given: bytes | None = None) -> str:
    """The text of a quiet, seeded sample of the run `tale`."""
    return text_of(warm(*WORDS, *words, given=given))


pytestmark = pytest.mark.usefixtures("model")


def test_the_prompt_comes_first_in_the_same_stream_and_no_echo_leaves_it_out() -> None:
    told = sample("--prompt", "the cat ", "--length", "40")
    bare = sample("--prompt", "the cat ", "--length", "40", "--no-echo")
    assert told == "the cat " + bare
    assert len(bare) == 40


def test_length_counts_generated_characters_and_defaults_to_500() -> None:
    assert len(sample()) == 500
    assert set(sample()) <= ALPHABET


def test_a_pipe_gets_the_text_alone() -> None:
    text = text_of(run(*WORDS, "--length", "30"))
    assert len(text) == 30  # not one character more: no closing newline
    assert text == sample("--length", "30")


@pytest.mark.parametrize("text", ["the", "the\n", "the\r\n"])
def test_one_final_newline_of_standard_input_is_dropped(text: str) -> None:
    expected = sample("--prompt", "the", "--length", "20")
    assert sample("--length", "20", given=text.encode()) == expected


def test_only_one_newline_is_dropped_and_none_of_an_argument() -> None:
    expected = sample("--prompt", "the\n", "--length", "20")
    assert expected.startswith("the\n")
    assert sample("--length", "20", given=b"the\n\n") == expected


def test_a_stop_text_that_the_model_cannot_write_is_said_to_end_nothing() -> None:
    said = "--stop has a character that is not in the model's vocabulary: it will end no text"
    loud = ("sample", "-m", "tale", "--seed", "1", "--length", "20")
    answer = run(*loud, "--stop", "a\u20ac")
    assert (answer.status, said in answer.stderr) == (0, True)
    assert answer.text == run(*loud).text
    endless = run("sample", "-m", "tale", "--length", "0", "--stop", "\u20ac", "--json")
    assert endless.lines[1].startswith("charrnn: error: --length 0 --json: nothing ends a text of this model")
    assert said not in run(*loud, "--stop", "the").stderr


def test_a_file_a_socket_and_a_pipe_on_standard_input_are_prompts(tmp_path: Path) -> None:
    expected = sample("--prompt", "then", "--length", "20")
    (tmp_path / "prompt").write_text("then\n")
    with (tmp_path / "prompt").open("rb") as file:
        assert text_of(run(*WORDS, "--length", "20", stdin=file)) == expected
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"then\n")
        ours.shutdown(socket.SHUT_WR)
        assert text_of(run(*WORDS, "--length", "20", stdin=theirs)) == expected
    assert text_of(run(*WORDS, "--length", "20", given=b"then\n")) == expected


def test_an_empty_standard_input_is_an_empty_prompt() -> None:
    expected = sample("--prompt", "", "--length", "20")
    assert sample("--length", "20", given=b"") == expected
    assert sample("--length", "20", given=b"\n") == expected
    assert sample("--length", "20") == expected  # /dev/null is nothing that anybody gave


def test_standard_input_is_left_alone_where_there_is_a_prompt() -> None:
    read, write = os.pipe()  # nobody ever writes to it or closes it: reading would wait for ever
    try:
        answer = run(*WORDS, "--prompt", "the", "--length", "5", stdin=read)
        assert text_of(answer).startswith("the")
    finally:
        os.close(read)
        os.close(write)


def test_after_two_seconds_of_silence_a_line_says_what_is_awaited() -> None:
    with start("sample", "-m", "tale", "--seed", "5", "--length", "5", stdin=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stdin is not None
        line = process.stderr.readline()
        expected = "waiting for a prompt on standard input (end it with Ctrl-D, or give it as an argument)"
        assert line.decode() == f"charrnn: {expected}\n"
        stdout, rest = process.communicate(b"the\n")
    assert (process.returncode, rest) == (0, b"")
    assert stdout.decode() == sample("--prompt", "the", "--length", "5")


def test_sample_i_of_many_is_the_sample_of_seed_plus_i() -> None:
    alone = [warm("sample", "--seed", str(5 + i), "--length", "60", "-q").text for i in range(3)]
    assert len(set(alone)) == 3
    together = sample("-n", "3", "--length", "60")
    assert together == "".join(
        text + ("" if i == 2 else "\n" if text.endswith("\n") else "\n\n") for i, text in enumerate(alone)
    )


def test_samples_are_parted_by_one_empty_line() -> None:
    # The words of the tale have no line ends, and the stop text ends each sample before the first.
    texts = sample("-n", "4", "--length", "0", "--stop", "\n", "--prompt", "x").split("\n\n")
    assert len(texts) == 4
    assert all(text.startswith("x") and "\n" not in text for text in texts)


def test_the_first_of_a_great_many_samples_does_not_wait_for_the_others() -> None:
    with start("sample", "-n", str(10**12), "--length", "5", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()


def test_seeds_wrap_around_at_the_end() -> None:
    last = str(2**64 - 1)
    described = warm("sample", "--seed", last, "-n", "2", "--length", "5", "--json", "-q").text.splitlines()
    assert [json.loads(line)["seed"] for line in described] == [2**64 - 1, 0]


def test_a_longer_sample_only_appends() -> None:
    longest = sample("--length", "300")
    for length in (1, 17, 100):
        assert sample("--length", str(length)) == longest[:length]


def test_the_text_ends_before_the_stop_text_which_is_not_printed() -> None:
    whole = sample("--length", "300")
    stop = whole[40:42]
    assert sample("--length", "300", "--stop", stop) == whole[: whole.index(stop)]


def test_a_stop_text_that_never_comes_changes_nothing() -> None:
    whole = sample("--length", "100")
    # Its beginning is held back again and again, and at the very end too.
    assert sample("--length", "100", "--stop", whole[-3:] + "#") == whole
    assert sample("--length", "100", "--stop", "") == whole


def test_a_stop_text_that_is_not_utf_8_could_never_come_and_is_refused() -> None:
    answer = warm(*WORDS, "--length", "9", "--stop", "\udcff")
    assert (answer.status, answer.text) == (2, "")
    assert answer.stderr == "charrnn: error: --stop: is not UTF-8\n"


def test_what_a_text_without_an_end_would_keep_from_being_written_is_refused() -> None:
    answer = warm(*WORDS, "--length", "0", "--json")
    assert (answer.status, answer.text) == (2, "")
    assert answer.stderr == (
        "charrnn: error: --length 0 --json: nothing ends a text of this model, so none would be written\n"
        "hint: --length N or --stop TEXT ends it; without --json it comes as it grows\n"
    )
    several = warm(*WORDS, "--length", "0", "-n", "3")
    assert (several.status, several.text) == (2, "")
    assert several.stderr.startswith("charrnn: error: --length 0 -n 3: nothing ends a text of this model")
    ended = warm(*WORDS, "--length", "0", "--json", "--stop", "e")
    assert "e" not in json.loads(text_of(ended))["text"]


def test_a_seed_that_nobody_gave_is_one_that_any_reader_of_json_reads_exactly(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda end: end - 1)
    sample_verb(model="tale", prompt="", length=5, count=3, json=True, quiet=True)
    found = [json.loads(line)["seed"] for line in capfd.readouterr().out.splitlines()]
    assert found == [2**53 - 4, 2**53 - 3, 2**53 - 2]


def test_json_has_one_line_a_sample() -> None:
    answer = warm("sample", "--seed", "5", "-n", "2", "--length", "30", "--prompt", "thé\n", "--json", "-q")
    assert answer.stdout.isascii()
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert [set(line) for line in found] == [{"prompt", "text", "seed", "bits_per_char"}] * 2
    assert [(line["prompt"], line["seed"]) for line in found] == [("thé\n", 5), ("thé\n", 6)]
    assert found[0]["text"] == sample("--prompt", "thé\n", "--length", "30", "--no-echo")


def test_bits_per_char_are_those_of_the_model_whatever_the_temperature() -> None:
    words = ("--prompt", "the ", "--length", "25", "--seed", "3", "--temp", "1.5", "-q", "--json")
    found = json.loads(warm("sample", *words).text)
    text = "the " + found["text"]
    views = warm("inspect", "next", text, "--each", "-k", "1000", "--json", "-q").text.splitlines()
    bits = []
    for view, character in list(zip(map(json.loads, views), text, strict=False))[4:]:
        bits += [-math.log2(token["probability"]) for token in view["next"] if token["text"] == character]
    assert len(bits) == 25
    # Texts may be written with weights of 16 bits.
    assert found["bits_per_char"] == pytest.approx(sum(bits) / 25, rel=1e-4)


def test_temperature_zero_is_the_likeliest_character_whatever_the_seed() -> None:
    words = ("sample", "--temp", "0", "--length", "80", "-q", "--seed")
    text = warm(*words, "1").text
    assert warm(*words, "2").text == text
    view = json.loads(warm("inspect", "next", "", "-k", "10", "--json", "-q").text)
    likeliest = next(token["text"] for token in view["next"] if "reserved" not in token)
    assert text[0] == likeliest
    assert sample("--length", "80", "--top-k", "1") == text
    assert sample("--length", "80", "--min-p", "1") == text
    assert sample("--length", "80", "--top-p", "1e-9") == text
    assert sample("--length", "80", "--temp", "1e-30") == text


def test_filters_that_let_everything_through_change_nothing() -> None:
    everything = sample("--length", "80")
    assert sample("--length", "80", "--top-k", "1000000000", "--top-p", "1", "--min-p", "0") == everything


def test_unk_is_never_drawn_even_by_a_model_that_says_nothing_else() -> None:
    checkpoint = small()
    bias = checkpoint.tensors["model.output.bias"] + 1000 * (np.arange(6) == checkpoint.tokenizer.unknown)
    tensors = checkpoint.tensors | {"model.output.bias": bias.astype(np.float32)}
    save(Path("mute"), replace(checkpoint, tensors=tensors, has_endings=False))
    view = json.loads(warm("inspect", "next", "", "-m", "mute", "-k", "1", "--json").text)
    assert view["next"][0]["reserved"] == "<unk>"
    text = text_of(run("sample", "-m", "mute", "--seed", "1", "--length", "50", "-q"))
    assert len(text) == 50
    assert set(text) <= {"\n", "a", "b", "😀"}


def test_at_a_high_temperature_every_character_comes_and_no_other() -> None:
    assert set(sample("--temp", "100", "--length", "3000")) == ALPHABET


def test_byte_level_output_is_whole_characters_at_every_flush() -> None:
    save(Path("bytes"), replace(small(ByteTokenizer()), has_endings=False))
    words = ("sample", "-m", "bytes", "--temp", "100", "--length", "4000", "--seed", "1", "-q")
    with start(*words) as process:
        assert process.stdout is not None
        pieces = []
        while piece := os.read(process.stdout.fileno(), 65_536):
            pieces.append(piece)
            b"".join(pieces).decode()  # strictly: a character cut in two would fail
    assert process.returncode == 0
    assert len(pieces) > 1
    text = b"".join(pieces).decode()
    assert len(text) == 4000
    assert {len(character.encode()) for character in text} == {1, 2, 3, 4}


def test_unknown_characters_of_a_prompt_are_read_as_unk_and_named() -> None:
    answer = warm("sample", "-m", "tale", "--prompt", "thé ßé", "--seed", "1", "--length", "5")
    assert answer.lines == ['charrnn: not in the model\'s vocabulary, read as <unk>: "é", "ß"']
    assert answer.text.startswith("thé ßé")
    many = warm("sample", "-m", "tale", "--prompt", "ÀÁÂÃÄÅÆ", "--seed", "1", "--length", "5")
    assert many.lines == [
        'charrnn: not in the model\'s vocabulary, read as <unk>: "À", "Á", "Â", "Ã", "Ä", and 2 more'
    ]
    five = warm("sample", "-m", "tale", "--prompt", "ÀÁÂÃÄ", "--seed", "1", "--length", "5")
    assert five.lines[0].endswith('"Ã", "Ä"')


def test_unknown_skip_reads_the_prompt_without_them() -> None:
    skipped = sample("--prompt", "théé", "--unknown", "skip", "--length", "30", "--no-echo")
    assert skipped == sample("--prompt", "th", "--length", "30", "--no-echo")
    assert skipped != sample("--prompt", "théé", "--length", "30", "--no-echo")


def test_unknown_error_lists_them_with_their_code_points() -> None:
    answer = warm("sample", "-m", "tale", "--prompt", "t\x1bé", "--unknown", "error")
    assert (answer.status, answer.stdout) == (2, b"")
    assert answer.lines == [
        "charrnn: error: the prompt has characters that the model has never seen: "
        '"^[" (U+001B), "é" (U+00E9)',
        "hint: --unknown unk reads them as <unk>, --unknown skip leaves them out",
    ]


def test_a_seed_that_was_drawn_is_named_and_gives_the_same_text_again() -> None:
    drawn = warm("sample", "-m", "tale", "--length", "60")
    (line,) = drawn.lines
    name, seed = line.rsplit(" ", 1)
    assert name == "charrnn: seed"
    assert warm("sample", "-m", "tale", "--length", "60", "--seed", seed).stdout == drawn.stdout
    assert warm("sample", "-m", "tale", "--length", "60").lines != drawn.lines  # another is drawn


def test_a_model_is_named_by_run_folder_or_file(model: Path) -> None:
    expected = sample("--length", "10")
    for name in (str(model.relative_to(Path.cwd())), str(model / "model.safetensors")):
        assert warm("sample", "-m", name, "--seed", "5", "--length", "10", "-q").text == expected


def test_a_model_that_was_not_named_is_said() -> None:
    words = ("sample", "--seed", "5", "--length", "10")
    assert warm(*words).lines == ["charrnn: model tale (the newest run)"]
    chosen = run(*words, env={"CHARRNN_MODEL": "tale"})
    assert chosen.lines == ["charrnn: model tale ($CHARRNN_MODEL)"]
    assert warm(*words, "-q").stderr == warm(*words, "-m", "tale").stderr == ""


def test_the_newest_run_is_meant_and_a_run_in_training_is_said_to_be() -> None:
    newest = Path("checkpoints/aaa")
    newest.mkdir()
    save(newest / "model.safetensors", small())
    os.utime(newest / "model.safetensors", (1, 1))  # what counts stands in the file
    with (newest / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = warm("sample", "--seed", "5", "--length", "1")
    assert answer.lines == ["charrnn: model aaa (the newest run, still training)"]


def test_a_sample_ends_by_itself_where_the_corpus_had_several_documents() -> None:
    save(Path("several"), small())
    words = ("sample", "-m", "several", "--length", "0", "--seed", "1", "-n", "5", "--json", "-q")
    texts = [json.loads(line)["text"] for line in warm(*words).text.splitlines()]
    assert len({len(text) for text in texts}) > 1
    assert len(texts) == 5


def test_sampling_never_imports_torch() -> None:
    answer = run("sample", "--length", "20", "--prompt", "the", env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip() for line in answer.lines if line.startswith("import time")}
    assert "numpy" in imported
    assert "torch" not in imported


def test_python_gives_the_text_that_the_command_line_gives() -> None:
    loaded = charrnn.load("tale")
    assert "".join(loaded.generate("the ", length=50, seed=5)) == sample(
        "--prompt", "the ", "--length", "50", "--no-echo"
    )


def test_a_terminal_gets_a_closing_newline_where_the_text_lacks_one_and_is_never_read() -> None:
    words = ("sample", "-m", "tale", "--seed", "5", "--length", "60", "--stop", "\n", "-q")
    with Terminal(*words) as terminal:
        status, text = terminal.finish()
    assert status == 0
    assert text == warm(*words).text + "\r\n"


def test_a_model_of_bytes_is_prompted_with_any_bytes_which_are_echoed() -> None:
    Path("tale.txt").write_text(tale())
    assert warm("train", "tale.txt", *SMALL, "--level", "byte", "--name", "bytes").status == 0
    given = b"\xff\xc3(a\n\x80"
    answer = warm("sample", "-m", "bytes", "--length", "3", "--seed", "1", "-q", given=given)
    assert (answer.status, answer.stdout[: len(given)]) == (0, given)
    described = warm("sample", "-m", "bytes", "--length", "3", "--seed", "1", "-q", "--json", given=given)
    assert json.loads(described.text)["prompt"] == given.decode("utf-8", "replace")
    shown = warm("inspect", "next", "-m", "bytes", "--json", "-q", given=given)
    assert json.loads(shown.text)["text"] == given.decode("utf-8", "replace")
    assert warm("inspect", "gradients", "-m", "bytes", "--json", "-q", given=given).status == 0
