"""The TF-IDF contender's own process: reads draw.json in a folder, writes probabilities.npy, prints what it cost."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np


def run(folder: Path) -> None:
    """Fit on words and word pairs, and print CPU seconds and MB as JSON."""
    began = time.process_time()
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    experiment = json.loads((folder / "draw.json").read_text())
    texts, roles = zip(*experiment["train"], strict=True)
    imported = time.process_time()
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)
    )
    model.fit(texts, roles)
    done = time.process_time()
    peak = float(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    found = model.predict_proba([text for text, _ in experiment["judged"]])
    probabilities = np.zeros((len(found), len(experiment["roles"])), dtype=np.float32)
    probabilities[:, [experiment["roles"].index(role) for role in model.classes_]] = found
    np.save(folder / "probabilities.npy", probabilities)
    print(json.dumps({"cpu": done, "fit": done - imported, "peak_mb": peak, "began": began}))


if __name__ == "__main__":
    run(Path(sys.argv[1]))
