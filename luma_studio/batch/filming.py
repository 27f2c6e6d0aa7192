"""What ``batch_video.ipynb`` does beyond a narration: a film that is not whole is no run that ended well."""

from __future__ import annotations

from luma_studio.errors import VideoError
from luma_studio.film import Film


def check_whole(film: Film) -> None:
    """Raise VideoError, with what is missing, for a film that is not whole; what there is of it is kept."""
    if film.status == "success":
        return
    running = [f"{each.scene_id}: {each.message}" for each in film.results if each.status != "completed"]
    said = " ".join((*film.errors, *(each for each in running if each not in film.errors)))
    raise VideoError(f"The film is not whole. {said} Run it again: only what is missing is filmed.")
