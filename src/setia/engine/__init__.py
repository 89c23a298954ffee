"""How an event is decided: pure functions of a program version, a member's state, the event and the time."""
