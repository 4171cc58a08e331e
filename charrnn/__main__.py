"""`python -m charrnn`: the same as the console script."""

from charrnn.cli.app import main

main()
