"""What runs a language model on this machine: the native library where it is there, else NumPy."""

from __future__ import annotations

from charrnn.checkpoint.container import Tensors
from charrnn.config import ModelConfig
from charrnn.inference.native_net import NativeReader
from charrnn.inference.native_writer import NativeWriter
from charrnn.inference.stepper import NumpyStepper, Reader
from charrnn.inference.writer import StepWriter, Writer
from charrnn.native.library import native


def writer(config: ModelConfig, tensors: Tensors) -> Writer:
    """What writes text with these weights."""
    if library := native():
        return NativeWriter(library, config, tensors)
    return StepWriter(NumpyStepper(config, tensors))


def reader(config: ModelConfig, tensors: Tensors) -> Reader:
    """What reads text with these weights."""
    if library := native():
        return NativeReader(library, config, tensors)
    return NumpyStepper(config, tensors)
