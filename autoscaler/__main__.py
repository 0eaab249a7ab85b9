"""`python -m autoscaler`: the same program as the console script `autoscaler`."""

from autoscaler.service.cli import main

if __name__ == "__main__":
    main()
