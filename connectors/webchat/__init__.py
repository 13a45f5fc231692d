"""The chat widget's channel: its socket, the polling fallback, files, and the widget itself."""
