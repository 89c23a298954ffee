"""`python -m setia` is `setia`."""

from setia.cli.main import main

if __name__ == "__main__":
    main()
