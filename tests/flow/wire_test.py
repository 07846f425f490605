# What holds for every route: problems and their shapes, pages and cursors, position tokens, repeats with an Idempotency-Key.
# A client app depends on each of these to the letter.
import socket
import threading
import time
import unittest
import urllib.parse

from bloomwatch import Client, FlowTest, new_uuid


class Wire(FlowTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mira = cls.server.person("mira")
        cls.space = cls.mira.make_space()
        cls.anime = cls.mira.add_anime(cls.space, 154587, preferredTitle="Frieren", episodeCount=28)["id"]
        cls.rating = f"/api/watch-spaces/{cls.space}/anime/{cls.anime}/participant-rating"

    def raw(self, data):
        """What the server answers to these bytes, until it closes."""
        host, port = urllib.parse.urlsplit(self.server.url).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer

    def test_every_wrong_field_is_named_at_once(self):
        answer = self.mira.call(
            "POST",
            f"/api/watch-spaces/{self.space}/anime",
            {"anilistMediaId": "x", "episodeCount": -1, "sharedStatus": "seen", "colour": "red"},
        )
        self.assert_problem(answer, 400)
        pointers = {error["pointer"].removeprefix("#") for error in answer["errors"]}
        self.assertLessEqual({"/anilistMediaId", "/episodeCount", "/sharedStatus", "/colour"}, pointers, answer)
        answer = self.mira.call("PATCH", self.rating + "?atLeast=1", {"score": "nine"})
        self.assert_problem(answer, 400, "validation")
        self.assertEqual([(error["pointer"].removeprefix("#"), error["in"]) for error in answer["errors"]], [("/atLeast", "query"), ("/score", "body")])
        for value in ("x", 1.5, 1 << 40):  # all are told the bounds of the field
            [error] = self.mira.call("PATCH", self.rating.replace("rating", "progress"), {"episodesWatched": value}, expect=400)["errors"]
            self.assertEqual((error["pointer"], error["detail"]), ("/episodesWatched", "must be a whole number from 0 to 100000"))

    def test_an_anime_that_is_not_named_is_told_with_all_else(self):
        for body, wrong in (({}, set()), ({"episodeCount": -1}, {"/episodeCount"}), ({"anilistMediaId": 1, "media": {"source": "mal", "id": 1}}, set())):
            answer = self.mira.call("POST", f"/api/watch-spaces/{self.space}/anime", body)
            self.assert_problem(answer, 400, "validation")
            self.assertEqual({error["pointer"].removeprefix("#") for error in answer["errors"]}, {"/anilistMediaId", "/media"} | wrong, answer)

    def test_bad_json_is_400_and_never_worse(self):
        bad = {
            "empty": b"",
            "blank": b" \r\n\t ",
            "not JSON": b"{score: 9}",
            "trailing bytes": b'{"score": 9} x',
            "invalid UTF-8": b'{"notes": "\xff"}',
            "a zero character": b'{"notes": "\\u0000"}',
            "a lone surrogate": b'{"notes": "\\ud800"}',
            "a key twice": b'{"score": 9, "score": 8}',
            "too deep": b'{"notes": ' + b"[" * 40 + b"]" * 40 + b"}",
            "a number that does not fit": b'{"score": 1e999}',
            "not an object": b"[]",
        }
        for what, body in bad.items():
            with self.subTest(what):
                answer = self.mira.call("PATCH", self.rating, body, headers={"Content-Type": "application/json"})
                self.assert_problem(answer, 400)
        body = b'{"score": 1e999, "notes": "\\ud800"}'
        answer = self.mira.call("PATCH", self.rating, body, headers={"Content-Type": "application/json"})
        self.assertEqual([error["pointer"] for error in answer["errors"]], ["/score", "/notes"])

    def test_the_other_ways_to_be_wrong(self):
        self.assert_problem(self.mira.call("GET", "/api/no-such-thing"), 404)
        answer = self.mira.call("PUT", self.rating, {"score": 9})
        self.assert_problem(answer, 405)
        self.assertIn("PATCH", answer.headers["Allow"])
        self.assert_problem(self.mira.call("PATCH", self.rating, b"score=9", headers={"Content-Type": "application/x-www-form-urlencoded"}), 415)
        self.assert_problem(self.mira.call("GET", f"/api/watch-spaces/{new_uuid()}"), 404)
        self.assert_problem(self.mira.call("GET", "/api/watch-spaces/not-a-uuid"), 404)
        self.assert_problem(self.mira.client.call("GET", "/api/me"), 401)
        large = b'{"notes": "' + b"x" * (1 << 20) + b'"}'
        host = urllib.parse.urlsplit(self.server.url).netloc
        answer = self.raw(
            f"PATCH {self.rating} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {self.mira.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(large)}\r\n\r\n".encode()
        )
        self.assertTrue(answer.startswith(b"HTTP/1.1 413"), answer[:200])
        answer = self.raw(b"GET /api/me HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 20000 + b"\r\n\r\n")
        self.assertRegex(answer[:20], rb"HTTP/1.1 (400|431|413)")
        # What is not looked at would not keep its promise.
        headers = {"If-Match": '"1"'}
        self.assert_problem(self.mira.call("PATCH", self.rating, {"score": 2}, headers=headers), 501, "if-match-not-evaluated")
        answer = self.raw(
            f"PATCH {self.rating} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {self.mira.token}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: one\r\nIdempotency-Key: two\r\nContent-Length: 11\r\n\r\n{{\"score\":2}}".encode()
        )
        self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:200])
        self.assertRegex(self.raw(b"\x16\x03\x01 hello\r\n\r\n")[:20], rb"^$|HTTP/1.1 400")

    def test_requests_may_be_pipelined(self):
        host = urllib.parse.urlsplit(self.server.url).netloc
        one = f"GET /api/me HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {self.mira.token}\r\n\r\n".encode()
        answer = self.raw(one * 5)
        self.assertEqual(answer.count(b"HTTP/1.1 200"), 5)

    def test_a_command_answers_id_version_position_and_the_header(self):
        answer = self.mira.rate(self.space, self.anime, 8)
        self.assertEqual(set(answer.json), {"id", "version", "position"})
        epoch, position = answer.headers["Bloomwatch-Position"].split(".")
        self.assertRegex(epoch, "^[0-9a-f]{8}$")
        self.assertEqual(int(position), answer["position"])
        # The same once more is quiet: the stream's version and the log's last position.
        again = self.mira.rate(self.space, self.anime, 8)
        self.assertEqual((again["id"], again["version"]), (answer["id"], answer["version"]))
        for token in (answer.headers["Bloomwatch-Position"], str(answer["position"])):
            page = self.mira.get(f"/api/watch-spaces/{self.space}/anime/{self.anime}", at_least=token).json
            self.assertEqual(page["participants"][0]["score"], 8)

    def test_a_page_is_never_older_than_asked(self):
        dashboard = f"/api/watch-spaces/{self.space}/dashboard"
        answer = self.mira.call("GET", f"{dashboard}?atLeast=999999999", headers={"Prefer": "wait=1"})
        self.assert_problem(answer, 503, "read-model-behind")
        self.assertTrue(answer.headers["Retry-After"])
        host = urllib.parse.urlsplit(self.server.url).netloc
        answer = self.raw(  # one list in two lines
            f"GET {dashboard}?atLeast=1 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {self.mira.token}\r\n"
            f"Prefer: respond-async\r\nPrefer: wait=3\r\n\r\n".encode()
        )
        self.assertIn(b"Preference-Applied: wait=3\r\n", answer)
        self.assert_problem(self.mira.call("GET", f"{dashboard}?atLeast=deadbeef.1"), 410)
        self.assert_problem(self.mira.call("GET", f"{dashboard}?atLeast=soon"), 400)

    def test_a_page_waits_for_what_it_is_asked_unless_it_is_told_not_to(self):
        def seconds_until_refused(**headers):
            begun = time.monotonic()
            answer = self.mira.call("GET", f"/api/watch-spaces/{self.space}?atLeast=999999999", headers=headers)
            self.assert_problem(answer, 503, "read-model-behind")
            self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
            return time.monotonic() - begun

        at_once = min(seconds_until_refused(Prefer="wait=0") for _ in range(3))
        for headers in ({}, {"Prefer": "return=minimal"}):
            self.assertGreater(seconds_until_refused(**headers), 3 * at_once, headers)

    def test_lists_are_paged_by_cursor(self):
        space = self.mira.make_space("Paging")
        for number in range(1, 8):
            last = self.mira.add_anime(space, number, preferredTitle=f"Title {number}")
        path = f"/api/watch-spaces/{space}/anime"
        pages = []
        url = f"{path}?limit=3&atLeast={last['position']}"
        while url:
            page = self.mira.get(url).json
            self.assertEqual(set(page), {"items", "next"})
            pages.append([item["id"] for item in page["items"]])
            url = page["next"]
        self.assertEqual([len(page) for page in pages], [3, 3, 1])
        self.assertEqual(len({id for page in pages for id in page}), 7)
        self.assert_problem(self.mira.call("GET", f"{path}?limit=201"), 400)
        self.assert_problem(self.mira.call("GET", f"{path}?limit=0"), 400)
        self.assert_problem(self.mira.call("GET", f"{path}?cursor=nonsense"), 400)

    def test_a_repeat_with_the_same_key_is_one_command(self):
        key = {"Idempotency-Key": new_uuid()}
        first = self.mira.post("/api/watch-spaces", {"name": "Once"}, headers=key)
        again = self.mira.post("/api/watch-spaces", {"name": "Once"}, headers=key)
        self.assertEqual(first.json, again.json)
        other = self.mira.call("POST", "/api/watch-spaces", {"name": "Twice"}, headers=key)
        self.assert_problem(other, 422)
        # The key is the person's: somebody else's is another one.
        ken = self.server.person("ken_keys")
        self.assertNotEqual(ken.post("/api/watch-spaces", {"name": "Once"}, headers=key)["id"], first["id"])
        # A refusal is recorded too; a bad request is not.
        key = {"Idempotency-Key": new_uuid()}
        body = {"anilistMediaId": 154587}
        path = f"/api/watch-spaces/{self.space}/anime"
        self.assert_problem(self.mira.call("POST", path, body, headers=key), 409)
        self.assert_problem(self.mira.call("POST", path, body, headers=key), 409)
        key = {"Idempotency-Key": new_uuid()}
        self.assert_problem(self.mira.call("PATCH", self.rating, {"score": 77}, headers=key), 400)
        self.mira.call("PATCH", self.rating, {"score": 7}, headers=key, expect=200)

    def test_a_repeated_invitation_shows_the_same_token(self):
        key = {"Idempotency-Key": new_uuid()}
        path = f"/api/watch-spaces/{self.space}/invitations"
        first = self.mira.post(path, {"email": "guest@example.org"}, headers=key)
        again = self.mira.post(path, {"email": "guest@example.org"}, headers=key)
        self.assertEqual(first["token"], again["token"])

    def test_the_same_key_at_the_same_time_is_one_command(self):
        key = {"Idempotency-Key": new_uuid()}
        answers = []

        def send():
            client = Client(self.server.url)
            answers.append(client.call("POST", "/api/watch-spaces", {"name": "At once"}, token=self.mira.token, headers=key))
            client.close()

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({answer.status for answer in answers}, {201})
        self.assertEqual(len({answer["id"] for answer in answers}), 1)

    def test_who_may_not_send_a_body_is_told_before_it_comes(self):
        """Else a few who send slowly, and have no token, would fill the room that there is for everybody's bodies."""
        spaces, imports, catalog = "/api/watch-spaces", f"/api/watch-spaces/{self.space}/imports/mal", "/api/catalog/import"
        for path, token, status in (
            (spaces, None, 401),
            (imports, None, 401),
            (imports, "wrong", 401),
            (catalog, None, 401),
            (catalog, self.mira.token, 403),
        ):
            header = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n"
            if token:
                header += f"Authorization: Bearer {token}\r\n"
            answer = self.raw(header.encode() + b"\r\n")
            self.assertTrue(answer.startswith(f"HTTP/1.1 {status} ".encode()), (path, answer))
            self.assertIn(b"Connection: close", answer)

    def test_health_and_metrics_are_on_the_admin_port(self):
        admin = Client(self.server.admin_url)
        self.addCleanup(admin.close)
        self.assertEqual(admin.call("GET", "/health/live").status, 200)
        self.assertEqual(admin.call("GET", "/health/ready").status, 200)
        self.assertIn(b"# TYPE", admin.call("GET", "/metrics").body)
        self.assertEqual(self.mira.call("GET", "/metrics").status, 404)

    @classmethod
    def tearDownClass(cls):
        cls.server.verify()


class AccountLimit(FlowTest):
    serve_arguments = ("--account-commands-per-second", "1")  # ten at once

    def test_an_account_that_sends_too_much_waits_and_nobody_else(self):
        mira, ken = self.server.person("mira"), self.server.person("ken")
        space = mira.make_space()
        rename = lambda i: mira.call("PATCH", f"/api/watch-spaces/{space}", {"name": f"Name {i}"})
        answers = [rename(i) for i in range(100)]
        refused = [answer for answer in answers if answer.status != 200]
        self.assertGreater(len(refused), 0)
        for answer in refused:
            self.assert_problem(answer, 429, "too-many-requests")
            self.assertEqual(answer.headers["Retry-After"], "1")
        mira.get(f"/api/watch-spaces/{space}")
        ken.make_space()


if __name__ == "__main__":
    unittest.main()
