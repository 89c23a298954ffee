"""Importing: files of purchases, mapped to events and booked the way every other event is."""
