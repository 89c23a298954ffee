"""The table of wrong codes."""

import sqlalchemy as sa

from setia.db.metadata import metadata

# Codes that were asked for and are none: by key (`who`) and by hour, so that nobody guesses on. Of what counts once an
# hour there is a row each, by key and hash.
code_guess = sa.Table(
    "code_guess",
    metadata,
    sa.Column("hour", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("program_id", sa.ForeignKey("program.id"), primary_key=True, autoincrement=False),
    sa.Column("who", sa.Text, primary_key=True),
    sa.CheckConstraint("failures > 0", name="failures"),
)
