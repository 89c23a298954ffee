"""What comes due beside members' own time: holds, cards, links; one list for the jobs, the test clock and operators."""
