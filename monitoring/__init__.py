"""How the desk is watched: metrics, traces, and logs without anybody's words. Only ``app.py`` knows this room."""
