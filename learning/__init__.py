"""What the bot is taught: the examples of its intents, what went wrong, and what was taught because of it."""
