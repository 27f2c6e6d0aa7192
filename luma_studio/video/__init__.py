"""Film: photos that talk, stills that move, and scenes put together; embedded engines, and vendors'."""
