"""Temporary files, free ports, and processes that end with the run. Knows nothing of mail.

Invariant: only what was started here is ended here, by its own process id or by its own stop command.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path


class Missing(Exception):
    """Something that a case needs is not installed here; its text says what."""


def require(*commands):
    """Raises Missing with a plain word for the first command that is not installed."""
    for command in commands:
        if shutil.which(command) is None:
            raise Missing(f"{command} is not installed")


def require_root():
    """Raises Missing where the servers' own accounts cannot be used."""
    if os.geteuid() != 0:
        raise Missing("Postfix and Dovecot need root to start")


def free_port():
    """A port that nobody listened on a moment ago. The servers here cannot be given port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(*words, check=True, **options):
    """Runs a command to its end, at most a minute, and gives what it printed."""
    words = [str(word) for word in words]
    done = subprocess.run(
        words, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=60, **options
    )
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_until(question, what, seconds=20.0):
    """Asks until the answer is true, and gives that answer; `what` is said where it never was."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds:g} s still waiting: {what}")
        time.sleep(0.02)


def answers(port):
    """Whether something accepts connections on this port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Machine:
    """One temporary directory, and everything that was started in it."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="posthouse-interop-"))
        # Postfix and Dovecot give up root, and must still reach their own directories below this one.
        self.directory.chmod(0o755)
        self._endings = []

    def at_end(self, ending):
        """Calls `ending` when the run is over; the last one given is the first one called."""
        self._endings.append(ending)

    def folder(self, name, owner=None):
        """A new folder below the temporary directory, owned by the named account."""
        folder = self.directory / name
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        if owner:
            shutil.chown(folder, user=owner)
        return folder

    def start(self, words, log, **options):
        """Starts a process that is ended with the run; its output goes to the named file."""
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [str(word) for word in words], stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options
            )
        self.at_end(lambda: end(process))
        return process

    def close(self):
        """Ends everything, and removes the directory unless KEEP is set."""
        while self._endings:
            try:
                self._endings.pop()()
            except Exception as error:  # the rest is to be ended all the same
                print(f"could not end something: {error}")
        if os.environ.get("KEEP"):
            print(f"kept: {self.directory}")
        else:
            shutil.rmtree(self.directory, ignore_errors=True)


def end(process, seconds=40.0):
    """Asks one of our own processes to end, and gives its status; a deaf one is killed."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
