"""What the bot knows: articles, the passages that answer a question, and where each answer was quoted from."""
