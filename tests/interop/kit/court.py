"""What a judge is given: brokers of the kind under test, a home for files, and a place to report.

It must not know any single judge.
"""
import subprocess
import time

from kit import brokers, wire
from kit.paths import RUNS


class Court:
    """One judge's session; `close` ends every process that it started."""

    def __init__(self, name, kind, quick, record=False):
        self.name, self.kind, self.quick, self.record = name, kind, quick, record
        self.home = RUNS / kind / name
        self.failures, self.checks, self.started, self.notes = [], 0, [], []
        self.produced = {}  # records by partition directory, for the judge that dumps them
        self.begun = time.monotonic()

    def check(self, good, text):
        """Counts a check; the text of a failed one is printed and kept."""
        self.checks += 1
        if not good:
            self.failures.append(text)
            if len(self.failures) <= 40:
                print(f"  FAIL {text}", flush=True)
        return good

    def note(self, text):
        print(f"  {self.seconds():6.1f} s  {text}", flush=True)

    def seconds(self):
        return time.monotonic() - self.begun

    def broker(self, name="broker", kind=None, start=True, **settings):
        """A broker with a data directory of its own; dots in setting names are written as two underscores."""
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        broker = brokers.KINDS[kind or self.kind](self.home / name, settings)
        self.started.append(broker)
        if start:
            broker.start()
        return broker

    def spec(self):
        return brokers.shared_spec()

    def connect(self, broker, timeout=15):
        return wire.Conn(self.spec(), broker.address, timeout)

    def run(self, command, timeout=120, **options):
        """A client program; returns its output, or fails the check and returns None."""
        begun = time.monotonic()
        try:
            done = subprocess.run([str(part) for part in command], timeout=timeout, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        except subprocess.TimeoutExpired as late:
            tail = ((late.stderr or b"") + (late.stdout or b""))[-600:].decode(errors="replace")
            self.check(False, f"{short(command)}: not done in {timeout} s: {tail}")
            return None
        text = done.stdout.decode(errors="replace")
        if done.returncode != 0:
            tail = (done.stderr[-900:] + done.stdout[-300:]).decode(errors="replace")
            self.check(False, f"{short(command)}: exit {done.returncode} after {time.monotonic() - begun:.1f} s: {tail}")
            return None
        return text

    def close(self):
        for broker in self.started:
            broker.stop()


def short(command):
    """A command line for people: class paths and long lists cut."""
    return " ".join(part if len(part := str(word)) < 60 else part[:20] + "..." for word in command)[:300]
