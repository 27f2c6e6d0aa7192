"""Sample arithmetic, levels, loudness and codecs; knows nothing of scripts or files of ours."""
