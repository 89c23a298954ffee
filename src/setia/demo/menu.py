"""What the coffee bar sells."""

from __future__ import annotations

from typing import NamedTuple


class Article(NamedTuple):
    """One thing on the menu. `price` is in cents."""

    sku: str
    name: str
    category: str
    price: int
    popularity: int
    has_milk: bool = False


OAT_SURCHARGE = 40
"""What oat milk costs on top, in cents."""

HOT = (
    Article("ESP-1", "Espresso", "coffee", 220, 12),
    Article("FIL-1", "Filter coffee", "coffee", 290, 14),
    Article("CAP-1", "Cappuccino", "coffee", 360, 30, has_milk=True),
    Article("FLW-1", "Flat white", "coffee", 390, 16, has_milk=True),
    Article("LAT-1", "Latte", "coffee", 410, 18, has_milk=True),
    Article("TEA-1", "Darjeeling", "tea", 320, 8),
    Article("CHO-1", "Hot chocolate", "chocolate", 420, 6, has_milk=True),
)
ICED = (
    Article("ILA-1", "Iced latte", "iced", 450, 40, has_milk=True),
    Article("CBR-1", "Cold brew", "iced", 430, 35),
    Article("ITE-1", "Iced tea", "iced", 390, 25),
)
FOOD = (
    Article("CRO-1", "Croissant", "bakery", 240, 35),
    Article("BUN-1", "Cinnamon bun", "bakery", 340, 25),
    Article("CAK-1", "Cheesecake", "bakery", 450, 15),
    Article("SAN-1", "Cheese sandwich", "food", 590, 15),
    Article("BOW-1", "Granola bowl", "food", 680, 10),
)
BEANS = (
    Article("BEA-250", "House espresso, 250 g", "beans", 990, 60),
    Article("BEF-250", "Filter roast, 250 g", "beans", 1190, 40),
)
GIFT_CARDS = (
    Article("GIF-20", "Gift card 20", "gift_card", 2000, 70),
    Article("GIF-50", "Gift card 50", "gift_card", 5000, 30),
)

ICED_SHARE = (0.02, 0.02, 0.05, 0.12, 0.24, 0.42, 0.50, 0.46, 0.24, 0.08, 0.03, 0.02)
"""Which part of the drinks is iced, from January to December."""
