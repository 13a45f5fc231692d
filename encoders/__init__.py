"""Sentence encoders that travel inside packages; read by the bot and by the knowledge base, so it runs on both Pythons."""
