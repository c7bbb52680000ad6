"""`python -m agent.fitting.process.download_dataset ID SPLIT FILE`: a data set of the hub as a Parquet file.

Only data files are read, never a repository's loading script. HF_TOKEN and HF_ENDPOINT count as they do everywhere.
"""

from __future__ import annotations

import sys


def main(dataset: str, split: str, target: str) -> None:
    """Fetch one split and write it."""
    import datasets

    datasets.disable_progress_bars()
    datasets.load_dataset(dataset, split=split).to_parquet(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
