#!/usr/bin/env python3
"""Whole-command runs of mailtrail against what a user would pick instead, side by side on the same files.

Simulates a large incident on two servers, as plain files and as rotated gz files, runs every command in turn, several rounds, and
prints medians as a Markdown table: wall time, the ratio to `mailtrail analyze` with all threads, throughput and peak memory. A command
whose program is not installed is left out and named. Python's standard library is all it needs.

    cargo build --release
    python3 benches/compare.py --scale 0.3 --rounds 5
"""

import argparse
import glob
import gzip
import os
import shutil
import statistics
import subprocess
import sys
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(argv, shell=False):
    """Runs a command; returns seconds and the peak memory in MiB of its largest process."""
    started = time.monotonic()
    process = subprocess.Popen(argv, shell=shell, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    return time.monotonic() - started, usage.ru_maxrss / 1024


def quoted(files):
    return " ".join("'" + name + "'" for name in files)


def side_by_side(first, second):
    return f"{first} & {second} & wait"


def plain_commands(mailtrail, folder, threads):
    files = sorted(glob.glob(os.path.join(folder, "logs", "*", "mail.log*")))
    names = quoted(files)
    commands = [
        (f"mailtrail analyze, {n} thread{'s' if n > 1 else ''}", [mailtrail, "analyze", "--threads", str(n), "--format", "json", os.path.join(folder, "logs")], None)
        for n in threads
    ]
    commands += [
        ("rg -c status= and openssl dgst -sha256, side by side", side_by_side(f"rg -c status= {names}", f"openssl dgst -sha256 {names}"), "rg openssl"),
        ("rg -c status=", f"rg -c status= {names}", "rg"),
        ("wc -l", f"wc -l {names}", "wc"),
        ("pflogsumm", f"pflogsumm {names}", "pflogsumm"),
        ("DuckDB, one regular expression a line", [sys.executable, "-c", DUCKDB, *files], "duckdb"),
    ]
    return files, commands


DUCKDB = """
import duckdb, sys
duckdb.sql('SET threads TO 2')
duckdb.sql('''SELECT status, count(*) FROM (
    SELECT regexp_extract(line, 'postfix/[a-z]+\\\\[[0-9]+\\\\]: ([0-9A-Za-z]+): to=<([^>]*)>.* status=([a-z]+)', 3) AS status
    FROM read_csv($files, columns = {'line': 'VARCHAR'}, delim = '\\x01', quote = '', escape = '', header = false, auto_detect = false)
) GROUP BY status''', params={'files': sys.argv[1:]}).fetchall()
"""


def gz_commands(mailtrail, folder, threads):
    files = sorted(glob.glob(os.path.join(folder, "logs", "*", "*.gz")))
    odd, even = quoted(files[::2]), quoted(files[1::2])
    commands = [
        (f"mailtrail analyze, {n} thread{'s' if n > 1 else ''}", [mailtrail, "analyze", "--threads", str(n), "--format", "json", os.path.join(folder, "logs")], None)
        for n in threads
    ]
    commands.append(("zcat and wc -l, two at a time", side_by_side(f"zcat {odd} | wc -l", f"zcat {even} | wc -l"), "zcat"))
    return files, commands


def available(needs):
    if needs == "duckdb":
        return subprocess.run([sys.executable, "-c", "import duckdb"], capture_output=True).returncode == 0
    return all(shutil.which(program) for program in (needs or "").split())


def simulate(mailtrail, folder, scale, extra):
    if not os.path.isdir(folder):
        command = [mailtrail, "simulate", "--story", "niigata", "--scale", str(scale), "--seed", "1", "--out", folder, *extra]
        seconds, memory = run(command)
        print(f"`mailtrail simulate --scale {scale} {' '.join(extra)}`: {seconds:.1f} s, {memory:.0f} MiB\n")


def pack(folder):
    """Compresses what rotation left open, so that both sides read the same members."""
    for name in glob.glob(os.path.join(folder, "logs", "*", "mail.log*")):
        if not name.endswith(".gz"):
            times = os.stat(name)
            with open(name, "rb") as plain, gzip.open(name + ".gz", "wb", compresslevel=6) as packed:
                shutil.copyfileobj(plain, packed, 1 << 22)
            os.utime(name + ".gz", (times.st_atime, times.st_mtime))
            os.remove(name)


def compare(title, files, commands, lines, rounds):
    size = sum(os.path.getsize(name) for name in files)
    for name in files:
        with open(name, "rb") as file:
            while file.read(1 << 22):
                pass
    usable = [entry for entry in commands if available(entry[2])]
    missing = [name for name, _, needs in commands if not available(needs)]
    results = {name: [] for name, _, _ in usable}
    for round_number in range(rounds):
        for name, command, _ in usable:
            if name == "pflogsumm" and round_number > 0:
                continue
            results[name].append(run(command, shell=isinstance(command, str)))
    print(f"### {title}: {len(files)} files, {size / 1e6:,.0f} MB, {lines:,} lines, medians of {rounds}\n")
    print("| command | seconds | ratio | MB/s | million lines/s | peak MiB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    reference = statistics.median(seconds for seconds, _ in results[usable[0][0]])
    for name, _, _ in usable:
        seconds = statistics.median(s for s, _ in results[name])
        memory = max(m for _, m in results[name])
        rate, line_rate = size / 1e6 / seconds, lines / 1e6 / seconds
        print(f"| {name} | {seconds:.2f} | {seconds / reference:.2f} | {rate:,.0f} | {line_rate:.2f} | {memory:,.0f} |")
    print()
    if missing:
        print("Left out, because it is not installed: " + ", ".join(missing) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, nargs="+", default=[0.3], help="size of the incident; 1.0 is 1.51 million messages")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--gz", action="store_true", help="compare on rotated gz files too")
    parser.add_argument("--mailtrail", default=os.path.join(REPOSITORY, "target", "release", "mailtrail"))
    parser.add_argument("--folder", default=os.path.join(REPOSITORY, "target", "compare"), help="where the simulated logs are put and kept")
    options = parser.parse_args()
    for scale in options.scale:
        plain = os.path.join(options.folder, f"niigata-{scale}")
        simulate(options.mailtrail, plain, scale, [])
        files, commands = plain_commands(options.mailtrail, plain, options.threads)
        lines = sum(int(out.split()[0]) for out in [subprocess.check_output(["wc", "-l", name], text=True) for name in files])
        compare(f"Plain text, scale {scale}", files, commands, lines, options.rounds)
        if options.gz:
            packed = os.path.join(options.folder, f"niigata-{scale}-gz")
            simulate(options.mailtrail, packed, scale, ["--rotate", "daily", "--compress", "gz"])
            pack(packed)
            files, commands = gz_commands(options.mailtrail, packed, options.threads)
            compare(f"gz, scale {scale}", files, commands, lines, options.rounds)


if __name__ == "__main__":
    main()
