"""`charrnn sample`: text to stdout, as it comes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from charrnn.cli import options
from charrnn.cli import prompt as prompts
from charrnn.cli.engine import choose as choose_engine
from charrnn.cli.threads import asked_for, prepare_threads
from charrnn.config import DEFAULT_UNKNOWN, EXACT, MAX_SEED, SamplingConfig
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Checkpoint
    from charrnn.inference.generate import Piece
    from charrnn.inference.language_model import LanguageModel
    from charrnn.inference.writer import Writer
    from charrnn.terminal.streams import Product
    from charrnn.text.tokenizer import Tokenizer


def sample(
    model: options.Model = None,
    prompt: options.Prompt = None,
    length: options.Length = SamplingConfig.length,
    count: options.Count = 1,
    temperature: options.Temperature = SamplingConfig.temperature,
    top_k: options.TopK = SamplingConfig.top_k,
    top_p: options.TopP = SamplingConfig.top_p,
    min_p: options.MinP = SamplingConfig.min_p,
    stop: options.Stop = SamplingConfig.stop,
    seed: options.Seed = None,
    unknown: options.Unknown = DEFAULT_UNKNOWN,
    no_echo: options.NoEcho = False,
    json: options.Json = False,
    device: options.SampleDevice = "cpu",
    threads: options.Threads = None,
    engine: options.Engine = None,
    quiet: options.Quiet = False,
) -> None:
    """Write text like the text that a model was trained on.

    The prompt is printed first; it is --prompt, or standard input when something is piped in.
    """
    prepare_threads(asked_for(threads))
    choose_engine(engine)
    import secrets

    from charrnn.cli.models import announce, load
    from charrnn.inference.generate import generate_each
    from charrnn.terminal.notes import note
    from charrnn.terminal.streams import Product

    stop = prompts.utf_8(stop or "", "--stop") or None
    product = Product()
    checkpoint = load(announce(model, quiet=quiet))
    can_stop = _can_stop(checkpoint.tokenizer, stop, quiet=quiet)
    if not (length or can_stop or checkpoint.has_endings):
        _refuse_endless(count, as_json=json)
    text = prompts.given(prompt, "--prompt", "a prompt", quiet=quiet)
    language_model = _on_device(checkpoint, device)
    ids = prompts.encoded(checkpoint, checkpoint.as_read(text), unknown, quiet=quiet)
    if seed is None:
        seed = secrets.randbelow(EXACT - count)
        note(f"seed {seed}", quiet=quiet)
    sampling = SamplingConfig(
        length=length, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, stop=stop
    )
    seeds = range(seed, seed + count)
    pen, tokenizer, has_endings = language_model.writer, language_model.tokenizer, checkpoint.has_endings
    texts = generate_each(pen, tokenizer, ids, sampling, seeds, has_endings=has_endings, scored=json)
    try:
        if json:
            _write_json(product, text, zip(seeds, texts, strict=True))
        else:
            _write_text(product, "" if no_echo else text, texts)
    finally:
        _end(product)


def _end(product: Product) -> None:
    """Leaves a terminal at the start of a line, and nothing unwritten."""
    if product.is_terminal and not product.at_line_start:
        product.write("\n")
    product.flush()


def _write_text(product: Product, prompt: str, texts: Iterable[Iterable[Piece]]) -> None:
    echo = prompts.readable(prompt) if product.is_terminal else prompt
    for index, pieces in enumerate(texts):
        if index:
            product.write("\n" if product.at_line_start else "\n\n")
        product.write(echo, errors="surrogateescape")
        for piece in pieces:
            product.write(piece.text)


def _write_json(product: Product, prompt: str, texts: Iterable[tuple[int, Iterable[Piece]]]) -> None:
    import json

    from charrnn.inference.generate import bits_per_character

    for seed, of_one in texts:
        pieces = list(of_one)
        text = "".join(piece.text for piece in pieces)
        bits = bits_per_character(sum(piece.nats for piece in pieces), len(text))
        found = {
            "prompt": prompts.readable(prompt),
            "text": text,
            "seed": seed & MAX_SEED,
            "bits_per_char": bits,
        }
        product.write(json.dumps(found) + "\n")


def _can_stop(tokenizer: Tokenizer, stop: str | None, *, quiet: bool) -> bool:
    """Whether a text that a model can write ends its texts; a note says so of one that it cannot."""
    from charrnn.terminal.notes import note

    if stop is None or tokenizer.unknown is None or tokenizer.unknown not in tokenizer.encode(stop):
        return stop is not None
    note("--stop has a character that is not in the model's vocabulary: it will end no text", quiet=quiet)
    return False


def _refuse_endless(count: int, *, as_json: bool) -> None:
    """Refuses what a text without an end would keep from being written.

    Raises:
        UsageError: naming the flag.
    """
    if as_json:
        raise UsageError(
            "--length 0 --json: nothing ends a text of this model, so none would be written",
            "--length N or --stop TEXT ends it; without --json it comes as it grows",
        )
    if count > 1:
        raise UsageError(
            f"--length 0 -n {count}: nothing ends a text of this model, so only the first would be written",
            "--length N or --stop TEXT ends it",
        )


def _on_device(checkpoint: Checkpoint, device: str) -> LanguageModel:
    from charrnn.inference.language_model import LanguageModel

    writer: Writer | None = None
    if device != "cpu":
        # Imported here: torch takes longer to import than a sample to be written.
        from charrnn.inference.writer import StepWriter
        from charrnn.models.device import choose
        from charrnn.models.stepper import TorchStepper

        writer = StepWriter(TorchStepper(checkpoint, choose(device)))
    return LanguageModel(checkpoint, writer)
