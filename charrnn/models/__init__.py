"""The same models in torch, where they learn: ids to logits; knows no text and no file."""
