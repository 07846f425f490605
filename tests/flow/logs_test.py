# What the log says of requests: on demand one line for each, which leads from an event's correlation id to who asked for what, and nothing
# that is secret.
import json
import tempfile
import time
import unittest

from bloomwatch import Cluster, FlowTest, Server, new_uuid, wait_until


class EveryRequest(FlowTest):
    serve_arguments = ["--log-level", "debug"]

    def answered(self, answer):
        """The line of that answer's request; it is the only one."""
        lines = [line for line in self.server.logged("answered") if line["request"] == answer.headers["X-Request-Id"]]
        self.assertEqual(len(lines), 1, lines)
        return lines[0]

    def test_an_events_correlation_leads_to_its_request(self):
        mira = self.server.person("mira")
        space = mira.make_space()
        correlation = new_uuid()
        path = f"/api/watch-spaces/{space}"
        answer = mira.patch(path, {"name": "Evenings"}, headers={"X-Correlation-Id": correlation})
        [event] = self.server.operator("log", "--json", "--from", str(answer["position"])).splitlines()
        line = self.answered(answer)
        self.assertGreater(line.pop("milliseconds"), 0)
        line.pop("time")
        expected = {
            "level": "debug",
            "module": "http",
            "message": "answered",
            "request": answer.headers["X-Request-Id"],
            "correlation": json.loads(event)["correlation"],
            "user": mira.id,
            "space": space,
            "method": "PATCH",
            "route": "/api/watch-spaces/{watchSpace}",
            "status": 200,
        }
        self.assertEqual(line, expected)
        self.assertEqual(line["correlation"], correlation)
        page = self.answered(mira.get(f"{path}/dashboard", at_least=answer))
        self.assertEqual((page["user"], page["space"], page["route"]), (mira.id, space, "/api/watch-spaces/{watchSpace}/dashboard"))

    def test_who_is_not_known_is_left_out(self):
        client = self.server.client()
        line = self.answered(client.call("GET", "/api/me", expect=401))
        self.assertNotIn("user", line)
        self.assertNotIn("space", line)
        line = self.answered(client.call("GET", "/nowhere", expect=404))
        self.assertNotIn("route", line)

    def test_no_token_is_logged(self):
        mira, ken = self.server.person("mira_t"), self.server.person("ken_t")
        space = mira.make_space()
        invitation = mira.post(f"/api/watch-spaces/{space}/invitations", {"email": ken.email})
        accepted = ken.call("POST", f"/api/watch-spaces/invitations/{invitation['token']}/accept", expect=200)
        self.assertEqual(self.answered(accepted)["route"], "/api/watch-spaces/invitations/{token}/accept")
        log = (self.server.home / "serve.out").read_text()
        for secret in (invitation["token"], ken.token, ken.refresh_token, ken.password, ken.email):
            self.assertNotIn(secret, log)


class ByDefault(FlowTest):
    def test_incidents_are_noted_with_their_cause(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        server = Server(database_url=cluster.url, home=self.enterContext(tempfile.TemporaryDirectory()))
        self.addCleanup(server.close)
        mira = server.person("mira")
        space = mira.make_space()
        cluster.kill()

        def incident(cause):
            """Whether a page names an incident of that cause, which is in the log then."""
            time.sleep(0.2)  # of many in a second only some are logged
            answer = mira.call("GET", f"/api/watch-spaces/{space}", expect=503)
            [line] = [line for line in server.logged("answered") if line["request"] == answer.headers["X-Request-Id"]]
            self.assertIn(line["request"], answer["detail"])
            self.assertEqual((line["level"], line["user"], line["space"], line["status"]), ("error", mira.id, space, 503))
            return cause in line["error"]

        self.assertTrue(incident("Postgres"), server.output())
        wait_until(lambda: incident("which sessions have ended"), 20, "ends of sessions to be unknown")
        answer = mira.call("PATCH", "/api/me", {"displayName": "Mira the Second"}, expect=503)
        self.assertEqual([line["error"] for line in server.logged("answered") if line["request"] in answer["detail"]],
                         ["it is not known which sessions have ended"])

    def test_requests_that_went_well_are_not_logged(self):
        self.server.person("mira").get("/api/me")
        self.assertEqual(self.server.logged("answered"), [])


if __name__ == "__main__":
    unittest.main()
