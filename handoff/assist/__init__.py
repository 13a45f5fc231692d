"""What the console offers an agent for the contact's last message: passages, similar conversations, a reply, the bot's answer."""
