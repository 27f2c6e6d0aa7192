"""Where each take and each silence lies, and what is made of that: master, captions, chapters, audit."""
