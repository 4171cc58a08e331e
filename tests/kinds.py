"""Every kind of net that can be trained."""

from charrnn.cells import CELLS
from charrnn.config import NONLINEARITIES

# A cell and its nonlinearity: only the plain one has a choice.
KINDS = [("rnn", nonlinearity) for nonlinearity in NONLINEARITIES] + [
    (cell, "tanh") for cell in CELLS if cell != "rnn"
]
