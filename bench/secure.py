"""TLS handshakes and a large file; nginx with TLS: secure.py PORT. `bench/setup` makes the certificate and the file."""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, "tmp/bench/tls")
CERTIFICATE = f"{FOLDER}/certificate.pem"
KEY = f"{FOLDER}/key.pem"
CONFIGURATION = """worker_processes 1; daemon off; pid {temporary}/pid; error_log stderr crit; {user}
events {{ worker_connections 4096; }}
http {{ sendfile on; tcp_nopush on; access_log off; keepalive_requests 1000000; open_file_cache max=100;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {certificate}; ssl_certificate_key {key};
  server {{ listen 127.0.0.1:{port} ssl; root {folder}/public;
    location = / {{ default_type text/plain; return 200 "Hello World"; }} }} }}
"""


def handshakes(server, seconds, reuse):
    """A connection and a request each, one after the other, by openssl s_time. How many."""
    words = ["openssl", "s_time", "-connect", f"127.0.0.1:{server.port}", "-www", "/", "-time", str(seconds)]
    done = subprocess.run([*words, "-reuse" if reuse else "-new"], capture_output=True, text=True)
    return int(re.search(r"(\d+) connections in \d+ real seconds", done.stdout).group(1))


def downloads(server, seconds, path="/100m.bin", size=100_000_000):
    """The file again and again, by curl. How many."""
    words = ["curl", "-sk", "-o", os.devnull, "-w", "%{size_download}", server.url(path, "https")]
    sizes = [subprocess.run(words, capture_output=True, text=True, check=True).stdout for _ in range(seconds)]
    return sizes.count(str(size))


def measure(command, load, seconds=3, **options):
    from server import Failure, Server  # nginx needs none of it
    with Server(command) as server:
        load(server, 1, **options)
        before = sum(server.cpu())
        count = load(server, seconds, **options)
        if count == 0:
            raise Failure("no figure: nothing came")
        return {"times": count, "CPU µs": (sum(server.cpu()) - before) * 1e6 / count, "RSS MB": server.rss() / 1e6}


def main():
    temporary = tempfile.mkdtemp()
    path = os.path.join(temporary, "nginx.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(CONFIGURATION.format(temporary=temporary, folder=FOLDER, certificate=CERTIFICATE, key=KEY,
                                        port=sys.argv[1], user="" if os.geteuid() else "user root;"))
    os.execvp("nginx", ["nginx", "-c", path])


if __name__ == "__main__":
    main()
