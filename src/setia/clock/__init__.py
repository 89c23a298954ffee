"""The test clock: a program in test mode has a time of its own, and somebody moves it."""
