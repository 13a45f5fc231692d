"""Teams: who serves what, and how it is set up."""
