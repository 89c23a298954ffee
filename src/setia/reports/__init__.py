"""Reports: what a program has given, taken and owes, for people who keep books."""
