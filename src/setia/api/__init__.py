"""What every endpoint shares: the app factory, problem details, pages, idempotency and the OpenAPI document."""
