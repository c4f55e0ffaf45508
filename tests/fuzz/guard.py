"""Watch what a reader does: Python tells an audit hook of every file that is opened, every code that is run, every unpickling.

    with Guard(folder) as seen: ...          seen: list of texts, what was done that no reader may do

An audit hook cannot be taken away again; it does nothing outside the `with`. Run it in a process of its own.
"""

import os
import sys

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod", "os.chown",
           "os.mkfifo",
           "shutil.rmtree", "shutil.move", "shutil.copyfile", "shutil.unpack_archive"}
NEVER = {"pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.spawn",
         "ctypes.dlopen", "socket.connect", "socket.getaddrinfo", "marshal.loads", "code.__new__", "sys.addaudithook"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
HOLDER = [None]                                   # the Guard in force
INSTALLED = []


class Guard:
    """Notes what is done outside `folder`, and what is never done by a reader of data."""

    def __init__(self, folder):
        self.folder, self.seen = os.path.realpath(folder), []
        if not INSTALLED:
            sys.addaudithook(_hook)
            INSTALLED.append(True)

    def __enter__(self):
        HOLDER[0] = self
        return self.seen

    def __exit__(self, *error):
        HOLDER[0] = None

    def note(self, event, arguments):
        if event == "open":
            path, mode, flags = arguments
            if _writes(mode, flags) and not self.inside(path):
                self.seen.append(f"opens {path!r} to write")
        elif event in CHANGES:
            for path in arguments[:2]:
                if isinstance(path, (str, bytes, os.PathLike)) and not self.inside(path):
                    self.seen.append(f"{event} {path!r}")
        elif event in NEVER and not _importing():
            self.seen.append(f"{event} {arguments!r:.100}")
        elif event == "exec" and not _importing():
            self.seen.append(f"exec of {arguments[0]!r:.100}")
        elif event == "compile" and not _importing() and not _literal():
            self.seen.append(f"compile of {arguments[0]!r:.60}")

    def inside(self, path):
        if isinstance(path, int):
            return True                           # a file that is open already
        path = os.path.realpath(os.fsdecode(path))
        return path == self.folder or path.startswith(self.folder + os.sep)


def _hook(event, arguments):
    guard = HOLDER[0]
    if guard is not None:
        HOLDER[0] = None                          # what the guard does itself is not looked at
        try:
            guard.note(event, arguments)
        finally:
            HOLDER[0] = guard


def _writes(mode, flags):
    return bool(set(mode or "") & set("wax+")) or bool(isinstance(flags, int) and flags & WRITES)


def _frames():
    frame = sys._getframe(1)
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def _importing():
    """Whether Python itself is importing a module of ours or of a library: that runs its code."""
    return any("importlib._bootstrap" in code.co_filename for code in _frames())


def _literal():
    """Whether it is ast.literal_eval, with which NumPy reads an array's header: it parses, and runs nothing."""
    return any(code.co_name == "literal_eval" and os.path.basename(code.co_filename) == "ast.py" for code in _frames())
