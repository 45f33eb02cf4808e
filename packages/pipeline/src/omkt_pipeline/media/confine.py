"""Become a media tool with nothing in reach: `python -I -S confine.py PARENT LIMITS [sandbox read=… write=…] -- ARGV...`.

The standard library alone, and a process of its own instead of a preexec_fn: the parent has threads, and code between
fork and exec of such a process may deadlock. The session and the environment are set by the parent.

With `sandbox`, Landlock leaves the named files, the tool and the system's libraries, and seccomp leaves no socket and nothing
else that a codec has no use for. Both need no privilege. A kernel that lacks one of them is asked for the other alone; one
that has it and refuses ends this process. docs/operations.md says what is shown of it.
"""

import ctypes
import errno
import os
import platform
import resource
import signal
import stat
import struct
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_RESOURCES = {
    "as": resource.RLIMIT_AS,
    "fsize": resource.RLIMIT_FSIZE,
    "cpu": resource.RLIMIT_CPU,
    "nofile": resource.RLIMIT_NOFILE,
    "core": resource.RLIMIT_CORE,
}
CANNOT_CONFINE = 125

# Landlock, include/uapi/linux/landlock.h. Its three calls have the same numbers on all architectures.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_FILE, _TRUNCATE = 1 << 4, 1 << 5, 1 << 7, 1 << 8, 1 << 14
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_SEES = _READ_FILE | _READ_DIR
_WORKS = _SEES | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_FILE | _TRUNCATE
#: What each version of Landlock can forbid: files; with 2 moving them, 3 cutting them, 5 commands to devices.
_FORBIDDEN_SINCE = {1: (1 << 13) - 1, 2: 1 << 13, 3: _TRUNCATE, 5: 1 << 15}
_NET_SINCE, _CONNECT_AND_BIND = 4, 3
_SCOPES_SINCE, _UNIX_SOCKETS_AND_SIGNALS = 6, 3

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
#: What codecs and the C library ask of the machine: its processors and memory.
_MACHINE = ("/etc/ld.so.cache", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system", "/dev/urandom", "/dev/random")

# seccomp, include/uapi/linux/seccomp.h and filter.h.
_GET_ACTION_AVAILABLE, _MODE_FILTER = 2, 2
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050000 | errno.EPERM, 0x7FFF0000
_LOAD, _EQUALS, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_X32_CALLS = 0x40000000
#: New mounts, io_uring, other processes' descriptors: numbered alike everywhere.
_NEW_CALLS = (424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 438, 442, 452)
#: By machine: its AUDIT_ARCH, the number of seccomp(2), calls refused, and calls refused when they aim at another process.
#: Refused are sockets, tracing, mounts, modules, keys, namespaces, BPF, userfaultfd, owners, modes and attributes of files.
_MACHINES = {
    "x86_64": (
        0xC000003E, 317,
        (41, 42, 43, 49, 50, 288, 76, 90, 91, 92, 93, 94, 101, 103, 129, 135, 155, 161, 163, 164, 165, 166, 167, 168, 169,
         170, 171, 172, 173, 175, 176, 179, 188, 189, 190, 197, 198, 199, 200, 227, 246, 248, 249, 250, 260, 268, 272, 297,
         298, 303, 304, 308, 310, 311, 312, 313, 320, 321, 323, *_NEW_CALLS),
        (62, 234, 302),
    ),
    "aarch64": (
        0xC00000B7, 277,
        (198, 200, 201, 202, 203, 242, 5, 6, 7, 14, 15, 16, 39, 40, 41, 45, 51, 52, 53, 54, 55, 60, 89, 92, 97, 104, 105,
         106, 112, 116, 117, 130, 138, 142, 161, 162, 170, 217, 218, 219, 224, 225, 240, 241, 264, 265, 268, 270, 271, 272,
         273, 280, 282, 294, *_NEW_CALLS),
        (129, 131, 261),
    ),
}  # fmt: skip

_libc = ctypes.CDLL(None, use_errno=True)


def landlock_version() -> int:
    """The version of Landlock that this kernel has; 0 for none."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)))


def filters_calls() -> bool:
    """Whether this kernel filters system calls, and we know how they are numbered here."""
    machine = _MACHINES.get(platform.machine())
    action = ctypes.c_uint32(_ALLOW)
    return machine is not None and _libc.syscall(machine[1], _GET_ACTION_AVAILABLE, 0, ctypes.byref(action)) == 0


def main(arguments: list[str]) -> None:
    """Apply PARENT (its pid), LIMITS (`as=1,cpu=2`) and the sandbox, then exec what follows `--`."""
    parent, limits, *rest = arguments
    end = rest.index("--")
    words, argv = rest[:end], rest[end + 1 :]
    for option, value in ((_PR_SET_PDEATHSIG, signal.SIGKILL), (_PR_SET_NO_NEW_PRIVS, 1)):
        _must(_libc.prctl(option, int(value), 0, 0, 0))
    # A parent that died before the line above can no longer take us along.
    if os.getppid() != int(parent):
        sys.exit(CANNOT_CONFINE)
    for item in filter(None, limits.split(",")):
        name, _, amount = item.partition("=")
        kind = _RESOURCES[name]
        hard = resource.getrlimit(kind)[1]
        value = int(amount) if hard == resource.RLIM_INFINITY else min(int(amount), hard)
        # Of CPU time a second more: SIGXCPU then says what it was, before SIGKILL does not.
        harder = value + 1 if name == "cpu" and hard == resource.RLIM_INFINITY else value
        resource.setrlimit(kind, (value, harder))
    if words:
        _enter_sandbox(argv[0], words)
    os.execv(argv[0], argv)  # noqa: S606 - becoming the tool is what this file is for


def _enter_sandbox(tool: str, words: list[str]) -> None:
    version = landlock_version()
    if version:
        tool = os.path.realpath(tool)
        own_libraries = os.path.join(os.path.dirname(os.path.dirname(tool)), "lib")  # noqa: PTH118, PTH120 - start-up time
        rules = [
            (tool, _EXECUTE | _READ_FILE),
            *((path, _EXECUTE | _SEES) for path in (*_LIBRARIES, own_libraries)),
            *((path, _SEES) for path in _MACHINE),
            ("/dev/null", _READ_FILE | _WRITE_FILE),
            *((word[5:], _SEES) for word in words if word.startswith("read=")),
            *((word[6:], _WORKS) for word in words if word.startswith("write=")),
        ]
        _restrict_files(version, rules)
    if filters_calls():
        _restrict_calls()


def _restrict_files(version: int, rules: list[tuple[str, int]]) -> None:
    handled = sum(rights for since, rights in _FORBIDDEN_SINCE.items() if since <= version)
    net = _CONNECT_AND_BIND if version >= _NET_SINCE else 0
    scopes = _UNIX_SOCKETS_AND_SIGNALS if version >= _SCOPES_SINCE else 0
    # Older kernels take the longer structure as long as what they do not know is zero.
    attributes = struct.pack("QQQ", handled, net, scopes)
    ruleset = _must(_libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0))
    for path, rights in rules:
        try:
            found = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # of a path that is meant, the tool says so in words that are understood
        allowed = rights & handled & (-1 if stat.S_ISDIR(os.fstat(found).st_mode) else _OF_FILES)
        rule = struct.pack("=Qi", allowed, found)
        _must(_libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
        os.close(found)
    _must(_libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _restrict_calls() -> None:
    architecture, _, refused, of_others = _MACHINES[platform.machine()]
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUALS, 1, 0, architecture), (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT), (_AT_LEAST, 0, 1, _X32_CALLS), (_RETURN, 0, 0, _REFUSE),
    ]  # fmt: skip
    for number in refused:
        # Refused, not killed: a library that only asks goes on without.
        program += [(_EQUALS, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    for number in of_others:
        program += [
            (_EQUALS, 0, 5, number), (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
            (_EQUALS, 2, 0, 0), (_EQUALS, 1, 0, os.getpid()), (_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW),
        ]  # fmt: skip
    program.append((_RETURN, 0, 0, _ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    header = struct.pack("HP", len(program), ctypes.addressof(code))
    _must(_libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, header, 0, 0))


def _must(result: int) -> int:
    if result < 0:
        print(f"cannot confine: {os.strerror(ctypes.get_errno())}", file=sys.stderr)  # noqa: T201 - read by the parent
        sys.exit(CANNOT_CONFINE)
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
