"""What is kept on disk: whole files, takes by fingerprint, encoded runs."""
