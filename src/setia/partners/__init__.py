"""Partners that deliver rewards: what they are told, how it is signed and sent, and what they answer."""
