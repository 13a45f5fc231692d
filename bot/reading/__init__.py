"""What a message says once its spelling is set right: the text that is understood, beside the text that was written."""
