"""The command line, after clig.dev: data on stdout, messages on stderr, exit codes that mean something.

A module here that has a function `register(app)` adds its commands; `main` finds it by itself. Such a module imports
what it needs inside its commands, so that `setia --help` does not wait for the whole of Setia.
"""
