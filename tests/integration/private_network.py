"""Runs a command in a network of its own where every name that it looks up is written down and none
is answered.

Started as root of new user, network and mount namespaces: unshare --user --map-root-user --net
--mount python -m tests.integration.private_network REPORT SECONDS COMMAND... The look-ups are
appended to REPORT, a name a line; SECONDS is how long is listened after the command has ended.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1  # linux/sockios.h, linux/if.h
NXDOMAIN = 0x8183  # an answer, recursion available, the name does not exist (RFC 1035, 4.1.1)


def loopback_up() -> None:
    """A new network namespace has its loopback device down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        _, flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def name_server_here(folder: Path) -> None:
    """The system's resolver asks 127.0.0.1, and answers nothing from elsewhere."""
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    command = ["mount", "--bind", str(folder / "resolv.conf"), "/etc/resolv.conf"]
    subprocess.run(command, check=True, timeout=30)


def asked_name(packet: bytes) -> str:
    """The name in the question of a DNS query."""
    labels, position = [], 12
    while length := packet[position]:
        labels.append(packet[position + 1 : position + 1 + length].decode("ascii", "replace"))
        position += 1 + length
    return ".".join(labels)


def record(server: socket.socket, report: Path) -> None:
    """Write down every name that is looked up, and say that it does not exist."""
    while True:
        packet, client = server.recvfrom(4096)
        with report.open("a") as file:
            file.write(f"{asked_name(packet)}\n")
        head = packet[:2] + struct.pack(">H", NXDOMAIN) + packet[4:6] + bytes(6)
        server.sendto(head + packet[12:], client)


def main(report: str, seconds: str, *command: str) -> int:
    loopback_up()
    name_server_here(Path(report).parent)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    threading.Thread(target=record, args=(server, Path(report)), daemon=True).start()
    code = subprocess.run(command, check=False, timeout=1300).returncode
    time.sleep(float(seconds))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
