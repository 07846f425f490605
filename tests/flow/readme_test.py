# The README's walk is what a newcomer types first, so it is run: every block marked `walk` in order, in one shell, against a fresh server.
# Also the other commands that it promises: they exist and explain themselves.
import re
import subprocess
import unittest

from bloomwatch import PROGRAM, ROOT, FlowTest, run


class Readme(FlowTest):
    def test_the_walk_works_as_written(self):
        readme = (ROOT / "README.md").read_text()
        blocks = re.findall(r"<!-- walk -->\n```sh\n(.*?)```", readme, re.S)
        self.assertGreaterEqual(len(blocks), 3)
        script = "set -euo pipefail\n" + "\n".join(blocks).replace("http://127.0.0.1:8080", self.server.url)
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, cwd=ROOT)
        self.assertEqual(done.returncode, 0, f"{done.stdout}\n{done.stderr}")
        self.assertNotIn("problem", done.stdout)
        self.assertIn('"score": 90', re.sub(r'"score":\s*', '"score": ', done.stdout), "the walk ends on a compatibility of 90")

    def test_every_subcommand_explains_itself(self):
        shown = run(PROGRAM, "--help")
        for subcommand in ("serve", "migrate", "verify", "rebuild", "import", "log"):
            self.assertIn(subcommand, shown)
            self.assertIn("--home", run(PROGRAM, subcommand, *(["mal"] if subcommand == "import" else []), "--help"))

    def test_the_log_can_be_read(self):
        self.server.person("reader")
        shown = self.server.operator("log")
        self.assertIn("UserRegistered", shown)
        self.assertNotIn("reader@example.org", shown)
        self.assertEqual(len(self.server.operator("log", "--from", "1", "--json").splitlines()), self.server.last_position())


if __name__ == "__main__":
    unittest.main()
