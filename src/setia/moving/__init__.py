"""Points that move: between members, between point types, and between members who turn out to be one."""
