"""Bad inputs, each with its exact exit code and its exact words: an error, at most one hint, no traceback."""

import contextlib
import gzip
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from charrnn.cells import CELLS
from charrnn.checkpoint import container, model
from charrnn.errors import ExitCode
from tests.checkpoint.handmade import small
from tests.cli.conftest import tale
from tests.cli.program import CALLED, Answer, in_shell, lukewarm, run, warm

LONG = "n" * 300
ANY_BYTES = "hint: --level byte trains on any bytes"
LATIN = f"hint: --encoding latin-1 if that is what it is; {ANY_BYTES[6:]}"
HELP = f"hint: {CALLED} --help, and {CALLED} VERB --help, list what there is"
NOTHING = "there is nothing to learn"
SIZE = len(tale())
COUNT = "a whole number from"
SEEDS = f"must be {COUNT} 0 to 18,446,744,073,709,551,615"
COUNTS = f"must be {COUNT} 1 to 1,000,000,000,000,000,000"


@dataclass(frozen=True)
class Row:
    """What is typed, and what comes back: the exit code and, without their beginning, the lines on stderr."""

    words: str | tuple[str, ...]
    status: ExitCode
    error: str
    hint: str | None = None
    given: bytes | None = None  # on standard input
    closed: bool = False  # standard input

    @property
    def arguments(self) -> tuple[str, ...]:
        return tuple(self.words.split()) if isinstance(self.words, str) else self.words

    @property
    def lines(self) -> list[str]:
        return [f"charrnn: error: {self.error}", *([self.hint] if self.hint else [])]


USAGE, TEXT, CHECKPOINT = ExitCode.USAGE, ExitCode.TEXT, ExitCode.CHECKPOINT

CORPORA = (
    Row("train missing.txt", USAGE, "missing.txt: no such file"),
    Row("train no*.txt", USAGE, "no*.txt: no file matches this pattern"),
    Row("train bare", TEXT, "bare: has no files"),
    Row("train empty.txt", TEXT, "empty.txt: is empty"),
    Row(
        "train short.txt",
        TEXT,
        "short.txt: has about 10 characters; --seq 64 needs at least 73",
        "hint: give more text, or a smaller --seq",
    ),
    Row(
        "train short.txt --level byte",
        TEXT,
        "short.txt: has about 10 bytes; --seq 64 needs at least 73",
        "hint: give more text, or a smaller --seq",
    ),
    *(
        Row(f"train {name} --level {level}", TEXT, f"the text has only 1 distinct character: {NOTHING}")
        for name in ("same.txt", "lines.txt")
        for level in ("char", "subword")
    ),
    Row(
        "train twice.txt --level subword",
        TEXT,
        "the text is too short or too uniform to be cut into pieces of words",
        "hint: --level char or --level byte need none",
    ),
    Row(
        "train wide.txt",
        TEXT,
        "wide.txt: looks binary (NUL at byte 1)",
        f"hint: --encoding utf-16-le if that is what it is; {ANY_BYTES[6:]}",
    ),
    Row("train latin.txt", TEXT, f"latin.txt: not UTF-8 at byte {SIZE + 5} (0xE9), line 302", LATIN),
    Row("train surrogate.txt", TEXT, "surrogate.txt: not UTF-8 at byte 3 (0xED), line 1", LATIN),
    Row("train cut.txt", TEXT, "cut.txt: not UTF-8: cut off in mid-character at byte 2, line 1"),
    Row("train picture.txt", TEXT, "picture.txt: looks like PNG data, not text", ANY_BYTES),
    Row(
        "train packed",
        TEXT,
        "packed: looks like gzip data, not text",
        f"hint: name it packed.gz, or pipe it: zcat packed | {CALLED} train -",
    ),
    *(
        Row(
            f"train - {flags}",
            TEXT,
            "standard input: looks like gzip data, not text",
            "hint: unpack it before the pipe, with zcat for example",
            given=gzip.compress(tale().encode()),
        )
        for flags in ("", "--task classifier")
    ),
    Row(
        "train torn.txt.gz",
        TEXT,
        "torn.txt.gz: the gzip data is damaged: "
        "Compressed file ended before the end-of-stream marker was reached",
    ),
    Row(
        "train sparse.txt",
        TEXT,
        "sparse.txt: looks binary (NUL at byte 0)",
        f"hint: --encoding utf-16-be if that is what it is; {ANY_BYTES[6:]}",
    ),
    Row("train /dev/zero", USAGE, "/dev/zero: is neither a regular file, a folder nor a pipe"),
    Row("train loop.txt", USAGE, "loop.txt: Too many levels of symbolic links"),
    Row(f"train {LONG}", USAGE, f"{LONG}: File name too long"),
    Row("train -", TEXT, "standard input: is empty", given=b""),
    Row(
        "train -",
        USAGE,
        "standard input is closed",
        f"hint: give a file, or pipe a text: cat corpus.txt | {CALLED} train -",
        closed=True,
    ),
    Row(
        "train tale.txt -",
        USAGE,
        "-: a pipe must be the only input",
        f"hint: cat joins several: cat a b | {CALLED} train -",
        given=b"more",
    ),
    Row(("train", "x\x1b[31m\n[red].txt"), USAGE, "x^[[31m^J[red].txt: no file matches this pattern"),
)
A_TEXT, A_RUN, A_MODEL = "a file, a folder or a pattern", "a run", "a model"
EMPTY = tuple(
    Row((*words, ""), USAGE, f"{argument} '': must name {what}")
    for words, argument, what in (
        (("train",), "INPUTS", A_TEXT),
        (("train", "tale.txt"), "INPUTS", A_TEXT),
        (("train", "tale.txt", "--name"), "--name", A_RUN),
        (("train", "--resume"), "--resume", A_RUN),
        (("train", "tale.txt", "--from", "tale", "--from"), "--from", A_MODEL),
        (("train", "tale.txt", "--valid"), "--valid", A_TEXT),
        (("train", "tale.txt", "--unlabelled"), "--unlabelled", A_TEXT),
        (("sample", "-m"), "-m", A_MODEL),
        (("classify",), "INPUTS", A_TEXT),
        (("classify", "--eval"), "--eval", A_TEXT),
        (("inspect",), "VIEW|NAME", "a view or a model"),
        (("inspect", "next", "a", "-m"), "-m", A_MODEL),
        (("inspect", "gradients", "a", "-m", "tale", "--svg"), "--svg", "a file"),
    )
)
TRAINING = (
    Row(
        "train tale.txt --encoding rot13",
        USAGE,
        "--encoding rot13: no such text encoding",
        "hint: for example utf-8, latin-1, utf-16, cp1252",
    ),
    Row(
        "train tale.txt --seq 60000",
        TEXT,
        f"tale.txt: has about {SIZE:,} characters; --seq 60000 needs at least 66,668",
        "hint: give more text, or a smaller --seq",
    ),
    Row(
        "train tale.txt --val-fraction 1e-300",
        TEXT,
        "tale.txt: --val-fraction 1e-300 leaves nothing to validate on",
        "hint: give more text, or a larger --val-fraction",
    ),
    Row(
        "train tale.txt --from nosuch",
        USAGE,
        "nosuch: no such model",
        "hint: there are: tale",
    ),
    Row(
        "train tale.txt --from tale --hidden 99",
        USAGE,
        "--hidden 99 contradicts --from tale: it has --hidden 16",
        "hint: leave --hidden out",
    ),
    Row(
        "train --resume nosuch",
        USAGE,
        "nosuch: no run of this name to resume",
        "hint: there are: tale",
    ),
    Row(
        "train --resume tale",
        USAGE,
        "tale: has finished its budget",
        f"hint: {CALLED} train --resume tale --time 5m trains five minutes more",
    ),
    Row(
        "train --resume tale --hidden 99 --steps 5",
        USAGE,
        "--hidden 99 contradicts --resume: it has --hidden 16",
        "hint: leave --hidden out",
    ),
    Row(
        "train --resume tale --level byte --steps 5",
        USAGE,
        "--level byte contradicts --resume: it has --level char",
        "hint: leave --level out",
    ),
    Row(
        "train latin.txt --resume tale --steps 5",
        USAGE,
        "--resume: the run was trained on tale.txt, not on latin.txt",
        "hint: --from tale starts a new model from its weights",
    ),
)
OPTIONS = (
    Row("trian", USAGE, "No such command 'trian'. Did you mean 'train'?", HELP),
    Row("sample --lenght 3", USAGE, "No such option: --lenght (Possible options: --engine, --length)", HELP),
    Row("sample --temp", USAGE, "Option '--temp' requires an argument", HELP),
    Row("sample extra", USAGE, "Got unexpected extra argument(s) (extra)", HELP),
    Row("train -x.txt", USAGE, "No such option: -x", "hint: if you mean the file of this name: ./-x.txt"),
    Row("train -y.txt", USAGE, "No such option: -y", HELP),
    Row(("train", f"--{LONG}"), USAGE, f"No such option: --{LONG}", HELP),
    Row(
        "train t --steps 5 --time 3s",
        USAGE,
        "--time, --epochs and --steps: only one of them can be the budget",
    ),
    *(
        Row(
            f"train t --epochs 1 {other}",
            USAGE,
            "--time, --epochs and --steps: only one of them can be the budget",
        )
        for other in ("--time 3s", "--steps 5")
    ),
    Row("train t --time 5x", USAGE, "--time 5x: must be a time such as 90s, 5m or 2h, at most 720h"),
    Row("train t --batch 0", USAGE, f"--batch 0: must be {COUNT} 1 to 65,536"),
    Row("train t --seq 0", USAGE, f"--seq 0: must be {COUNT} 1 to 65,536"),
    Row("train t --layers 1000", USAGE, f"--layers 1000: must be {COUNT} 1 to 64"),
    Row("train t --hidden 1000000000", USAGE, f"--hidden 1000000000: must be {COUNT} 1 to 65,536"),
    Row("train t --lr nan", USAGE, "--lr nan: must be a number above 0 to 1e+12"),
    Row("train t --threads -3", USAGE, f"--threads -3: must be {COUNT} 1 to 1,024"),
    Row("train t --level line", USAGE, "--level line: must be one of char, byte, word, subword"),
    Row("train tale.txt --vocab 100", USAGE, "--vocab is for --level word or subword, not for char"),
    Row("train tale.txt --level word --subword bpe", USAGE, "--subword is for --level subword, not for word"),
    Row(
        "train tale.txt --level byte --lines --encoding latin-1",
        USAGE,
        "--encoding is for --level char or word or subword, not for byte",
    ),
    Row("train t --vocab 1", USAGE, f"--vocab 1: must be {COUNT} 2 to 200,000"),
    Row("train t --cell elman", USAGE, f"--cell elman: must be one of {', '.join(CELLS)}"),
    Row("train t --nonlinearity elu", USAGE, "--nonlinearity elu: must be one of tanh, logistic, relu"),
    Row(
        "train tale.txt --cell lstm --nonlinearity relu",
        USAGE,
        "--nonlinearity relu is for --cell rnn, not for lstm",
    ),
    Row("train tale.txt --cell gru --init identity", USAGE, "--init identity is for --cell rnn, not for gru"),
    Row(
        "train tale.txt --cell rnn --init chrono",
        USAGE,
        "--init chrono is for --cell lstm, lstm-peephole, gru, gru-after, not for rnn",
    ),
    Row(
        "train tale.txt --from tale --init chrono",
        USAGE,
        "--init does not go with --from tale: it brings its own weights",
    ),
    Row(
        "train tale.txt --from tale --vocab 9",
        USAGE,
        "--vocab does not go with --from tale: it brings its vocabulary",
    ),
    Row(
        "train tale.txt --bidirectional",
        USAGE,
        "--bidirectional: a language model would read the character that it must predict",
        "hint: leave --bidirectional out",
    ),
    Row(
        "train tale.txt --from tale --backward",
        USAGE,
        "--backward contradicts --from tale: it has no --backward",
        "hint: leave --backward out",
    ),
    Row(
        "train tale.txt --from tale --from back",
        USAGE,
        "--from tale --from back: a language model starts from one model",
        "hint: leave one out; a classifier starts from two",
    ),
    Row(
        "train --resume tale --backward",
        USAGE,
        "--backward contradicts --resume: it has no --backward",
        "hint: leave --backward out",
    ),
    *(
        Row(
            (*words, "-m", "back"),
            CHECKPOINT,
            "back: reads backwards: it predicts what came before, not what comes next",
            f"hint: it is made for {CALLED} train reviews/ --from FORWARD --from back",
        )
        for words in (
            ("sample",),
            ("inspect", "next", "a"),
            ("inspect", "surprise", "tale.txt"),
            ("inspect", "gradients", "a"),
        )
    ),
    Row("train t --device tpu", USAGE, "--device tpu: must be one of auto, cpu, cuda, mps"),
    Row("train t --seed -5", USAGE, f"--seed -5: {SEEDS}"),
    Row(
        "train tale.txt --name tale",
        USAGE,
        "checkpoints/tale: there is a run of this name",
        "hint: --force overwrites it, --resume tale goes on with it, another --name leaves it alone",
    ),
    Row(
        "train tale.txt --name next",
        USAGE,
        'a run cannot be called "next": `charrnn inspect next` means a view',
    ),
    Row(
        "train tale.txt --name ../x",
        USAGE,
        '"../x" is a path, not the name of a run',
        "hint: runs lie in checkpoints/",
    ),
    Row(
        "train --resume tale --name other",
        USAGE,
        "--name does not go with --resume: a resumed run keeps its name and its weights",
    ),
    *(
        Row(
            f"train --resume tale {flag}",
            USAGE,
            f"{flag.split()[0]} does not go with --resume: a resumed run keeps its name and its weights",
        )
        for flag in ("--from tale", "--force")
    ),
    Row(
        "train --resume tale --task classifier",
        USAGE,
        "--task classifier: tale is a language model",
    ),
    Row("sample --temp nan", USAGE, "--temp nan: must be a number from 0 to 100"),
    Row(("sample", "--temp", ""), USAGE, "--temp '': must be a number from 0 to 100"),
    Row("sample --top-k 0", USAGE, f"--top-k 0: {COUNTS}"),
    Row("sample --top-p 1.5", USAGE, "--top-p 1.5: must be a number above 0 to 1"),
    Row("sample --min-p -1", USAGE, "--min-p -1: must be a number from 0 to 1"),
    Row("sample --length -1", USAGE, f"--length -1: must be {COUNT} 0 to 1,000,000,000,000,000,000"),
    Row("sample -n 0", USAGE, f"-n 0: {COUNTS}"),
    Row("sample --seed 18446744073709551616", USAGE, f"--seed 18446744073709551616: {SEEDS}"),
    Row(("sample", "-m", "tale", "--prompt", "a\udcff"), USAGE, "--prompt: is not UTF-8"),
    Row(
        "sample -m tale",
        TEXT,
        "standard input: not UTF-8 at byte 1 (0xFF)",
        given=b"a\xff",
    ),
    *(
        Row(
            f"{words} -m tale",
            TEXT,
            "standard input: looks like gzip data, not text",
            "hint: unpack it before the pipe, with zcat for example",
            given=gzip.compress(tale().encode()),
        )
        for words in ("sample", "inspect next", "inspect gradients", "inspect surprise")
    ),
)
VIEWS = (
    Row("inspect foo bar", USAGE, "foo: no such view", "hint: views are next, surprise, gradients, runs"),
    Row("inspect tale -m other", USAGE, "tale and -m other: name one model"),
    Row("inspect surprise x --each", USAGE, "--each is for the view next"),
    Row("inspect gradients x --each", USAGE, "--each is for the view next"),
    Row("inspect next x --untrained", USAGE, "--untrained is for the view gradients"),
    Row("inspect --sentence 1", USAGE, "--sentence is for the view gradients"),
    Row("inspect runs --svg a.svg", USAGE, "--svg is for the view gradients"),
    Row("inspect gradients --sentence 3", USAGE, f"--sentence 3: must be {COUNT} 1 to 2"),
    Row("inspect gradients x --sentence 1", USAGE, "--sentence and a text: give one of them"),
    Row(
        "inspect gradients -m tale",
        USAGE,
        "gradients: which text?",
        f'hint: {CALLED} inspect gradients "a text", --sentence 1, or pipe a text in',
    ),
    Row(
        ("inspect", "gradients", "", "-m", "tale"),
        USAGE,
        "gradients: the text is empty",
        "hint: it takes a character to look back from",
    ),
    Row("inspect gradients x -m tale -m nosuch", USAGE, "nosuch: no such model", "hint: there are: tale"),
    Row(
        ("inspect", "gradients", "x", "--untrained", *["-m", "tale"] * 4),
        USAGE,
        "8 nets, but at most 6 fit side by side",
    ),
    Row(
        "inspect gradients a -m tale --svg missing/a.svg",
        USAGE,
        "--svg missing/a.svg: there is no such folder",
    ),
    Row("inspect gradients a -m tale --svg bare", USAGE, "--svg bare: is a folder"),
    Row(
        "inspect gradients a -m tale --svg loop.txt",
        USAGE,
        "--svg loop.txt: Too many levels of symbolic links",
    ),
    Row(
        "inspect gradients a -m tale --svg astray.svg",
        USAGE,
        "--svg astray.svg: there is no such folder",
    ),
    Row(
        "inspect next x -m tale -m tale",
        USAGE,
        "-m names several models",
        "hint: only the view gradients puts them side by side",
    ),
    Row("inspect runs tale", USAGE, "runs looks at all runs, not at tale"),
    Row("inspect runs -m tale", USAGE, "runs looks at all runs, not at tale"),
    Row("inspect tale --each", USAGE, "--each is for the view next"),
    Row("inspect runs -k 5", USAGE, "-k is for the view next"),
    Row(
        "classify tale.txt --label-column x",
        USAGE,
        "--label-column and --text-column are for the file of --eval",
    ),
    Row("inspect next x -k 0", USAGE, f"-k 0: must be {COUNT} 1 to 1,000"),
    Row(("inspect", "next", "a\udcff"), USAGE, "the text: is not UTF-8"),
    Row(
        "inspect surprise -m tale",
        USAGE,
        "surprise: which text?",
        f"hint: {CALLED} inspect surprise FILE, or pipe a text in",
    ),
    Row(
        "inspect surprise - -m tale",
        USAGE,
        "standard input is closed",
        "hint: give a file, or pipe a text in",
        closed=True,
    ),
    Row(
        ("inspect", "surprise", "", "-m", "tale"),
        USAGE,
        "surprise '': must name a file",
        f"hint: {CALLED} inspect surprise FILE, or pipe a text in",
    ),
    Row("inspect surprise missing.txt -m tale", USAGE, "missing.txt: no such file"),
    Row(
        "inspect surprise bare -m tale",
        USAGE,
        "bare: is a folder",
        "hint: name a file, or cat several into it",
    ),
    Row("inspect surprise /dev/zero -m tale", USAGE, "/dev/zero: is neither a regular file nor a pipe"),
    Row("inspect surprise loop.txt -m tale", USAGE, "loop.txt: Too many levels of symbolic links"),
    Row(f"inspect surprise {LONG} -m tale", USAGE, f"{LONG}: File name too long"),
    Row(
        "inspect surprise latin.txt -m tale",
        TEXT,
        f"latin.txt: not UTF-8 at byte {SIZE + 5} (0xE9)",
        "hint: iconv -f ENCODING -t UTF-8 converts it",
    ),
    Row(
        "inspect surprise packed -m tale",
        TEXT,
        "packed: looks like gzip data, not text",
        "hint: name it packed.gz",
    ),
)
MODELS = (
    Row("sample -m nosuch", USAGE, "nosuch: no such model", "hint: there are: tale"),
    Row(
        "inspect nosuch",
        USAGE,
        "nosuch: no such model",
        "hint: there are: tale; views are next, surprise, gradients, runs",
    ),
    Row("inspect pipe", CHECKPOINT, "pipe: is not a regular file"),
    Row("sample -m /dev/zero", CHECKPOINT, "/dev/zero: is not a regular file"),
    Row("inspect empty.txt", CHECKPOINT, "empty.txt: 0 bytes are too short for a charrnn checkpoint"),
    Row(
        "sample -m truncated",
        CHECKPOINT,
        "truncated: the data does not match the header: 13,327 bytes of data, 13,328 expected",
    ),
    Row("sample -m flipped", CHECKPOINT, "flipped: digest mismatch: the file is damaged"),
    Row("sample -m foreign", CHECKPOINT, "foreign: a safetensors file, but not made by charrnn"),
    Row(
        "sample -m pickle",
        CHECKPOINT,
        "pickle: is a pickle file; charrnn never loads pickle (it can run code)",
    ),
    Row("sample -m page", CHECKPOINT, "page: is a web page, not a model"),
    Row(
        "sample -m newer",
        CHECKPOINT,
        "newer: was written by \\u{9b}31m[red] and needs format 9, which charrnn 0.1.0 does not know",
        "hint: a newer charrnn reads it",
    ),
    Row(
        "sample -m checkpoints/tale/last.safetensors",
        CHECKPOINT,
        "checkpoints/tale/last.safetensors: is a training state, not a language model",
        "hint: it is what --resume needs; the model lies beside it",
    ),
    Row("sample -m numberless", CHECKPOINT, "numberless: contains 6 non-finite values in model.output.bias"),
    Row(
        "sample -m overflowing --seed 1",
        CHECKPOINT,
        "the model gives no probabilities: its weights are too large",
    ),
    Row(
        "inspect next a -m overflowing --json",
        CHECKPOINT,
        "the model gives no probabilities: its weights are too large",
    ),
    Row(
        "inspect forged",
        CHECKPOINT,
        "forged: its card is not one that charrnn writes",
        "hint: --json shows it as it is",
    ),
    Row(
        "inspect forged-origin",
        CHECKPOINT,
        "forged-origin: its card is not one that charrnn writes",
        "hint: --json shows it as it is",
    ),
)
ROWS = CORPORA + EMPTY + TRAINING + OPTIONS + VIEWS + MODELS


def lay_out(here: Path) -> None:
    """The files that the rows name."""
    text = tale().encode()
    gzipped = gzip.compress(text, mtime=0)
    files = {
        "empty.txt": b"",
        "short.txt": b"0123456789",
        "same.txt": b"a" * 10_000,
        "lines.txt": b"\n" * 10_000,
        "twice.txt": b"ab" * 10,
        "wide.txt": "hi there".encode("utf-16-le"),
        "latin.txt": text + b"\n caf\xe9 \n",
        "surrogate.txt": b"abc\xed\xa0\x80def",
        "cut.txt": b"ab\xe2\x82",
        "picture.txt": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        "packed": gzipped,
        "torn.txt.gz": gzipped[:200],
        "-x.txt": b"x",
        "pickle": b"\x80\x04\x95" + bytes(100),
        "page": b"<!DOCTYPE html><html>" + bytes(100),
    }
    for name, data in files.items():
        (here / name).write_bytes(data)
    (here / "bare").mkdir()
    with (here / "sparse.txt").open("wb") as sparse:
        sparse.truncate(1 << 40)
    (here / "loop.txt").symlink_to("loop.txt")
    (here / "astray.svg").symlink_to("missing/a.svg")
    os.mkfifo(here / "pipe")
    trained = (here / "checkpoints/tale/model.safetensors").read_bytes()
    (here / "truncated").write_bytes(trained[:-1])
    (here / "flipped").write_bytes(trained[:-9] + bytes([trained[-9] ^ 1]) + trained[-8:])
    safetensors.numpy.save_file({"x": np.zeros(3, np.float32)}, here / "foreign")
    described = model.metadata(small())
    newer = described | {"format": 9, "written_by": "\x9b31m[red]"}
    (here / "newer").write_bytes(container.pack(newer, small().tensors))
    bias = "model.output.bias"
    numberless = small().tensors | {bias: np.full_like(small().tensors[bias], np.nan)}
    (here / "numberless").write_bytes(container.pack(described, numberless))
    large = {name: np.full_like(tensor, 3e38) for name, tensor in small().tensors.items()}
    (here / "overflowing").write_bytes(container.pack(described, large))
    model.save(here / "back", small(backward=True))
    model.save(here / "forged", small(card={"corpus": {"sources": 3}, "trained": "long"}))
    model.save(here / "forged-origin", small(card={"from": 5}))


@pytest.fixture(scope="module")
def here(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    shutil.copytree(trained, folder, dirs_exist_ok=True)
    shutil.copy(folder / "checkpoints/tale/log.jsonl", folder / "log-before")
    lay_out(folder)
    return folder


@pytest.fixture(scope="module")
def answers(here: Path) -> dict[Row, tuple[Answer, set[str]]]:
    """The answers to all rows, with the modules that were imported for them."""

    def ask(row: Row) -> tuple[Answer, set[str]]:
        if not row.closed:
            return lukewarm(*row.arguments, given=row.given)
        answer = in_shell('"$@" <&-', *row.arguments, env={"PYTHONPROFILEIMPORTTIME": "1"})
        imports = [line for line in answer.lines if line.startswith("import time: ")]
        said = [line for line in answer.lines if line not in imports]
        modules = {line.rpartition("|")[2].strip() for line in imports}
        return replace(answer, stderr="\n".join(said)), modules

    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(here):
        patch.setenv("XDG_CACHE_HOME", str(here / "cache"))
        return {row: ask(row) for row in ROWS}


def name_of(row: Row) -> str:
    return " ".join(row.arguments).encode("ascii", "backslashreplace").decode()[:60]


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_bad_input_is_answered_in_these_words(
    answers: dict[Row, tuple[Answer, set[str]]], row: Row
) -> None:
    answer, _ = answers[row]
    assert (answer.lines, answer.status, answer.stdout) == (row.lines, row.status, b"")


@pytest.mark.usefixtures("answers")
def test_bad_inputs_leave_nothing_behind(here: Path) -> None:
    assert [path.name for path in (here / "checkpoints").iterdir()] == ["tale"]
    assert (here / "checkpoints/tale/log.jsonl").read_bytes() == (here / "log-before").read_bytes()


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_no_bad_input_waits_for_torch(answers: dict[Row, tuple[Answer, set[str]]], row: Row) -> None:
    _, imported = answers[row]
    assert "charrnn.errors" in imported
    assert "torch" not in imported


def test_an_unreadable_file_is_a_wrong_path(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").touch(0)
    # Root reads everything, unless it gives up the right to.
    humble = 'setpriv --bounding-set=-dac_override,-dac_read_search "$@"'
    if in_shell(humble + " --version").status:
        pytest.skip("no setpriv, or not root")
    answer = in_shell(humble, "train", "secret.txt")
    assert (answer.status, answer.lines) == (USAGE, ["charrnn: error: secret.txt: permission denied"])


def test_runs_cannot_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "tale.txt").write_text(tale())
    (tmp_path / "checkpoints").write_text("not a folder")
    answer = run("train", "tale.txt")
    assert answer.status == ExitCode.STORAGE
    assert answer.lines == ["charrnn: error: checkpoints/tale: Not a directory"]


def test_a_model_larger_than_the_machine_is_refused_before_anything_is_allocated(
    tmp_path: Path,
) -> None:
    (tmp_path / "tale.txt").write_text(tale())
    answer = warm("train", "tale.txt", "--hidden", "65536", "--layers", "64", "--steps", "1")
    assert answer.status == ExitCode.MEMORY
    error, hint = answer.lines
    pattern = (
        r"charrnn: error: this model needs [0-9.]+e\+13 bytes to train, the machine has [0-9.]+e\+[0-9]+"
    )
    assert re.fullmatch(pattern, error)
    assert hint == "hint: a smaller --hidden or fewer --layers"


def test_no_command_shows_help_on_stderr() -> None:
    answer = run()
    assert (answer.status, answer.stdout) == (ExitCode.USAGE, b"")
    assert answer.stderr == run("--help").text
    assert answer.lines[0] == "Usage: python -m charrnn [OPTIONS] COMMAND [ARGS]..."


def test_no_model_yet_says_how_to_get_one() -> None:
    for words, kind in (
        (["sample"], "language model"),
        (["inspect"], "model"),
        (["inspect", "next", "a"], "language model"),
    ):
        answer = run(*words)
        assert answer.status == ExitCode.USAGE
        assert answer.lines == [
            f"charrnn: error: no {kind} yet: checkpoints/ has none",
            f"hint: train one first: {CALLED} train corpus.txt",
        ]
    Path("checkpoints/tale").mkdir(parents=True)
    Path("checkpoints/tale/model.safetensors").touch()
    answer = run("sample")
    assert answer.status == CHECKPOINT
    assert answer.lines == [
        "charrnn: error: checkpoints/tale/model.safetensors: 0 bytes are too short for a charrnn checkpoint",
        f"hint: there is no other language model; {CALLED} inspect runs lists what there is",
    ]


def test_no_runs_yet_says_how_to_get_one() -> None:
    answer = run("inspect", "runs")
    assert answer.lines == [
        "charrnn: error: no runs yet under checkpoints/",
        f"hint: train one first: {CALLED} train corpus.txt",
    ]
