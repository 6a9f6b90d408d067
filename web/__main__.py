"""`python -m web`: the command line without its console script."""

from web.cli import main

main()
