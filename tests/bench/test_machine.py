"""What is said of the machine and of processor time."""

from pathlib import Path

from bench.harness.machine import cpu_name, filesystem, machine
from bench.harness.processor import read_stat

MOUNTS = """/dev/vda / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/vdb /tmp/disk xfs rw 0 0
"""


def test_the_file_system_is_that_of_the_nearest_mount() -> None:
    assert filesystem(MOUNTS, Path("/var/lib")) == "ext4"
    assert filesystem(MOUNTS, Path("/tmp/setia")) == "tmpfs"  # noqa: S108 - a name, not a folder
    assert filesystem(MOUNTS, Path("/tmp/disk/setia")) == "xfs"  # noqa: S108 - likewise
    assert filesystem("", Path("/")) == "unknown"


def test_the_processor_has_a_name_where_the_kernel_tells() -> None:
    assert cpu_name("processor\t: 0\nmodel name\t: AMD EPYC\n") == "AMD EPYC"
    assert cpu_name("Features : fp\n") == ""


def test_a_machine_has_everything_that_is_told(tmp_path: Path) -> None:
    about = machine(tmp_path, "18.4")

    assert set(about) == {"cores", "memory_gb", "cpu", "postgres", "load_before", "python", "filesystem"}
    assert about["postgres"] == "18.4"


def test_ticks_of_a_process_are_read_past_any_name() -> None:
    text = "42 (a) b (c) S 7 42 42 0 -1 4194560 100 0 0 0 11 12 13 14 20 0 1 0 99 0 0"

    assert read_stat(text) == (7, 50)
