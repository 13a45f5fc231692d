"""How a message feels: negative, neutral or positive, and how upset its writer is, in Chinese and English."""
