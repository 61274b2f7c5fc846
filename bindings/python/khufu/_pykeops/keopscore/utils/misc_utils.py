"""Messages and errors."""

import subprocess

import keopscore
from khufu import FormulaError


def KeOps_Error(message: str, show_line_number: bool = True):
    """Raises a ValueError."""
    raise FormulaError(f"[KeOps] Error : {message}")


def KeOps_Print(message, force_print: bool = False, **options) -> None:
    if keopscore.verbose or force_print:
        print(message, **options)


def KeOps_Message(message, use_tag: bool = True, **options) -> None:
    KeOps_Print(f"[KeOps] {message}" if use_tag else message, **options)


def KeOps_Warning(message, newline: bool = False) -> None:
    KeOps_Print(("\n" if newline else "") + f"[KeOps] Warning : {message}")


def KeOps_OS_Run(command: str) -> int:
    """Runs a command in the shell; its exit status."""
    return subprocess.run(command, shell=True).returncode
