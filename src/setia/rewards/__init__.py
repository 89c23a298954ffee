"""What points buy: redemptions in two steps, their stock and their codes."""
