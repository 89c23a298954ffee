"""What the database layer raises when it cannot serve at all."""


class DatabaseError(Exception):
    """The base: a sentence for the operator, with what to do."""


class EmbeddedServerError(DatabaseError):
    """The embedded server cannot be made, started or stopped."""


class NewerDatabaseError(DatabaseError):
    """The database was brought to tables that this version does not know."""
