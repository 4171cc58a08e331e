"""Settings as frozen values; every default of the program stands here and nowhere else.

What only one moment can tell (the seed, the size that fits a budget, the rate of a size) is `None` in
a request and filled in by `training/plan.py`; after that a configuration is complete and never changes.
"""

from __future__ import annotations

from dataclasses import dataclass

LEVELS = ("char", "byte", "word", "subword")
# At the other, byte, a language model takes bytes as they are, whatever their encoding.
DECODED_LEVELS = ("char", "word", "subword")
# Whose vocabularies are so large that embedding and output share one matrix.
TIED_LEVELS = ("word", "subword")
SUBWORDS = ("unigram", "bpe")
NONLINEARITIES = ("tanh", "logistic", "relu")
INITS = ("orthogonal", "identity", "chrono")
NEWLINES = ("keep", "lf")
UNKNOWNS = ("unk", "skip", "error")
DEFAULT_UNKNOWN = "unk"
ENGINES = ("auto", "native", "plain")
DEVICES = ("auto", "cpu", "cuda", "mps")
LANGUAGE_MODEL, CLASSIFIER = "language-model", "classifier"
TASKS = (LANGUAGE_MODEL, CLASSIFIER)
CLASS_WEIGHTS = ("none", "balanced")
VIEWS = ("next", "surprise", "gradients", "runs")
MODEL_VARIABLE = "CHARRNN_MODEL"  # of the environment: the model where none is named

# Marks a target that is not scored. One int is all that text/ and models/ share.
IGNORED = -100

# Above this the full softmax and its table stop being small (and a checkpoint's header, where the
# characters are listed, would pass its limit).
MAX_CHARACTERS = 200_000
WORDS = 10_000  # of the commonest words, at most, at level word
READ_WORDS = 30_000  # the same for a model that only reads, in lower case
POOLED = ("max", "mean")  # over time, what a classifier answers from
# Of a budget, for a classifier's first stage, in which its net learns to foresee words, where there is one.
PRETRAINING_SHARE = 0.5
SAMPLED = 512  # ids that the right one is told from in that stage, if the vocabulary is larger
LIKELIEST = 10  # of the tokens that may come next, where one looks at them
MAX_VOCABULARY = 200_000  # words or pieces that can be asked for
MOST_READ = 2**18  # ids that the vocabulary of a file may have, by whatever version it was written
TIED_EMBEDDING = 128  # dimensions of a token that stands for several characters
MAX_SEED = 2**64 - 1
EXACT = 2**53  # whole numbers below it are the same in every reader of JSON
# What tells a run's folder, whose files are nobody's texts.
MODEL_FILE, STATE_FILE, LOCK_FILE = "model.safetensors", "last.safetensors", ".lock"
MAX_HIDDEN = 65_536
MAX_LAYERS = 64
MAX_MEMBERS = 64
MAX_DROPPED = 0.95  # share of what a net works with: something has to be left
MAX_THREADS = 1024


@dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """How bytes on disk become ids; a change of any of these is another corpus."""

    level: str = "char"
    subword: str = "unigram"  # how SentencePiece finds its pieces
    vocab_size: int | None = None  # words or pieces besides bytes; WORDS, or what suits the text's length
    encoding: str = "utf-8"
    newline: str = "keep"
    lines: bool = False
    val_fraction: float = 0.1


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of a language model: everything that says which tensors it has."""

    vocab_size: int
    hidden_size: int
    # Characters need few dimensions, and an input as wide as the hidden state costs the fused kernels
    # as much as the recurrence itself.
    embedding_size: int = 32
    num_layers: int = 1
    cell: str = "gru"  # ahead of lstm at every budget measured (docs/recipe.md)
    nonlinearity: str = "tanh"  # of the cell `rnn`; the gated cells have theirs
    zoneout: float = 0.0  # part of the equations: a trained model keeps this share of its state at every step
    tied: bool = False  # one matrix for embedding and output, for large vocabularies
    backward: bool = False  # reads from the end of a text to its beginning


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The recipe; docs/recipe.md has the measurements behind it."""

    seed: int
    learning_rate: float
    dropout: float
    # Many small steps beat few large ones as long as the matrix products stay efficient.
    batch_size: int = 16
    seq_len: int = 64
    stream_windows: int = 64  # a stream starts from a state of zeros every so many windows
    init: str = "orthogonal"
    dropout_input: float = 0.0
    weight_drop: float = 0.0  # share of the recurrent weights left out
    clip: float = 0.25
    clip_value: float | None = None
    weight_decay: float = 0.01
    adam_beta1: float = 0.9
    adam_beta2: float = 0.99
    averaging: float = 0.995  # share of the old weights in the moving average, per step
    warmup: float = 0.03  # share of the budget in which the rate rises from 0
    evaluations: int = 20
    evaluation_tokens: int  # size of the fixed slice of validation text that evaluations score


@dataclass(frozen=True, kw_only=True)
class PretrainingConfig(TrainingConfig):
    """The recipe of a classifier's first stage, where it is not that of any language model."""

    learning_rate: float = 0.004
    dropout: float = 0.1
    # With embeddings this large a step over fewer tokens would mostly be the optimiser's.
    batch_size: int = 64
    clip: float = 1.0
    evaluations: int = 8
    evaluation_tokens: int = 16_384  # of each direction: the vocabulary is scored in full there


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How the next token is drawn and when a sample ends."""

    length: int = 500  # generated characters; 0 = until something stops it
    temperature: float = 0.8
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    stop: str | None = None


@dataclass(frozen=True)
class Budget:
    """How long to train: an amount of `seconds`, `steps` or `epochs`."""

    unit: str = "seconds"
    amount: float = 300.0


@dataclass(frozen=True, kw_only=True)
class LabelledConfig:
    """How labelled files become documents of ids; a change of any of these is another corpus."""

    level: str = "word"  # folded: in lower case and without white space
    subword: str = CorpusConfig.subword
    vocab_size: int | None = None  # READ_WORDS, or what suits the text's length
    encoding: str = CorpusConfig.encoding
    val_fraction: float = CorpusConfig.val_fraction
    label_column: str | None = None
    text_column: str | None = None
    class_weights: str = "none"


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """The shape of a classifier's net: everything that says which tensors it has."""

    vocab_size: int
    classes: int
    hidden_size: int = 64
    embedding_size: int = 64
    num_layers: int = 1
    cell: str = "lstm"  # without the library by far the fastest for short texts (docs/classify-recipe.md)
    nonlinearity: str = ModelConfig.nonlinearity
    zoneout: float = ModelConfig.zoneout
    bidirectional: bool = True
    members: int = 1  # nets of this shape that answer together


@dataclass(frozen=True, kw_only=True)
class FineTuningConfig:
    """The recipe of a classifier; docs/classify-recipe.md has the measurements behind it."""

    seed: int
    learning_rate: float = 0.006
    dropout: float = 0.3  # of what the answer is made of; more where texts are read often
    dropout_words: float = 0.1  # share of a text's distinct tokens read as unknown; more of long texts
    batch_size: int = 16  # documents of about the same length
    init: str = TrainingConfig.init
    weight_drop: float = TrainingConfig.weight_drop
    clip: float = 1.0
    clip_value: float | None = TrainingConfig.clip_value
    weight_decay: float = TrainingConfig.weight_decay
    adam_beta1: float = TrainingConfig.adam_beta1
    adam_beta2: float = TrainingConfig.adam_beta2
    averaging: float = 0.99
    warmup: float = 0.05
    evaluations: int = 8
    evaluation_tokens: int


# What AdamW, a step and the loop go by, whatever is learnt.
AnyTraining = TrainingConfig | FineTuningConfig
