"""nginx with nchan (Debian's libnginx-mod-nchan) as a yardstick of fan-out: one worker, one channel, event streams."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.nginx import Nginx, until_answers
from bench.start import free_port

CONFIGURATION = """
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off; worker_processes 1; worker_rlimit_nofile 20000; user root;
pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 12000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 100000000;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = / {{ return 204; }}
    location = /pub {{ nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 1000; }}
    location = /sub {{ nchan_subscriber eventsource; nchan_channel_id bench; }}
  }}
}}
"""


@contextmanager
def nchan() -> Iterator[Nginx]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "nginx.conf"
        file.write_text(CONFIGURATION.format(folder=folder, port=port))
        program = "/usr/sbin/nginx" if os.access("/usr/sbin/nginx", os.X_OK) else "nginx"
        process = subprocess.Popen([program, "-c", str(file), "-p", folder], stderr=subprocess.DEVNULL)
        try:
            until_answers(f"http://127.0.0.1:{port}/")
            yield Nginx(process, port)
        finally:
            process.terminate()
            process.wait(10)
