"""Bytes on disk, strings, ids and batches; knows no network and no torch."""
