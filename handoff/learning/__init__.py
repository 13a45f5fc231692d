"""The staff API of the learning loop."""
