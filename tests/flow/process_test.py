# A process as others on its machine see it: where it says that it is, and what it says of itself while it stops.
import socket
import unittest

from bloomwatch import Server


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        return True
    except OSError:
        return False


class Process(unittest.TestCase):
    def serve(self, *arguments):
        server = Server(arguments=arguments)
        self.addCleanup(server.close)
        return server

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_the_url_of_an_ipv6_address_has_brackets(self):
        for bind in ("::1", "::"):
            server = self.serve("--bind", bind)
            self.assertRegex(server.url, r"^http://\[::1\]:[0-9]+$")
            server.person("mira")
            self.assertIn("user", server.operator("role", "mira", "user"))


if __name__ == "__main__":
    unittest.main()
