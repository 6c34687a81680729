"""Types into an interactive shell on a terminal of its own, and prints what it prints between two lines of its own.

Usage: type_in_shell.py SET-UP KEYS SHELL [ARGUMENT ...]
"""
import os
import pty
import sys

setup, keys, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)


def read_until(marker):
    """What the shell prints up to the marker. What is typed is shown, too, so no line that is typed has the marker in it."""
    seen = b''
    while marker not in seen:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            piece = b''
        if not piece:
            sys.exit(f'the shell ended: {seen!r}')
        seen += piece
    return seen


os.write(terminal, setup.encode() + b"\nprintf '%s\\n' REA''DY\n")
read_until(b'READY\r\n')
os.write(terminal, keys.encode() + b"\nprintf '%s\\n' DO''NE\n")
sys.stdout.write(read_until(b'DONE\r\n').decode())
os.write(terminal, b'exit\n')
os.close(terminal)
os.waitpid(child, 0)
