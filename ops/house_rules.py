# The house rules that no compiler checks: names, arrows between folders, who may speak to
# sockets and Postgres, how files open. Prints every breach as file:line and exits 1 if there is one.
# Usage: house_rules.py   (looks at the files that git knows or would add)
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

FORBIDDEN_NAMES = {"util", "utils", "common", "helper", "helpers", "manager", "impl"}

# Who may include whom: everything flows one way.
MAY_INCLUDE = {
    "runtime": {"runtime"},
    "events": {"events", "runtime"},
    "command-service": {"command-service", "events", "runtime"},
    "projector": {"projector", "events", "runtime"},
    "query-service": {"query-service", "projector", "events", "runtime"},
    "ops": {"ops", "command-service", "projector", "query-service", "events", "runtime"},
}
FOLDERS = set(MAY_INCLUDE) | {"tests", "migrations", "schemas"}

# Domain code sees neither sockets nor databases: these headers stay in the chassis and in the log.
CHASSIS_HEADERS = re.compile(r"^(boost/asio|boost/beast|pqxx|libpq|postgres_ext|librdkafka|rdkafka)")
CHASSIS_FILES = re.compile(r"^(runtime/|events/(log|relay|lease)[^/]*$|events/[^/]*feed[^/]*$)")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
QUOTED_INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|R"\(.*?\)"|"(?:\\.|[^"\\\n])*"', re.S)
TYPE_NAME = re.compile(r"(?<![.>])(?<!testing::)\b[A-Z]\w+")
# Where a name becomes known: a type, ahead of its definition or not, an alias, a template's parameter, a test's suite.
MAKES_KNOWN = re.compile(r"\b(?:class|struct|enum|using|typename|concept|namespace) (?:class )?(\w+)( *;)?|\bTEST(?:_[FP])?\((\w+)")

COMMENT_OPENS = {".h": "//", ".cpp": "//", ".sql": "--", ".py": "#", ".sh": "#", ".lua": "--", ".cmake": "#", ".txt": "#"}


def files():
    """All files of the work tree that are, or would be, under version control."""
    output = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True
    ).stdout
    names = sorted({name for name in output.decode().split("\0") if name})
    return [pathlib.PurePosixPath(name) for name in names if (ROOT / name).is_file()]


def breaches_of_names(path):
    for part in path.parts:
        words = set(re.split(r"[_\-.]", part.lower()))
        for word in words & FORBIDDEN_NAMES:
            yield 1, f"no file or folder is called '{word}': say what it is about"
    if path.parts[0] in FOLDERS and path.suffix in {".h", ".cpp"} and path.name != path.name.lower():
        yield 1, "file names are snake_case"


def breaches_of_includes(path, lines):
    folder = path.parts[0]
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, header = match.groups()
        if CHASSIS_HEADERS.match(header) and folder in MAY_INCLUDE and not CHASSIS_FILES.match(str(path)):
            yield number, f"<{header}> belongs to runtime/ and to the log's files in events/ only"
        target = header.split("/")[0]
        if kind == '"' and folder in MAY_INCLUDE:
            if "/" not in header:
                yield number, f'"{header}": includes are written from the root of the repository'
            elif target in FOLDERS and target not in MAY_INCLUDE[folder]:
                yield number, f"{folder} does not include {target}: arrows point one way"


def forgotten_includes(texts):
    """Path, line and breach: a type is named that one file of ours defines, a header that was not included, nor by what was. A folder's files
    are compiled as one for the tests, so that each sees what its neighbours include; the release build compiles each alone."""
    codes = {path: COMMENT_OR_TEXT.sub("", text) for path, text in texts.items()}
    includes = {path: set(QUOTED_INCLUDE.findall(text)) & texts.keys() for path, text in texts.items()}
    known = {path: set() for path in texts}
    defined_in = collections.defaultdict(set)
    for path, code in codes.items():
        for name, ahead, suite in MAKES_KNOWN.findall(code):
            known[path].add(name or suite)
            if name and not ahead:
                defined_in[name].add(path)
    for path, code in codes.items():
        seen, open_ends = {path}, [path]
        while open_ends:
            new = includes[open_ends.pop()] - seen
            seen |= new
            open_ends += new
        for name in set(TYPE_NAME.findall(code)).difference(*(known[one] for one in seen)):
            homes = defined_in[name]
            if len(homes) == 1 and (home := next(iter(homes))).endswith(".h"):
                line = next(i for i, line in enumerate(texts[path].splitlines(), 1) if re.search(rf"\b{name}\b", line))
                yield path, line, f"{name} is in {home}, which is not included"


def breaches_of_language(path, lines):
    for number, line in enumerate(lines, 1):
        code = line.split("//")[0]
        if re.search(r"\bco_(await|return|yield)\b", code) and path.parts[0] != "runtime" and path.parts[0] != "tests":
            yield number, "coroutines stay in runtime/"
        if re.match(r"\s*#\s*define\b", code):
            yield number, "no macros of our own"
    if path.suffix == ".h" and not any(line.strip() == "#pragma once" for line in lines):
        yield 1, "a header says #pragma once"


def breaches_of_opening(path, lines):
    comment = COMMENT_OPENS.get(path.suffix)
    if path.suffix == "" and lines and lines[0].startswith("#!"):
        comment, lines = "#", lines[1:]
    elif lines and lines[0].startswith("#!"):
        lines = lines[1:]
    if path.suffix == ".py" and lines and lines[0].startswith('"""'):
        return
    if comment and path.name != "requirements.txt" and not (lines and lines[0].startswith(comment)):
        yield 1, "a file opens with a comment: what it is and why"


def breaches_of_migrations(path, lines):
    header = []
    for line in lines:
        if not line.startswith("--"):
            break
        header.append(line.lower())
    text = " ".join(header)
    for word in ("write", "read"):
        if not re.search(rf"\b{word}(s|r|rs|ten)?\b", text):
            yield 1, f"a migration's header says who {word}s its tables"


def main():
    count = 0
    checked = 0
    sources = {}
    for path in files():
        if path.parts[0] == "tests" and "data" in path.parts:
            continue
        found = list(breaches_of_names(path))
        if path.suffix in {".h", ".cpp", ".sql", ".py", ".sh", ".lua", ".cmake", ""} or path.name == "CMakeLists.txt":
            try:
                lines = (ROOT / path).read_text().splitlines()
            except UnicodeDecodeError:
                found.append((1, "is not UTF-8"))
                lines = []
            if path.parts[0] in FOLDERS:
                found += breaches_of_opening(path, lines)
            if path.suffix in {".h", ".cpp"}:
                sources[str(path)] = "\n".join(lines)
                found += breaches_of_includes(path, lines)
                found += breaches_of_language(path, lines)
            if path.parts[0] == "migrations" and path.suffix == ".sql":
                found += breaches_of_migrations(path, lines)
        checked += 1
        for number, what in found:
            print(f"{path}:{number}: {what}")
            count += 1
    for path, number, what in forgotten_includes(sources):
        print(f"{path}:{number}: {what}")
        count += 1
    print(f"house rules: {checked} files, {count} breaches")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
