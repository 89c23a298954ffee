"""Jobs: work that no request waits for, run by Procrastinate in any number of processes."""
