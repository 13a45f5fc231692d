"""The bot does without TensorFlow, and says so where somebody would need it."""

from __future__ import annotations

import subprocess
import sys

from bot import settings

_CHECK = """
import sys
sys.path.insert(0, {root!r})
from bot import without_tensorflow
without_tensorflow.install()
import rasa.core.agent
import tensorflow
from rasa.utils.tensorflow.callback import RasaTrainingLogger
assert not hasattr(tensorflow, "__file__"), tensorflow.__file__
try:
    RasaTrainingLogger(1, True)
except RuntimeError as error:
    assert "needs TensorFlow" in str(error), error
else:
    raise AssertionError("a network could be trained without TensorFlow")
"""


def test_rasa_loads_without_tensorflow_and_names_what_needs_it() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _CHECK.format(root=str(settings.ROOT))], capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
