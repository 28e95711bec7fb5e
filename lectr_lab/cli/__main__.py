"""`python -m lectr_lab.cli` is `lectr-lab`."""

from lectr_lab.cli.app import main

if __name__ == "__main__":
    main()
