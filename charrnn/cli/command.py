"""A verb's command line: what Typer lets pass and we refuse."""

from __future__ import annotations

from collections import Counter
from typing import Any

from typer.core import TyperCommand, TyperOption

from charrnn.errors import UsageError


class Command(TyperCommand):
    """A command of which no option counts that a later one would silently replace."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the words after the verb into `ctx.params`.

        Raises:
            UsageError: if an option of one value is given twice.
        """
        words = args.copy()  # Typer's parser takes them away
        rest = super().parse_args(ctx, args)
        if not ctx.resilient_parsing:  # as completion does
            self._refuse_twice(ctx, words)
        return rest

    def _refuse_twice(self, ctx: Any, words: list[str]) -> None:
        _, _, in_order = self.make_parser(ctx).parse_args(words)
        for option, times in Counter(in_order).items():
            takes_one = isinstance(option, TyperOption) and not (option.is_flag or option.multiple)
            if takes_one and times > 1:
                raise UsageError(
                    f"{'/'.join(option.opts)}: given twice", "it takes one value: leave out all but one"
                )
