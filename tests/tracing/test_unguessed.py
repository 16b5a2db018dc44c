"""The exporter's HTTP client without its guesser of encodings."""

import subprocess
import sys

SCRIPT = """
import sys, warnings
warnings.simplefilter("error")
from chimney.tracing.unguessed import import_requests
import_requests()
import chimney.tracing.export, requests
assert "charset_normalizer" not in sys.modules
answer = requests.Response()
answer._content = "Grüße".encode() + b"\\xff"
assert answer.text.startswith("Grüße"), answer.text
import charset_normalizer  # others may have it
"""


def test_the_guesser_is_not_loaded_and_texts_are_read_all_the_same() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
