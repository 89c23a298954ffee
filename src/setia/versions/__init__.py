"""Programs of this installation and their published versions."""
