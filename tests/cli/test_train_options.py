"""Every field that a flag of `train` sets is called by that flag in errors."""

from typing import Any

from typer.main import get_command

from charrnn.cli.app import app
from charrnn.cli.classifier_options import OF_CLASSIFIERS
from charrnn.cli.net_options import OF_NET
from charrnn.cli.train_options import OF_CORPUS
from charrnn.training.request import FLAGS, flag_of


def test_errors_call_every_field_by_its_flag() -> None:
    program: Any = get_command(app)
    flags = {parameter.name: parameter.opts for parameter in program.commands["train"].params}
    fields = (*OF_CORPUS, *OF_CLASSIFIERS, *OF_NET)
    assert set(FLAGS) <= set(fields)
    assert [field for field in fields if flag_of(field) not in flags[field]] == []


# What is no field of a configuration: each has a way of its own.
OTHERS = {
    *("inputs", "name", "time_", "epochs", "steps", "resume", "from_", "force", "task"),
    *("device", "threads", "engine", "quiet"),
}


def test_every_flag_has_a_way_to_where_it_is_used_and_one_alone() -> None:
    program: Any = get_command(app)
    flags = [parameter.name for parameter in program.commands["train"].params]
    assert sorted(flags) == sorted((*OF_CORPUS, *OF_CLASSIFIERS, *OF_NET, *OTHERS))
