"""One safetensors file for a model, one for all that resuming needs; knows no torch."""
