"""Serving the notebooks: as pages by Voilà, as notebooks by JupyterLab."""
