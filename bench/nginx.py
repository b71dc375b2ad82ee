"""The folder of files for the works of static files, and nginx in front of it: nginx.py PORT."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, "tmp/bench/public")
SIZES = {"1k.txt": 1 << 10, "100k.txt": 100 << 10, "10m.txt": 10 << 20}
CONFIGURATION = """worker_processes 1; daemon off; pid {pid}; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{ sendfile on; tcp_nopush on; access_log off; keepalive_requests 1000000; open_file_cache max=100;
  types {{ text/plain txt; }}
  server {{ listen 127.0.0.1:{port}; root {public}; }} }}
"""


def fill():
    os.makedirs(FOLDER, exist_ok=True)
    for name, size in SIZES.items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(os.urandom(size))


def main():
    path = os.path.join(ROOT, "tmp/bench/nginx.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(CONFIGURATION.format(pid=f"{path}.pid", public=FOLDER, port=sys.argv[1]))
    os.execvp("nginx", ["nginx", "-c", path])


if __name__ == "__main__":
    main()
