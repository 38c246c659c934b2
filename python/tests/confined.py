"""Runs Python programs that really lack something: memfd, /proc, /dev/shm. It takes no special rights."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHM_MISSING = """
mkdir devices
devices=$PWD/devices
mount --rbind /dev "$devices"
mount -t tmpfs none /dev
for name in null zero random urandom; do touch /dev/$name && mount --bind "$devices/$name" /dev/$name; done
"""
SHM_OF_1_MIB = "mount -t tmpfs -o size=1m none /dev/shm"
PROC_HIDDEN = "mount -t tmpfs none /proc/$$  # as hidepid does: the process sees others, but nobody sees it"

WITHOUT_MEMFD = """
import ctypes, os, platform, struct

# A filter of system calls, as containers have: memfd_create is answered with ENOSYS.
number = {"x86_64": 319, "aarch64": 279}[platform.machine()]
load, jump_if_equal, answer, not_there, allow = 0x20, 0x15, 0x06, 0x50000 | 38, 0x7FFF0000
code = struct.pack(
    "HBBI" * 4, load, 0, 0, 0, jump_if_equal, 0, 1, number, answer, 0, 0, not_there, answer, 0, 0, allow
)
memory = ctypes.create_string_buffer(code, len(code))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(memory)))
no_new_privileges, set_filter = (38, 1, 0, 0, 0), (22, 2, program)
libc = ctypes.CDLL(None, use_errno=True)
for request in (no_new_privileges, set_filter):
    if libc.prctl(*request):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""


@functools.cache
def _why_no_namespace() -> str:
    """Return why nobody can make a mount namespace here; empty if one can."""
    if shutil.which("unshare") is None:
        return "the program unshare (util-linux) is missing"
    tried = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
        capture_output=True,
        text=True,
    )
    return tried.stderr.strip()


def run(program: str, folder: Path, mounts: str = "", **variables: str) -> list[str]:
    """Run a Python program and return the lines it prints.

    `mounts`, commands of a shell, change the file system that it and its Java see, and nobody else. Skips the
    test where this machine does not let one.
    """
    file = folder / "program.py"
    file.write_text(program)
    command = [sys.executable, str(file)]
    if mounts:
        why = _why_no_namespace()
        if why:
            pytest.skip(f"cannot make a mount namespace: {why}")
        shell = ["sh", "-ec", f'{mounts}\nexec "$@"', "sh"]
        command = ["unshare", "--map-root-user", "--mount", *shell, *command]
    ended = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()
