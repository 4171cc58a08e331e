"""Single lines on stderr, and the commands in them."""

import shlex
import sys
from pathlib import Path

import pytest

from charrnn.errors import StorageError, UsageError
from charrnn.terminal.notes import command, note, show_error
from tests.terminal.test_streams import Stream


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A console script named charrnn in a folder below this one, and nothing on the path."""
    script = tmp_path / "my env" / "charrnn"
    script.parent.mkdir()
    script.touch(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    return script


def called(monkeypatch: pytest.MonkeyPatch, *argv: object) -> None:
    monkeypatch.setattr(sys, "argv", [str(word) for word in argv])


def test_a_note_is_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    note("file \x1b[31m\n[red]x[/] :smile:\u202e")
    assert capsys.readouterr().err == "charrnn: file ^[[31m^J[red]x[/] :smile:\\u{202e}\n"


def test_quiet_leaves_notes_out_and_errors_in(capsys: pytest.CaptureFixture[str]) -> None:
    note("model x", quiet=True)
    show_error(StorageError("disk: full"))
    assert capsys.readouterr().err == "charrnn: error: disk: full\n"


def test_an_error_and_its_hint_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(UsageError("a\nb: no such file", "look\nelsewhere"))
    assert capsys.readouterr().err == "charrnn: error: a^Jb: no such file\nhint: look^Jelsewhere\n"


def test_commands_in_a_hint_begin_as_this_program_was_called(
    capsys: pytest.CaptureFixture[str], program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called(monkeypatch, program)
    show_error(UsageError("no model", "train one first: charrnn train corpus.txt"))
    show_error(UsageError("newer", "a newer charrnn reads it"))
    assert capsys.readouterr().err.splitlines()[1::2] == [
        "hint: train one first: 'my env/charrnn' train corpus.txt",
        "hint: a newer charrnn reads it",
    ]


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        (f"or charrnn {words}", f"or mine {words}")
        for words in ("train a", "sample", "classify a", "inspect runs", "--help", "VERB --help")
    ]
    + [("a newer charrnn reads it", "a newer charrnn reads it"), ("mycharrnn train", "mycharrnn train")],
)
def test_every_command_in_a_hint_is_one_to_type(
    hint: str, shown: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called(monkeypatch, "mine")
    show_error(UsageError("no", hint))
    assert capsys.readouterr().err.splitlines()[1] == f"hint: {shown}"


def test_a_backslash_in_the_program_s_path_is_one_in_a_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called(monkeypatch, tmp_path / r"a\1\g<0>")
    show_error(UsageError("no", "charrnn train"))
    assert shlex.split(capsys.readouterr().err.splitlines()[1])[1] == r"a\1\g<0>"


def test_a_note_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    monkeypatch.setattr(sys, "stderr", stream)
    note("waiting")
    assert stream.flushed == b"charrnn: waiting\n"


def test_without_stderr_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    note("nobody hears")
    show_error(UsageError("nobody hears"))


def test_the_program_is_called_by_its_name_where_the_shell_finds_it(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    called(monkeypatch, program)
    assert command("sample", "-m", "x") == "charrnn sample -m x"


def test_the_program_is_called_by_its_path_where_the_shell_finds_another(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "bin" / "charrnn"
    other.parent.mkdir()
    other.touch(0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    called(monkeypatch, program)
    assert shlex.split(command("sample")) == ["my env/charrnn", "sample"]
    monkeypatch.chdir(other.parent)  # no longer below this folder
    assert shlex.split(command("sample")) == [str(program), "sample"]


def test_a_link_on_the_path_is_the_program_too_and_is_said_as_it_was_typed(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin" / "charrnn"
    link.symlink_to(program)
    called(monkeypatch, link)
    assert command("sample") == "bin/charrnn sample"
    monkeypatch.setenv("PATH", str(link.parent))
    called(monkeypatch, program)
    assert command("sample") == "charrnn sample"


def test_a_program_that_is_not_where_it_says_is_called_as_it_says(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    called(monkeypatch, tmp_path / "gone")
    assert command("sample") == "gone sample"


def test_in_a_folder_that_is_gone_the_program_has_its_whole_path(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called(monkeypatch, program)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert shlex.split(command("sample")) == [str(program), "sample"]


def test_python_m_is_said_where_it_was_used(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called(monkeypatch, program.parent / "site" / "__main__.py")
    monkeypatch.setattr(sys, "executable", str(program.parent / "python3"))
    assert shlex.split(command("sample")) == ["my env/python3", "-m", "charrnn", "sample"]
    (program.parent / "python3").touch(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    assert command("sample") == "python3 -m charrnn sample"


def test_words_are_quoted_for_the_shell(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called(monkeypatch, program)
    words = ["inspect", "next", "the ", "-m", "it's; rm -rf $HOME"]
    assert shlex.split(command(*words))[1:] == words
