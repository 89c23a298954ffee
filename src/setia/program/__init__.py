"""What a program is: its definition, YAML in and out, lint, the names its expressions may use, and templates."""
