"""The Rasa island: what a message means and what the dialogue does next. Runs on Python 3.10, apart from the service."""
