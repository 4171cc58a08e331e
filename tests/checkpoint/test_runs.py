"""Which model a name means, and which names a run may have."""

import errno
import os
from pathlib import Path

import pytest

from charrnn.checkpoint import container, model, runs
from charrnn.checkpoint.lock import locked
from charrnn.checkpoint.runs import FoundModel, find, fresh_name
from charrnn.config import VIEWS
from charrnn.errors import CheckpointError, ExitCode, StorageError, UsageError
from tests.checkpoint.handmade import small

MORNING, NOON, EVENING = (f"2026-11-22T{hour}:00:00.000000+00:00" for hour in ("08", "12", "20"))


def put(path: Path, created: str = NOON) -> Path:
    """A model's file that says when it was made; its own time is another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = small()
    path.write_bytes(container.pack(model.metadata(made) | {"created": created}, made.tensors))
    return path


def put_run(name: str, created: str = NOON) -> Path:
    return put(Path("checkpoints") / name / "model.safetensors", created)


def usage_error(argument: str | None) -> tuple[str, str | None]:
    with pytest.raises(UsageError) as caught:
        find(argument)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.message, caught.value.hint


# Which model is meant


def test_a_name_means_its_run() -> None:
    expected = put_run("tale")
    put_run("other")
    found = find("tale")
    assert found == FoundModel(expected, "argument")
    assert found.name == "tale"


def test_a_folder_means_the_model_in_it() -> None:
    expected = put(Path("elsewhere/deep/model.safetensors"))
    for argument in ("elsewhere/deep", "elsewhere/deep/", "./elsewhere/deep"):
        assert find(argument) == FoundModel(expected, "argument")
        assert find(argument).name == "deep"


def test_a_file_means_itself() -> None:
    expected = put(Path("shared/mine.safetensors"))
    assert find("shared/mine.safetensors") == FoundModel(expected, "argument")
    assert find(str(expected.absolute())) == FoundModel(expected.absolute(), "argument")
    assert find("shared/mine.safetensors").name == "mine"


def test_a_model_without_a_folder_is_called_by_its_file() -> None:
    put(Path("model.safetensors"))
    assert find("model.safetensors").name == "model"


def test_a_name_means_a_run_before_a_file_of_the_same_name() -> None:
    run, file = put_run("tale"), put(Path("tale"))
    assert find("tale").path == run
    assert find("./tale").path == file


def test_the_environment_names_a_model_where_the_command_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    tale, other = put_run("tale"), put_run("other", EVENING)
    monkeypatch.setenv("CHARRNN_MODEL", "tale")
    assert find(None) == FoundModel(tale, "environment")
    assert find("other") == FoundModel(other, "argument")
    monkeypatch.setenv("CHARRNN_MODEL", "")
    assert find(None) == FoundModel(other, "newest")


def test_a_wrong_name_in_the_environment_is_blamed_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_run("tale")
    monkeypatch.setenv("CHARRNN_MODEL", "tail")
    with pytest.raises(UsageError) as caught:
        find(None)
    assert (caught.value.message, caught.value.hint) == (
        "$CHARRNN_MODEL: tail: no such model",
        "there are: tale",
    )


def test_without_a_name_the_newest_is_meant_by_what_the_files_say_not_by_their_age() -> None:
    ages = {"a": (NOON, 1_000_000), "b": (EVENING, 1), "c": (MORNING, 2_000_000)}
    for name, (created, age) in ages.items():
        os.utime(put_run(name, created), (age, age))
    assert find(None) == FoundModel(Path("checkpoints/b/model.safetensors"), "newest")


def test_damaged_runs_do_not_hide_the_others() -> None:
    expected = put_run("whole", MORNING)
    cut = put_run("cut", EVENING)
    cut.write_bytes(cut.read_bytes()[:100])
    put_run("empty").write_bytes(b"")
    put_run("foreign").write_bytes(b"PK\3\4" + bytes(100))
    put_run("undated", "")
    for name in ("fifo", "folder", "link"):
        (Path("checkpoints") / name).mkdir()
    os.mkfifo("checkpoints/fifo/model.safetensors")
    Path("checkpoints/folder/model.safetensors").mkdir()
    Path("checkpoints/link/model.safetensors").symlink_to("nowhere")
    Path("checkpoints/README.md").touch()
    assert find(None) == FoundModel(expected, "newest")


def test_no_model_at_all_says_how_to_get_one() -> None:
    expected = "no model yet: checkpoints/ has none", "train one first: charrnn train corpus.txt"
    assert usage_error(None) == expected
    Path("checkpoints/young").mkdir(parents=True)
    assert usage_error(None) == expected


@pytest.mark.parametrize(("kind", "what"), [(None, "model"), (model.KIND, "language model")])
def test_where_no_model_can_be_read_the_first_says_why(kind: str | None, what: str) -> None:
    put_run("b").write_bytes(b"PK\3\4" + bytes(100))
    put_run("a").write_bytes(b"")
    with pytest.raises(CheckpointError) as caught:
        find(None, kind)
    path = "checkpoints/a/model.safetensors"
    assert caught.value.message == f"{path}: 0 bytes are too short for a charrnn checkpoint"
    assert caught.value.hint == f"there is no other {what}; charrnn inspect runs lists what there is"


def test_a_model_of_another_kind_does_not_hide_one_that_cannot_be_read() -> None:
    put_run("text")
    put_run("damaged").write_bytes(b"")
    with pytest.raises(CheckpointError) as caught:
        find(None, "classifier")
    assert caught.value.message.startswith("checkpoints/damaged/model.safetensors: ")


def test_a_model_that_may_not_be_read_is_an_error_of_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    path = put_run("secret")
    opened = os.open

    def refusing(name: str | Path, *rest: int) -> int:
        if name == path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(name, *rest)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(StorageError) as caught:
        find(None)
    assert caught.value.message == f"{path}: Permission denied"


@pytest.mark.parametrize("argument", ["tele", "no/such/file", "x\0y", 300 * "x", 300 * "x/", "\udcff"])
def test_a_name_of_nothing_is_told_which_names_there_are(argument: str) -> None:
    assert usage_error(argument) == (f"{argument}: no such model", "charrnn train makes one")
    put_run("tale")
    put_run("other")
    assert usage_error(argument) == (f"{argument}: no such model", "there are: other, tale")


def test_a_folder_without_a_model_is_none() -> None:
    Path("elsewhere/model.safetensors").mkdir(parents=True)
    assert usage_error("elsewhere") == ("elsewhere: no such model", "charrnn train makes one")
    assert usage_error("./elsewhere/") == ("./elsewhere/: no such model", "charrnn train makes one")


def test_only_the_first_runs_are_listed_and_the_others_counted() -> None:
    for number in range(8):
        put_run(f"run{number}")
    said = "there are: " + ", ".join(f"run{number}" for number in range(8))
    assert usage_error("tale") == ("tale: no such model", said)
    put_run("run8")
    put_run("run9")
    assert usage_error("tale") == ("tale: no such model", f"{said} and 2 more")


def test_only_runs_that_can_do_what_is_asked_are_listed() -> None:
    put_run("tale")
    back = small(backward=True)
    put(Path("checkpoints/back/model.safetensors")).write_bytes(
        container.pack(model.metadata(back), back.tensors)
    )
    put(Path("checkpoints/broken/model.safetensors")).write_bytes(b"")
    for kind, hint in (
        (None, "there are: back, broken, tale"),
        (model.KIND, "there are: tale"),
        ("classifier", "charrnn train makes one"),
    ):
        with pytest.raises(UsageError) as caught:
            find("tail", kind)
        assert caught.value.hint == hint


def test_a_run_that_has_no_model_yet_says_so() -> None:
    Path("checkpoints/young").mkdir(parents=True)
    assert usage_error("young") == ("young: this run has no model yet", "look at checkpoints/young")
    Path("checkpoints/young/last.safetensors").touch()
    goes_on = "charrnn train --resume young goes on with it"
    assert usage_error("young") == ("young: this run has no model yet", goes_on)
    with locked(Path("checkpoints/young")):
        assert usage_error("young")[1] == "it is being trained"


@pytest.mark.parametrize("folder", ["/", ".", ".."])
def test_a_folder_that_is_no_run_s_is_no_model(folder: str) -> None:
    put_run("tale")
    assert usage_error(folder) == (f"{folder}: no such model", "there are: tale")


def test_runs_that_have_only_what_resuming_needs_are_those_without_a_model() -> None:
    put_run("tale")
    for name in ("tale", "young"):
        put(Path("checkpoints", name, "last.safetensors")).touch()
    assert runs.without_model() == ["young"]


def test_only_a_run_with_its_training_state_can_be_resumed() -> None:
    def refusal() -> tuple[str, str | None]:
        with pytest.raises(UsageError) as caught:
            runs.check_resumable(Path("checkpoints/tale"))
        return caught.value.message, caught.value.hint

    said = "tale: no run of this name to resume"
    assert refusal() == (said, "there is none yet: charrnn train makes one")
    for number in range(10):
        put(Path(f"checkpoints/run{number}/last.safetensors"))
    listed = ", ".join(f"run{number}" for number in range(8))
    assert refusal() == (said, f"there are: {listed} and 2 more")
    put_run("tale")
    lacks = "tale has no last.safetensors, which is needed to resume it"
    assert refusal() == (lacks, "--from tale starts a new model from its weights")
    put(Path("checkpoints/tale/last.safetensors"))
    runs.check_resumable(Path("checkpoints/tale"))


def test_what_a_model_serves_for_where_its_run_cannot_go_on_is_said_of_one_that_can_be_read() -> None:
    put_run("a tale")
    mood, cut = put_run("mood"), put_run("cut")
    mood.write_bytes(container.pack({"kind": "classifier"}, {}))
    cut.write_bytes(cut.read_bytes()[:9])
    assert [runs.instead_of_resuming(Path("checkpoints", name)) for name in ("a tale", "mood", "cut")] == [
        "--from 'a tale' starts a new model from its weights",
        "charrnn classify -m mood answers with its model",
        None,
    ]


# Names


@pytest.mark.parametrize(
    "name", ["tale", "Tale_2", "a.b-c", "my tale", "m\u00e4rchen", "\u7269\u8a9e", 100 * "x"]
)
def test_a_name_is_a_folder_of_checkpoints(name: str) -> None:
    assert runs.folder(name) == Path("checkpoints") / name
    assert runs.folder(name).parent == Path("checkpoints")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        "-x",
        "--name",
        "a/b",
        "/etc",
        "../up",
        "a\0b",
        "a\nb",
        "a\tb",
        "\x1b[31mred",
        "\x7f",
        "  ",
        "\x9b31m",
        "a\u202eb",
        "a\u2028b",
        "\udcff",
        101 * "x",
        51 * "\u00e9",
    ],
)
def test_what_would_leave_the_folder_or_hide_is_no_name(name: str) -> None:
    for refuse in (runs.folder, fresh_name):
        with pytest.raises(UsageError) as caught:
            refuse(name)
        what = "is a path, not" if "/" in name else "cannot be"
        assert caught.value.message == f'"{name}" {what} the name of a run'
        assert caught.value.hint == (
            "runs lie in checkpoints/"
            if "/" in name
            else "one has at most 100 bytes that can be printed, not only spaces, no slash, "
            "and neither . nor - in front"
        )


def test_a_run_s_path_is_told_its_name() -> None:
    with pytest.raises(UsageError) as caught:
        runs.folder("checkpoints/tale")
    assert caught.value.hint == "its name is tale"


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_no_name(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        runs.folder(name)
    said = f'a run cannot be called "{name}": `charrnn inspect {name}` means a view'
    assert caught.value.message == said
    assert fresh_name(name) == runs.first_name(name) == f"{name}-2"
    assert runs.first_name(f"{name}s") == f"{name}s"


def test_a_fresh_name_has_the_first_free_number() -> None:
    assert fresh_name("tale") == "tale"
    put_run("tale")
    assert fresh_name("tale") == "tale-2"
    put_run("tale-2")
    put_run("tale-4")
    assert fresh_name("tale") == "tale-3"
    assert fresh_name("tale-2") == "tale-2-2"


def test_a_name_is_taken_by_a_model_by_what_resumes_it_or_by_its_trainer() -> None:
    run = Path("checkpoints/tale")
    run.mkdir(parents=True)
    (run / "log.jsonl").touch()
    (run / ".lock").touch()
    assert not runs.is_taken(run)
    for name in ("model.safetensors", "last.safetensors"):
        (run / name).touch()
        assert runs.is_taken(run)
        (run / name).unlink()
    with locked(run):
        assert runs.is_taken(run)
        assert fresh_name("tale") == "tale-2"
    assert fresh_name("tale") == "tale"


def test_a_run_is_removed_whole_but_for_the_file_that_stays_and_nothing_else_with_it() -> None:
    run = Path("checkpoints/tale")
    run.mkdir(parents=True)
    of_others = {".lock", "corpus.txt", "notes.md"}
    of_a_run = {"model.safetensors", "last.safetensors", "log.jsonl", "words.safetensors", "words.jsonl"}
    for name in of_others | of_a_run:
        (run / name).touch()
    for _ in range(2):
        runs.remove_files(run, but=run / runs.LAST)
        assert {path.name for path in run.iterdir()} == of_others | {"last.safetensors"}
