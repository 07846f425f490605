#!/usr/bin/env python3
"""Breaks the writer on purpose, one rule at a time, and expects its simulation to notice.

Each mutation is a change of text in a copy of the sources; the simulation is built from that copy and must fail within the histories
given. `writer.py` runs all, `writer.py NAME` one; `--histories N` bounds the search (default 100000); `--keep` leaves the copy behind.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = [
    "command-service/facts.cpp", "command-service/recorded_keys.cpp", "command-service/writer.cpp", "events/ids.cpp", "runtime/invariant.cpp", "runtime/time.cpp",
    "runtime/uuid.cpp", "tests/unit/writer_simulation/simulation.cpp", "tests/unit/writer_simulation/simulation_test.cpp",
]
WRITER = "command-service/writer.cpp"
MODEL = "tests/unit/writer_simulation/model_log.h"
WORLD = "tests/unit/writer_simulation/simulation.cpp"

# name: (what is wrong, file, text, what it becomes)
MUTATIONS = {
    "fence_by_number": (
        "the fence compares the position only, not the event's id", MODEL,
        "fence.position == position() && fence.event_id == head().event_id", "fence.position == position()"),
    "acknowledge_before_commit": (
        "commands are answered when their batch is sent", WRITER,
        "  last_ = open.batch.last();\n",
        "  last_ = open.batch.last();\n  for (Item& item : open.items) answer(item, item.answer);\n  open.items.clear();\n"),
    "no_look_in_the_tail": (
        "after a lost connection commands are not looked for by their id", WRITER,
        "if (place == by_command.end()) continue;", "if (place == by_command.end() || leading_) continue;"),
    "evict_in_flight": (
        "a stream that a batch in flight has touched may be evicted", WRITER,
        "  for (const SentBatch& batch : in_flight_) oldest = std::min(oldest, batch.moment);\n", ""),
    "evict_while_loading": (
        "a fact touched since a load was issued may be evicted", WRITER,
        "  for (const OpenLoad& load : loads_) oldest = std::min(oldest, load.moment);\n"
        "  for (const OpenLoad& load : gathering_) oldest = std::min(oldest, load.moment);\n"
        "  for (const Item& item : ready_) oldest = std::min(oldest, item.pinned);\n", ""),
    "keep_what_failed_batches_made": (
        "memory keeps what batches that failed made of it", WRITER, "  facts_.drop_since(since);\n", ""),
    "keep_streams_named_in_the_tail": (
        "memory keeps streams that another writer has written to", WRITER, "    facts_.drop(event.meta.stream);\n", ""),
    "keep_claims_after_foreign_events": (
        "memory keeps claims although another writer has written", WRITER,
        "  if (!tail.events.empty()) facts_.drop_claims_and_keys();\n", ""),
    "believe_old_loads": (
        "a load older than the tail is believed", WRITER, "result.as_of < std::max(load.confirmed, floor_)", "result.as_of < 0"),
    "answer_quiet_ones_at_once": (
        "what appends nothing is answered without the fence", WRITER,
        "    case Verdict::taken:\n        open.items.push_back(std::move(item));",
        "    case Verdict::taken:\n        if (!item.has_events) {\n          answer(item, item.answer);\n          break;\n        }\n"
        "        open.items.push_back(std::move(item));"),
    "send_while_recovering": (
        "batches are sent before the tail was read", WRITER, "  if (!leading_ || recovery_ != Recovery::none) return out;",
        "  if (!leading_ || recovery_ == Recovery::waits_for_reports) return out;"),
    "report_before_the_flush": (
        "a batch is reported when it is committed, before it is on disk", WORLD, "process.pipeline.front().reported",
        "process.pipeline.front().result.has_value()"),
    "answer_from_a_tail_before_the_flush": (
        "what is found in the tail is answered before it is on disk", WORLD, "    log_.flush();\n    note(\"database: tail", "    note(\"database: tail"),
    "trust_loads_of_before_a_crash": (
        "a load that was under way when the database went down is believed", WRITER, "  for (OpenLoad& load : loads_) load.confirmed = std::numeric_limits<Position>::max();\n", ""),
    "leave_the_old_backend": (
        "the old backend may still apply batches after the tail was read", WORLD, "      process.ghosts.clear();\n      process.broken = false;\n      job",
        "      process.broken = false;\n      job"),
    "repeat_from_a_lost_record": (
        "a repeat is answered from a record whose batch failed", WRITER, "if (behind_failed && item.from_record)", "if (false && behind_failed)"),
    "forget_keys_in_flight": (
        "a key in flight is not known to its repeat", WRITER, "  facts_.put(key, open.batch.idempotency.back());\n", ""),
    "forget_recorded_keys": (
        "the filter of recorded keys forgets what a batch records", WRITER, "  recorded_.add(key);  // before the batch is sent: whatever becomes of it, the next look is at the log\n", ""),
    "keep_snapshots_of_lost_events": (
        "a snapshot is kept although the log has not, or no longer, the event that it names", MODEL,
        "if (event == events_.end()) return false;",
        "if (event == events_.end()) {\n      snapshots_[snapshot.stream] = snapshot;\n      return true;\n    }"),
    "snapshot_names_an_earlier_event": (
        "a snapshot says that it ends earlier than it does", WRITER, "std::ranges::reverse_view(events)", "events"),
    "clock_may_go_back": (
        "recorded-at is the clock's, whatever the log says", WRITER, "std::max(now, last_.recorded_at)", "now"),
}


def build(folder: pathlib.Path) -> pathlib.Path:
    """Builds the simulation in `folder`; what is unchanged comes from ccache where there is one."""
    compiler = ([] if shutil.which("ccache") is None else ["ccache"]) + ["clang++-19"]
    flags = ["-std=c++23", "-O0", "-I.", "-w"]
    objects = []
    for source in SOURCES:
        target = source.replace("/", "_") + ".o"
        subprocess.run([*compiler, *flags, "-c", source, "-o", target], cwd=folder, check=True)
        objects.append(target)
    subprocess.run(["clang++-19", "-fuse-ld=lld", *objects, "-lgtest", "-lgtest_main", "-lfmt", "-lsodium", "-lpthread", "-o", "simulation"],
                   cwd=folder, check=True)
    return folder / "simulation"


def copy_sources(folder: pathlib.Path) -> None:
    for part in ["command-service", "events", "runtime", "tests/unit/writer_simulation"]:
        target = folder / part
        target.mkdir(parents=True)
        for file in (ROOT / part).iterdir():
            if file.suffix in (".h", ".cpp"):
                shutil.copy2(file, target)


def run(name: str, histories: int, keep: bool) -> bool:
    why, file, text, instead = MUTATIONS[name]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bloomwatch-mutation-"))
    try:
        copy_sources(folder)
        source = (folder / file).read_text()
        if source.count(text) != 1:
            print(f"{name}: the text to change occurs {source.count(text)} times in {file}: bring the mutation up to date")
            return False
        (folder / file).write_text(source.replace(text, instead))
        result = subprocess.run([build(folder)], env={**os.environ, "BLOOMWATCH_HISTORIES": str(histories)}, capture_output=True,
                                text=True, errors="replace")
    finally:
        if not keep:
            shutil.rmtree(folder)
    output = result.stdout + result.stderr
    broken = re.search(r"history (\d+) broke a rule: (.*)", output) or re.search(r"BLOOMWATCH_SEED=(\d+)", output)
    if result.returncode == 0 or broken is None:
        print(f"{name}: NOT NOTICED in {histories} histories ({why})")
        return False
    rule = broken.group(2) if broken.re.groups == 2 else "an invariant of the writer"
    print(f"{name}: noticed in history {broken.group(1)}: {rule} ({why})")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *MUTATIONS], metavar="NAME")
    parser.add_argument("--histories", type=int, default=100000)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    results = [run(name, arguments.histories, arguments.keep) for name in arguments.names or MUTATIONS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
