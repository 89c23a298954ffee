"""The way in: events are read, booked in groups, answered and explained."""
