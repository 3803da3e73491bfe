"""Installs by name through the ordinary clients, once; a stamp of the inputs makes the next run quick.

It must not name a registry: each client uses the machine's own settings.
"""
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess

from kit.paths import CLASSES, GO, HERE, JAVA44, NODE, TARGET, TOOL_CLASSES, TOOLS43, VENV

PYTHON_PACKAGES = [
    "confluent-kafka==2.16.1", "kafka-python==3.0.12", "aiokafka==0.14.0",
    "lz4", "zstandard", "cramjam", "python-snappy",
]
# kafkajs has only gzip inside. The zstd and lz4 codecs are WebAssembly, JavaScript or prebuilt, because the
# packages with Kafka in their name compile an old C binding that current Node cannot build; fzstd reads
# frames that do not state their content size.
NODE_PACKAGES = ["kafkajs@2.2.4", "kafkajs-snappy", "lz4-napi", "@bokuweb/zstd-wasm", "fzstd"]


def run_quietly(command, cwd=None, env=None, timeout=600):
    """Runs a command; on failure the end of its output is the error."""
    done = subprocess.run(command, cwd=cwd, env=env, timeout=timeout, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}")
    return done.stdout


@contextlib.contextmanager
def turn(name):
    """Judges that run at once must not install the same thing twice."""
    lock = TARGET / "stamps" / f"{name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def once(name, inputs, work):
    """Calls `work` unless a stamp says that it was done for the same inputs."""
    digest = hashlib.sha256("\0".join(inputs).encode()).hexdigest()
    stamp = TARGET / "stamps" / name
    with turn(name):
        if stamp.exists() and stamp.read_text() == digest:
            return
        print(f"install  {name}", flush=True)
        work()
        stamp.write_text(digest)


def maven(name, pom, into):
    """Copies what a pom depends on into a folder."""
    def work():
        shutil.rmtree(into, ignore_errors=True)
        run_quietly(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={into}"])
    once(name, [pom.read_text(), str(into)], work)


def kafka():
    """The jars of the broker and the clients 4.4.0: all that the raw judges need."""
    TARGET.mkdir(parents=True, exist_ok=True)
    maven("java44", HERE / "clients/java/pom.xml", JAVA44)


def java():
    """Kafka 4.4.0, the tools of 4.3.1, and our small programs compiled on 4.4.0."""
    kafka()
    maven("tools43", HERE / "clients/java/tools/pom.xml", TOOLS43)
    compile_java("classes", HERE / "clients/java", JAVA44, CLASSES)
    compile_java("tool-classes", HERE / "clients/java/tools", TOOLS43, TOOL_CLASSES)


def compile_java(name, folder, jars, into):
    """Our small programs of one folder against one set of jars."""
    sources = sorted(folder.glob("*.java"))

    def work():
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir(parents=True)
        run_quietly(["javac", "-nowarn", "-cp", f"{jars}/*", "-d", into, *sources])
    once(name, [source.read_text() for source in sources], work)


def python():
    """A virtual environment with the Python clients."""
    def work():
        run_quietly(["python3", "-m", "venv", VENV])
        run_quietly([VENV / "bin/pip", "install", "-q", *PYTHON_PACKAGES])
    once("venv", PYTHON_PACKAGES, work)


def node():
    """kafkajs and codecs; no lock file is kept."""
    def work():
        shutil.rmtree(NODE, ignore_errors=True)
        NODE.mkdir(parents=True)
        (NODE / "package.json").write_text('{"name":"interop","private":true}\n')
        run_quietly(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", *NODE_PACKAGES], cwd=NODE)
    once("node", NODE_PACKAGES, work)
    for program in ("roundtrip.js", "group_member.js"):
        shutil.copy(HERE / "clients/node" / program, NODE / program)


def go():
    """One binary with franz-go and sarama; go.sum is made under target."""
    files = [HERE / "clients/go" / name for name in ("go.mod", "main.go", "franz.go", "group.go", "sarama.go")]

    def work():
        GO.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(file, GO / file.name)
        env = dict(os.environ, GOFLAGS="-mod=mod -buildvcs=false")
        run_quietly(["go", "build", "-o", "roundtrip", "."], cwd=GO, env=env)
    once("go", [file.read_text() for file in files], work)


def kcat():
    """kcat from the system's package manager, with sudo if we are not root."""
    with turn("kcat"):
        if shutil.which("kcat"):
            return
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        # A new machine has no package lists, or old ones.
        run_quietly([*sudo, "apt-get", "update"])
        run_quietly([*sudo, "apt-get", "install", "-y", "--no-install-recommends", "kcat"])
