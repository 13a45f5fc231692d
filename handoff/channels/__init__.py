"""The staff side of channel accounts: how they do, trying them out, and what they could not deliver."""
