"""What can be wrong with an import as a whole. What is wrong with one row stands in the report."""

from setia.problems import BadRequest, Problem, Unprocessable


class FileUnreadable(BadRequest):
    """The file cannot be read as what the map says it is; nothing was imported."""

    code = "file_unreadable"
    title = "The file cannot be read"


class FileDamaged(Unprocessable):
    """The file breaks off or is broken in the middle. What stands before it was imported."""

    code = "file_damaged"
    title = "The file is damaged"


class DatabaseAway(Problem):
    """The database went away and did not come back in time. The same import again continues."""

    status = 503
    code = "database_away"
    title = "The database is away"
