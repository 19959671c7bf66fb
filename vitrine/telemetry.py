"""Nobody is told anything: what libraries report about their use is switched off before any of them
is imported.

`import vitrine` does this, so it holds for every program. Who wants a report to be sent sets the
variable before.
"""

from __future__ import annotations

import os

__all__ = ["OFF", "switch_off"]

OFF = {
    # ONNX Runtime's Linux wheels write a device id and call their maker's event collector, from the
    # import on;
    # its function disable_telemetry_events comes too late.
    "ORT_DISABLE_TELEMETRY": "1",
    # huggingface_hub (and transformers and datasets through it) tells the hub which library asks
    # and on what machine.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # Ray sends what a cluster is and does to its makers; `ray start` reads the variable as well.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Other libraries that follow https://consoledonottrack.com.
    "DO_NOT_TRACK": "1",
}
"""Variable by variable: the value that keeps a library silent."""


def switch_off() -> None:
    """Set every variable of `OFF` that the environment leaves open, for this process and those it
    starts."""
    for name, value in OFF.items():
        os.environ.setdefault(name, value)
