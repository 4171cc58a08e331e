"""What people see: the only part that knows Rich, tqdm, plotext, and whether there is a terminal."""
