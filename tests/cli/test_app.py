"""What the program's one boundary of errors shows."""

import sys

import pytest

from charrnn.cli.app import main


@pytest.mark.parametrize(
    ("value", "is_traced"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)]
)
def test_tracebacks_are_for_who_asks_for_them(
    value: str | None,
    is_traced: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("CHARRNN_DEBUG", raising=False)
    if value is not None:
        monkeypatch.setenv("CHARRNN_DEBUG", value)
    monkeypatch.setattr(sys, "argv", ["charrnn", "--nothing"])
    with pytest.raises(SystemExit):
        main()
    shown = capsys.readouterr().err
    assert "charrnn: error: No such option: --nothing\n" in shown
    assert ("Traceback" in shown) == is_traced
