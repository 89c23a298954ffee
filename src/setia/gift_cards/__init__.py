"""Gift cards: money on a code, in entries of its own, and what tills, shops and refunds do with it."""
