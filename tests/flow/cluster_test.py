# ops/cluster, the private Postgres: whatever kills it while it is made, the next start goes on; it never listens for others than its owner; and
# its folder may have any name.
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from bloomwatch import ROOT, psql, run, wait_until

CLUSTER = ROOT / "ops/cluster"


class Cluster(unittest.TestCase):
    def setUp(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="bloomwatch-cluster-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.base, True)
        os.chmod(self.base, 0o711)
        self.folder = self.base / "postgres"

    def start(self, folder=None):
        folder = folder or self.folder
        self.addCleanup(run, CLUSTER, "remove", folder)
        return run(CLUSTER, "start", folder).strip()

    def refused(self, *arguments):
        """What it says."""
        done = subprocess.run([CLUSTER, *arguments], capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        return done.stderr

    def assert_it_listens_to_its_owner_only(self, url):
        self.assertEqual(psql(url, "SELECT current_setting('listen_addresses'), current_setting('unix_socket_permissions')"), [["", "0777"]])
        socket = pathlib.Path(psql(url, "SHOW unix_socket_directories")[0][0])
        self.assertEqual(socket.stat().st_mode & 0o777, 0o700)

    def test_one_that_was_killed_while_it_was_made_starts_again(self):
        for begun in ("PG_VERSION", "global/pg_control"):
            for kill in (os.killpg, os.kill):  # all of it, or the script alone, while initdb goes on
                folder = self.base / f"{kill.__name__}-{pathlib.Path(begun).name}"
                making = subprocess.Popen([CLUSTER, "start", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
                wait_until(lambda: list(folder.glob(f"data*/{begun}")), 60, "initdb")
                kill(making.pid, signal.SIGKILL)
                making.wait()
                with self.subTest(folder=folder.name):
                    self.assert_it_listens_to_its_owner_only(self.start(folder))
                    self.assertFalse((folder / "data.new").exists())

    def test_one_without_our_settings_is_not_started(self):
        self.start()
        run(CLUSTER, "stop", self.folder)
        settings = self.folder / "data/postgresql.conf"
        settings.write_text(settings.read_text().replace("include 'bloomwatch.conf'", ""))
        self.assertIn(f"{self.folder}/data is no cluster of ours, or was never finished", self.refused("start", self.folder))

    def test_one_that_does_not_run_has_no_url(self):
        self.assertIn("no Postgres runs", self.refused("url", self.folder))
        url = self.start()
        self.assertEqual(run(CLUSTER, "url", self.folder).strip(), url)
        run(CLUSTER, "stop", self.folder)
        self.assertIn("no Postgres runs", self.refused("url", self.folder))

    def test_a_folder_may_have_any_name(self):
        url = self.start(self.base / "Ada's \"new\" $HOME `id` \\ ü")
        self.assert_it_listens_to_its_owner_only(url)


if __name__ == "__main__":
    unittest.main()
