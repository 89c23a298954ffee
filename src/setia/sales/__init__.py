"""Sales: points that members buy for money, and give back."""
