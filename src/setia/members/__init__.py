"""Members: who they are, how events name them, and what may be said of them."""
