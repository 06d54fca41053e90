"""Fit the models that name sitting postures, or print how right they are on people left out.

``python -m benchmarks.posture [DATASET]`` prints the table; ``--fit`` writes `processing/weights/postures.json`
and `processing/weights/fine_motion.npz`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from processing import posture
from spineclip import posture_sessions, posture_trials

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path, nargs="?", default=Path("../shared/data/sitting_posture"))
    parser.add_argument("--fit", action="store_true", help="write the models, fitted to everybody in the dataset")
    options = parser.parse_args()
    trials = posture_trials.read(options.dataset)
    if options.fit:
        posture_trials.write(posture_trials.described(trials), posture.WEIGHTS, posture.FINE)
    else:
        for page in posture_sessions.pages(trials, shipped_only=False):
            print(page)
