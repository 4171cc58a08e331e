"""An optional C library under the same equations, by ctypes; everything works without it."""
