"""A made-up coffee bar with members and a year of purchases, to watch a program run. It never touches real data."""
