"""Velocity: what is counted against the rules of a program, and the queue of what a person has to look at."""
