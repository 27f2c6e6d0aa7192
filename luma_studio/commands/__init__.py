"""Commands in families: each module is one, and ``cli.py`` puts them together."""
