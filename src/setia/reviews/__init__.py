"""Reviews: a person approves or voids the points that a velocity rule has stopped."""
