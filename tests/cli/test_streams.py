"""stdout is the product, stderr is everything else, foreign text is inert, and signals are signals."""

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from charrnn.checkpoint.model import load, save
from charrnn.errors import ExitCode
from charrnn.text.char import CharTokenizer
from tests.checkpoint.handmade import equal, small
from tests.cli.conftest import tale
from tests.cli.program import (
    CALLED,
    PROGRAM,
    Answer,
    Terminal,
    ended,
    environment,
    in_shell,
    live_bytes,
    run,
    shown,
    start,
    warm,
)

# What a terminal would obey: a title, the clipboard, blinking (which we never use), C1, bidi, a rubbed-out
# letter; what Rich would: markup that colours, that closes nothing, that links, an emoji.
MARKUP = "[red]c[/] [/] [link=http://d]e[/] :smile:"
HOSTILE = "\x1b]0;x\x07\x1b]52;c;ZXZpbA==\x07\x1b[5m\x9b5m\u202e\u2066ab\x7f\x08" + MARKUP
INERT = "^[]0;x^G^[]52;c;ZXZpbA==^G^[[5m\\u{9b}5m\\u{202e}\\u{2066}ab^?^H" + MARKUP
# The longest stretch that can stand in the name of a file; "[/]" is a folder's end and a file's beginning.
NAME = HOSTILE.replace("/", "|") + "[/].txt"
INERT_NAME = INERT.replace("/", "|") + "[/].txt"
# Every way to write to stdout that a command has.
WRITERS = (
    ("sample", "-m", "tale", "--seed", "1"),
    ("inspect", "tale", "--json"),
    ("inspect", "tale"),
    ("inspect", "next", "the", "-m", "tale"),
    ("inspect", "surprise", "tale.txt", "-m", "tale"),
    ("inspect", "runs"),
    ("--help",),
    ("--version",),
)
# A step takes about a millisecond: long enough to be interrupted, short enough to be waited for.
LONG = ("--steps", "1500", "--hidden", "8", "--batch", "1", "--seq", "8", "--seed", "1")
FULL = Path("/dev/full")
ENVIRONMENTS: tuple[dict[str, str], ...] = (
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "ascii", "TERMINAL_WIDTH": "abc", "TQDM_MININTERVAL": "abc"},
    {"COLUMNS": "0", "LINES": "\u00b2", "TERM": "", "PYTHONUNBUFFERED": "1"},
    {"COLUMNS": "7", "FORCE_COLOR": "1", "HOME": "/nowhere"},
)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A checkpoint whose name, vocabulary and card are hostile."""
    tokenizer = CharTokenizer.from_codepoints(sorted(map(ord, set(HOSTILE))))
    card = {
        "task": HOSTILE,
        "corpus": {"sources": [HOSTILE], "characters": 1, "documents": 1, "digest": HOSTILE},
        "from": HOSTILE,
        "versions": {HOSTILE: HOSTILE},
        "settings": {"seed": HOSTILE},
        "yardstick": {"name": HOSTILE, "bits_per_byte": 1.0},
    }
    run_ = tmp_path / "checkpoints" / HOSTILE.replace("/", "|")
    run_.mkdir(parents=True)
    checkpoint = small(tokenizer, card)
    save(run_ / "model.safetensors", replace(checkpoint, has_endings=False))
    return run_


def train(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """A training of tale.txt that takes some seconds, when it has taken its first steps."""
    (folder / "tale.txt").write_text(tale())
    process = start("train", "tale.txt", *LONG, *words, cwd=folder)
    wait_for_a_model(process, folder)
    return process


def wait_for_a_model(process: subprocess.Popen[bytes], folder: Path) -> None:
    log = folder / "checkpoints" / "tale" / "log.jsonl"
    deadline = time.monotonic() + 60
    while not (log.exists() and '"saved"' in log.read_text()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def steps_of(name: str) -> int:
    card = json.loads(warm("inspect", name, "--json").text)
    return int(card["trained"]["steps"])


# The product


@pytest.mark.usefixtures("model")
def test_in_a_pipe_output_is_the_same_utf_8_whatever_the_environment() -> None:
    prompt = "é😀".encode()
    sample = ["sample", "-m", "tale", "--seed", "1", "--length", "9", "-q"]
    for words in (sample, ["inspect", "next", "-m", "tale", "-q"]):
        expected = run(*words, given=prompt)
        assert "é😀" in expected.text
        for change in ENVIRONMENTS:
            assert run(*words, given=prompt, env=change) == expected, change


def test_a_pipe_gets_every_character_as_it_is_even_a_hostile_one(hostile: Path) -> None:
    path = str(hostile / "model.safetensors")
    words = ("sample", "-m", path, "--prompt", HOSTILE, "--seed", "1", "--length", "200", "--temp", "9")
    answer = run(*words)
    assert answer.text.startswith(HOSTILE)
    assert set(answer.text) == set(HOSTILE)


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
def test_a_reader_that_has_seen_enough_ends_the_program_without_a_word(words: tuple[str, ...]) -> None:
    # `true` reads nothing: the first byte already finds nobody.
    answer = in_shell('{ "$@"; echo $? >status; } | true', *words)
    assert (answer.stdout, answer.stderr) == (b"", "")
    assert Path("status").read_text() == f"{128 + signal.SIGPIPE}\n"


@pytest.mark.usefixtures("model")
def test_sample_into_head_ends_by_the_signal() -> None:
    process = start("sample", "-m", "tale", "--seed", "1", "--length", "0")
    assert process.stdout is not None
    assert len(process.stdout.read(1)) == 1
    process.stdout.close()
    process.stdout = None
    answer = ended(process)
    assert (answer.status, answer.stderr) == (-signal.SIGPIPE, "")


@pytest.mark.usefixtures("model")
@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
def test_a_full_disk_behind_stdout_is_one_line_and_5(words: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        answer = run(*words, stdout=full)
    assert answer.status == ExitCode.STORAGE
    assert answer.lines == ["charrnn: error: standard output: No space left on device"]


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("words", WRITERS[:-2], ids=" ".join)
def test_a_closed_stdout_is_one_line_and_5(words: tuple[str, ...]) -> None:
    answer = in_shell('"$@" >&-', *words)
    assert answer.status == ExitCode.STORAGE
    assert answer.lines == ["charrnn: error: standard output is closed"]


# The talk


@pytest.mark.usefixtures("model")
def test_a_lost_stderr_changes_nothing() -> None:
    words = ("sample", "--seed", "1", "--length", "9")
    expected = run(*words).stdout
    scripts = ['"$@" 2>&-', '"$@" 2>/dev/full', '{ "$@"; } 2>&1 >out | true; cat out']
    for script in scripts if FULL.exists() else scripts[::2]:
        answer = in_shell(script, *words)
        assert (answer.status, answer.stdout, answer.stderr) == (0, expected, "")
    wrong = in_shell('"$@" 2>/dev/full' if FULL.exists() else '"$@" 2>&-', "sample", "--temp", "nan")
    assert wrong.status == ExitCode.USAGE


def test_a_training_without_stderr_goes_on_to_its_end() -> None:
    Path("tale.txt").write_text(tale())
    words = ("train", "tale.txt", "--steps", "60", "--hidden", "16")
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'exec "$@" 2>&- >&- <&-', "sh", *PROGRAM, *words], env=environment()
    )
    wait_for_a_model(process, Path.cwd())
    descriptors = Path(f"/proc/{process.pid}/fd")
    if descriptors.is_dir():
        # No file of the run's has become a standard stream, on which a library may write.
        assert {str((descriptors / number).readlink()) for number in "012"} == {"/dev/null"}
    assert process.wait(60) == 0
    assert steps_of("tale") == 60


def test_a_training_whose_reader_has_gone_goes_on_to_its_end() -> None:
    Path("tale.txt").write_text(tale())
    process = start("train", "tale.txt", "--steps", "60", "--hidden", "16")
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"charrnn: ")
    process.stderr.close()
    process.stderr = None
    answer = ended(process)
    assert (answer.status, answer.stdout) == (0, b"")
    assert steps_of("tale") == 60


# Hostile text


def test_a_terminal_is_shown_a_hostile_model_inert(hostile: Path) -> None:
    path = str(hostile.relative_to(Path.cwd()) / "model.safetensors")
    Path("text").write_text(HOSTILE)
    commands = {
        "prompt": ("sample", "-m", path, "--prompt", HOSTILE, "--length", "300", "--temp", "9"),
        "seen": ("sample", "--prompt", HOSTILE, "--unknown", "error", "--length", "1", "--seed", "1"),
        "card": ("inspect", path),
        "newest": ("inspect",),
        "next": ("inspect", "next", HOSTILE[-40:], "-m", path, "-k", "1000"),
        "surprise": ("inspect", "surprise", "text", "-m", path),
        "runs": ("inspect", "runs"),
    }
    screens = {name: shown(*words, columns=400) for name, words in commands.items()}
    assert {name: live_bytes(text) for name, text in screens.items()} == {name: set() for name in commands}
    inert_name = INERT.replace("/", "|")
    assert screens["prompt"].replace("charrnn: seed ", "\n").splitlines()[-1].startswith(INERT)
    assert f"charrnn: model {inert_name} (the newest run)" in screens["seen"]
    assert screens["card"].count(INERT) == 7
    assert inert_name in screens["newest"]
    assert INERT[-30:] in screens["next"]
    assert INERT in screens["surprise"]
    assert inert_name in screens["runs"]


def test_hostile_names_and_texts_are_inert_in_errors() -> None:
    Path(NAME).parent.mkdir()
    Path(NAME).write_bytes(b"")
    answer = run("train", NAME)
    assert answer.lines == [f"charrnn: error: {INERT_NAME}: is empty"]
    save(Path("model"), small())
    for words, said in (
        (["inspect", NAME], f"{INERT_NAME}: 0 bytes are too short for a charrnn checkpoint"),
        (["inspect", "surprise", HOSTILE, "-m", "model"], f"{INERT}: no such file"),
        (["sample", "-m", HOSTILE], f"{INERT}: no such model"),
        (["sample", "--temp", HOSTILE], f"--temp {INERT}: must be a number from 0 to 100"),
        (["train", "x", "--name", HOSTILE], f'"{INERT}" is a path, not the name of a run'),
        (["train", "x", "--encoding", HOSTILE], f"--encoding {INERT}: no such text encoding"),
    ):
        assert run(*words).lines[0] == f"charrnn: error: {said}"


# Signals


@pytest.mark.usefixtures("model")
def test_ctrl_c_in_a_sample_ends_by_the_signal_after_what_was_written() -> None:
    process = start("sample", "-m", "tale", "--seed", "1", "--length", "0")
    assert process.stdout is not None
    beginning = os.read(process.stdout.fileno(), 1000)  # communicate() would miss a buffer's rest
    process.send_signal(signal.SIGINT)
    with process:
        rest, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (-signal.SIGINT, b"")
    text = (beginning + rest).decode()
    assert text == warm("sample", "-m", "tale", "--seed", "1", "--length", str(len(text))).text


@pytest.mark.usefixtures("model")
def test_ctrl_c_on_a_terminal_leaves_the_prompt_at_the_start_of_a_line() -> None:
    with Terminal("sample", "-m", "tale", "--seed", "1", "--length", "0", "--top-k", "1") as terminal:
        terminal.wait_for("a")
        terminal.type("\x03")
        status, text = terminal.finish()
    assert status == -signal.SIGINT
    assert text.endswith("\n")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """A training that was sent SIGTERM after its first steps: its folder, and what it said."""
    folder = tmp_path_factory.mktemp("stopped")
    process = train(folder)
    process.terminate()
    return folder, ended(process)


def test_sigterm_saves_says_how_to_go_on_and_ends_by_the_signal(
    stopped: tuple[Path, Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, answer = stopped
    monkeypatch.chdir(folder)
    assert answer.status == -signal.SIGTERM
    assert 0 < steps_of("tale") < 1500
    assert answer.lines[-3:] == [
        f"go on        {CALLED} train --resume tale",
        f"next         {CALLED} sample -m tale",
        f"             {CALLED} inspect next 'see ' -m tale",
    ]
    assert warm("sample", "-m", "tale", "--seed", "1", "--length", "20", "-q").status == 0
    events = [json.loads(line) for line in Path("checkpoints/tale/log.jsonl").read_text().splitlines()]
    assert (events[-1]["event"], events[-1]["reason"]) == ("finished", "stopped")


def test_a_stopped_run_goes_on_to_the_very_weights_of_one_that_was_not(
    stopped: tuple[Path, Answer], tmp_path: Path
) -> None:
    shutil.copytree(stopped[0], tmp_path, dirs_exist_ok=True)
    assert warm("train", "--resume", "tale", "-q") == Answer(0, b"", "")
    assert warm("train", "tale.txt", *LONG, "--name", "whole", "-q") == Answer(0, b"", "")
    ours, theirs = (load(Path("checkpoints", name, "model.safetensors")) for name in ("tale", "whole"))
    assert steps_of("tale") == steps_of("whole") > 1000
    assert equal(ours.tensors, theirs.tensors)
    assert ours.card["validation"] == theirs.card["validation"]


def test_signals_twice_end_it_at_once_and_what_was_saved_stays() -> None:
    process = train(Path.cwd(), "-q")
    before = load(Path("checkpoints/tale/model.safetensors"))
    for _ in range(2):
        process.send_signal(signal.SIGINT)
    answer = ended(process)
    assert (answer.status, answer.stderr) == (-signal.SIGINT, "")
    after = load(Path("checkpoints/tale/model.safetensors"))
    assert after.config == before.config
    assert np.isfinite(after.tensors["model.output.bias"]).all()
    assert not list(Path("checkpoints/tale").glob(".*.tmp"))


def test_ctrl_c_in_the_live_panel_saves_and_everything_hostile_in_it_is_inert() -> None:
    folder = Path(NAME).parent
    folder.mkdir()
    Path(NAME).write_text(HOSTILE * 300)
    words = ("train", NAME, *LONG, "--name", "tale")
    with Terminal(*words, rows=60, columns=300) as terminal:
        terminal.wait_for("validation")
        wait_for_a_model(terminal.process, Path.cwd())
        terminal.wait_for("saved at step")
        terminal.type("\x03")
        status, text = terminal.finish()
    assert status == -signal.SIGINT
    assert "gru 1×8" in text
    assert live_bytes(text) == set()
    # The cursor that the panel hides is shown again.
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l") >= 0
    assert INERT_NAME in text
    assert f"{CALLED} train --resume tale" in text
    answer = warm("sample", "-m", "tale", "--seed", "1", "--length", "20", "-q")
    assert (answer.status, len(answer.text)) == (0, 20)
    assert set(answer.text) <= set(HOSTILE)


def test_a_corpus_is_not_read_from_a_terminal() -> None:
    with Terminal("train", "-") as terminal:
        status, text = terminal.finish()
    assert status == ExitCode.USAGE
    assert text.splitlines() == [
        "charrnn: error: refusing to read the corpus from a terminal",
        f"hint: cat corpus.txt | {CALLED} train -",
    ]
