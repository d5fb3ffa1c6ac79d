"""`assay dashboard`: the same reports, drawn for eyes, in a browser."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path

from assay.errors import ConfigurationError
from assay.options import Commands, add_settings, positive, settings_of
from assay.settings import FOLDERS, HOME, NETWORK, TRUST

APP = Path(__file__).parents[2] / "dashboard" / "app.py"


def add(commands: Commands) -> None:
    """What can be said of `assay dashboard`."""
    dashboard = commands.add_parser(
        "dashboard",
        help="open the pages: verify, triage, generate, attack, ledger",
        description="Opens the dashboard for a browser on this machine. Nothing is fetched, and files are forgotten "
        "with the page that they were dropped on.",
    )
    dashboard.add_argument("--port", type=positive, default=8501, metavar="N", help="default 8501")
    dashboard.add_argument("--address", default="127.0.0.1", metavar="IP", help="where to listen (default 127.0.0.1)")
    dashboard.add_argument("--allow-network", action="store_true", help="let pages fetch images by their addresses")
    dashboard.add_argument("--no-folders", action="store_true", help="let pages name no files of this machine")
    add_settings(dashboard)


def run(options: Namespace) -> int:
    """Start it, and stay until it ends."""
    if find_spec("streamlit") is None:
        raise ConfigurationError(
            "the dashboard needs Streamlit", hint="Install the extra: pip install 'assay[dashboard,models]'."
        )
    settings, is_private = settings_of(options), _is_loopback(options.address)
    if not is_private:
        print(
            f"assay: listening on {options.address}: whoever reaches it can use it. See docs/dashboard.md for sign-in.",
            file=sys.stderr,
        )
    environment = {
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait for work leave the processor to the guarded workers
        **os.environ,
        HOME: str(settings.home),
        TRUST: settings.trust,
        NETWORK: str(int(options.allow_network)),
        FOLDERS: str(int(is_private and not options.no_folders)),
    }
    if not options.allow_network:
        environment["HF_HUB_OFFLINE"] = "1"  # or a model that is not here would be fetched to draw with
    # -P keeps the current folder, which may hold anybody's files, out of the import path.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(APP)]
    flags = {
        "server.address": options.address,
        "server.port": options.port,
        "server.maxUploadSize": settings.limits.max_bytes // 2**20,
    }
    command += [f"--{name}={value}" for name, value in flags.items()]
    return subprocess.call(command, env=environment)  # noqa: S603 - our own interpreter and file


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError as error:
        raise ConfigurationError(f"{address} is no IP address", hint="Use 127.0.0.1, or 0.0.0.0 for all.") from error
