"""Exits with 0 when this container is ready: /readyz is a plain 200. A redirect is a failure."""

import http.client
import os
import sys

connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8080")), timeout=2)
try:
    connection.request("GET", "/readyz")
    status = connection.getresponse().status
except OSError as error:
    sys.exit(f"/readyz: {error}")
sys.exit(0 if status == 200 else f"/readyz: {status}")
