"""Referrals: members bring friends; codes, states, self-dealing, rewards as events, the funnel."""
