"""Contacts: the pane beside a conversation, edits, tickets, merges."""
