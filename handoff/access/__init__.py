"""Who may come in: second factors, API keys, and what auditors read."""
