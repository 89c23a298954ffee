"""Who is asking: API keys, their scopes, and the caller an endpoint names in its signature."""
