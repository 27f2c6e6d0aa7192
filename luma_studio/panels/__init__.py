"""Panels: widgets that show a production and change it."""
