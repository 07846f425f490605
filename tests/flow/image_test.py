# ops/Containerfile, of which nothing else here builds an image: it names every package whose libraries the programs are linked with.
import pathlib
import re
import unittest

from bloomwatch import PROGRAM, ROOT, run

# What every Debian has.
OF_THE_SYSTEM = {"libc6", "libgcc-s1", "libstdc++6"}


def packages_of(libraries):
    """By library the packages installed here that bring a file of that name."""
    found = {library: set() for library in libraries}
    for line in run("dpkg", "-S", *(f"*/{library}" for library in libraries)).splitlines():
        package, _, path = line.partition(": ")
        found[pathlib.Path(path).name].add(package.partition(":")[0])
    return found


class Image(unittest.TestCase):
    def test_it_holds_every_library_that_the_programs_are_linked_with(self):
        runtime = (ROOT / "ops/Containerfile").read_text().rpartition("FROM ")[2]
        named = set(re.search(r"apt-get install (.*?)&&", runtime, re.DOTALL)[1].split()) | OF_THE_SYSTEM
        # `bloomwatch` is all the programs in one.
        libraries = re.findall(r"^  (\S+)$", run("llvm-readelf-19", "--needed-libs", PROGRAM), re.MULTILINE)
        self.assertIn("libpq.so.5", libraries)
        forgotten = {library: packages for library, packages in packages_of(libraries).items() if not packages & named}
        self.assertEqual(forgotten, {})


if __name__ == "__main__":
    unittest.main()
