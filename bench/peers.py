"""The servers that are measured: as their manuals start them for production, one worker each if not said otherwise."""
import glob
import os
import re
import subprocess

LIMIT = "tmp/bench/limit {port}"
WSLIMIT = "tmp/bench/wslimit {port}"

HTTP = {"iodine07": "iodine", "puma": "puma", "falcon": "falcon"}  # home → gem
REALTIME = {"iodine07": "iodine", "actioncable": "actioncable"}


def iodine(app, threads=1, options="", workers=1):
    program = "GEM_PATH=$BENCH_HOME/iodine ruby -Ilib exe/iodine"
    return f"{program} -t {threads} -w {workers} -p {{port}} {options} bench/apps/{app}.ru"


def iodine07(app, threads=1, options=""):
    return f"{_gem('iodine07', 'iodine')} -t {threads} -w 1 -p {{port}} {options} bench/apps/{app}.ru"


def puma(app, threads=1, options="--quiet"):
    listen = f"-t {threads}:{threads} -w 0 -e production -b tcp://127.0.0.1:{{port}}"
    return f"{_gem('puma', 'puma')} {listen} {options} bench/apps/{app}.ru"


def secure(command):
    """With the certificate that bench/setup made."""
    return command.replace(" -p {port}",
                           " -tls-cert tmp/bench/tls/certificate.pem -tls-key tmp/bench/tls/key.pem -p {port}")


def nginx_tls():
    return "python3 -B bench/secure.py {port}"


def puma_tls(app):
    certificate = "cert=tmp/bench/tls/certificate.pem&key=tmp/bench/tls/key.pem"
    return puma(app).replace("tcp://127.0.0.1:{port}", f"'ssl://127.0.0.1:{{port}}?{certificate}'")


def nginx():
    return "python3 -B bench/nginx.py {port}"


def iodine_files():
    return "GEM_PATH=$BENCH_HOME/iodine ruby -Ilib exe/iodine -t 1 -w 1 -p {port} -www tmp/bench/public"


def falcon(app):
    return f"{_gem('falcon', 'falcon')} serve --count 1 --bind http://127.0.0.1:{{port}} --config bench/apps/{app}.ru"


def action_cable(options=""):
    """Of Rails, on Puma, with the options that wsload needs for it."""
    listen = "-t 4:4 -w 0 -e production -b tcp://127.0.0.1:{port} --quiet"
    channel = """--cable '{"channel":"ChatChannel","listens":true}' --cable-pub '{"channel":"ChatChannel"}'"""
    return f"{_gem('actioncable', 'puma')} {listen} bench/apps/cable.ru :: {channel} {options}"


RAILS = "BUNDLE_GEMFILE=gemfiles/puma.gemfile"


def iodine_rails(options="-w 2 -t 4"):
    return f"{RAILS} bundle exec ruby -Ilib exe/iodine {options} -V 2 -b 127.0.0.1 -p {{port}} examples/rails/config.ru"


def puma_rails(options="-w 2 -t 4:4 --preload"):
    """In its cluster mode. The example runs without iodine there."""
    ruby = f"{RAILS} RUBYLIB=bench/apps/without_iodine bundle exec puma"
    return f"{ruby} {options} -e production --quiet -b tcp://127.0.0.1:{{port}} examples/rails/config.ru"


def _gem(home, executable):
    return f"GEM_HOME=$BENCH_HOME/{home} GEM_PATH=$BENCH_HOME/{home} ruby $BENCH_HOME/{home}/bin/{executable}"


def versions(homes):
    """Name and version of every measured gem, with the Rack beside it, and of nginx."""
    for home, gem in homes.items():
        yield f"{gem} {version(home, gem)} (rack {version(home, 'rack')})"
    if homes is HTTP:
        yield subprocess.run(("nginx", "-v"), capture_output=True, text=True).stderr.split(": ")[-1].strip()


def version(home, gem):
    found = glob.glob(os.path.expandvars(f"$BENCH_HOME/{home}/specifications/{gem}-[0-9]*.gemspec"))
    return re.search(r"-(\d[\d.]*)\.gemspec$", max(found)).group(1) if found else "missing"
