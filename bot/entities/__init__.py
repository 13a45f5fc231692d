"""The entity catalogue: what kinds of things customers name, how each is found in a text, and what value it stands for."""
