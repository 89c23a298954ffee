"""Programs and their versions."""

import sqlalchemy as sa

from setia.db.metadata import metadata

program = sa.Table(
    "program",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False, server_default="live"),
    sa.Column("live_version", sa.Integer),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    # What time it is for a program in test mode; the others live by the real time.
    sa.Column("clock", sa.DateTime(timezone=True)),
    # Members behind `wakes_after` are due since `wakes_at`: `setia.versions.waking`.
    sa.Column("wakes_at", sa.DateTime(timezone=True)),
    sa.Column("wakes_after", sa.Uuid),
    sa.CheckConstraint("mode IN ('live', 'test')", name="mode"),
    sa.CheckConstraint("(clock IS NOT NULL) = (mode = 'test')", name="clock"),
    sa.CheckConstraint("(wakes_at IS NULL) = (wakes_after IS NULL)", name="wakes"),
    # A program may be tried under its own name, beside the live one.
    sa.UniqueConstraint("key", "mode"),
    # The live version exists. The two tables name each other, hence the later ALTER.
    sa.ForeignKeyConstraint(
        ["id", "live_version"],
        ["program_version.program_id", "program_version.number"],
        name="fk_program_live_version",
        use_alter=True,
    ),
)

program_version = sa.Table(
    "program_version",
    metadata,
    sa.Column("program_id", sa.ForeignKey("program.id"), primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    # Text and not jsonb: jsonb sorts keys, and campaigns are shown and evaluated in the order they stand in.
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("published_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("number > 0", name="number"),
    sa.CheckConstraint("digest = sha256(convert_to(definition, 'UTF8'))", name="digest"),
)
