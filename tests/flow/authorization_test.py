# Who may do what: every route of the route table is walked as nobody, with a wrong, an expired and an ended token, as a stranger, a member,
# an owner and an admin. A route that this file does not know fails the test, so a new one cannot be forgotten.
import json
import re
import time
import unittest

from bloomwatch import FlowTest, new_uuid

# A valid body for each route that takes one; what it asks for may be refused by a rule, never by its shape.
BODIES = {
    "POST /api/auth/register": {"email": "walker@example.org", "handle": "walker", "displayName": "W", "password": "long enough for us"},
    "POST /api/auth/login": {"email": "walker@example.org", "password": "long enough for us"},
    "POST /api/auth/refresh": {"refreshToken": "nonsense"},
    "POST /api/auth/logout": None,
    "PATCH /api/me": {"language": "en"},
    "POST /api/me/password": {"currentPassword": "wrong, on purpose", "newPassword": "another one, long enough"},
    "DELETE /api/me/sessions/{session}": None,
    "POST /api/watch-spaces": {"name": "Another"},
    "PATCH /api/watch-spaces/{watchSpace}": {"name": "Renamed"},
    "POST /api/watch-spaces/{watchSpace}/invitations": {"email": "guest@example.org"},
    "POST /api/watch-spaces/invitations/{token}/accept": None,
    "DELETE /api/watch-spaces/{watchSpace}/invitations/{invitation}": None,
    "DELETE /api/watch-spaces/{watchSpace}/members/me": None,
    "PATCH /api/watch-spaces/{watchSpace}/members/me": {"sessionConsent": "automatic"},
    "DELETE /api/watch-spaces/{watchSpace}/members/{userId}": None,
    "PATCH /api/watch-spaces/{watchSpace}/members/{userId}": {"role": "member"},
    "POST /api/watch-spaces/{watchSpace}/transfer-ownership": {"userId": "{userId}"},
    "POST /api/watch-spaces/{watchSpace}/anime": {"anilistMediaId": 7},
    "PATCH /api/watch-spaces/{watchSpace}/anime/{anime}": {"mood": "calm"},
    "PATCH /api/watch-spaces/{watchSpace}/anime/{anime}/participant-progress": {"episodesWatched": 3},
    "PATCH /api/watch-spaces/{watchSpace}/anime/{anime}/participant-rating": {"score": 8},
    "POST /api/watch-spaces/{watchSpace}/anime/{anime}/sessions": {"sessionDate": "2025-11-20T20:00:00Z", "startEpisode": 1, "endEpisode": 1},
    "PATCH /api/watch-spaces/{watchSpace}/anime/{anime}/sessions/{session}": {"notes": "Nice."},
    "POST /api/watch-spaces/{watchSpace}/anime/{anime}/sessions/{session}/confirm": None,
    "POST /api/watch-spaces/{watchSpace}/anime/{anime}/sessions/{session}/decline": None,
    "POST /api/watch-spaces/{watchSpace}/imports/mal": b"<myanimelist></myanimelist>",
    "POST /api/watch-spaces/{watchSpace}/imports/{importId}/undo": None,
    "POST /api/watch-spaces/{watchSpace}/history/{position}/undo": None,
    "POST /api/admin/audit/queries": {"reason": "To see whether it may be asked."},
    "POST /api/admin/roles": {"handle": "owner_o", "role": "user"},
    "POST /api/titles": {"names": [{"text": "A title of ours"}]},
    "PATCH /api/titles/{title}": {"episodes": 12},
    "POST /api/catalog/import": {"import": "{userId}", "source": "csv", "dryRun": True, "releases": [], "merges": [], "titles": []},
    "POST /api/watch-spaces/{watchSpace}/recaps/{period}/shares": None,
    "POST /api/me/recaps/{period}/shares": None,
    "DELETE /api/me/recap-shares/{share}": None,
}
# Parameters go by several names in patterns; what they are is told by what stands before them.
PARAMETERS = [
    (r"/watch-spaces/\{[^}]+\}", "/watch-spaces/{watchSpace}"),
    (r"/anime/\{[^}]+\}", "/anime/{anime}"),
    (r"/sessions/\{[^}]+\}", "/sessions/{session}"),
    (r"/members/\{[^}]+\}", "/members/{userId}"),
    (r"(?<=\})/invitations/\{[^}]+\}", "/invitations/{invitation}"),
    (r"/watch-spaces/invitations/\{[^}]+\}/", "/watch-spaces/invitations/{token}/"),
]


def normal(pattern):
    for expression, name in PARAMETERS:
        pattern = re.sub(expression, name, pattern)
    return pattern


class Authorization(FlowTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        table = json.loads(cls.server.operator("routes", "--json"))
        cls.routes = [(route["method"], normal(route["pattern"]), route["access"]) for route in table]
        cls.owner = cls.server.person("owner_o")
        cls.member = cls.server.person("member_m")
        cls.stranger = cls.server.person("stranger_s")
        cls.leaver = cls.server.person("leaver_l")
        cls.space = cls.owner.make_space()
        cls.owner.invite(cls.space, cls.member)
        cls.owner.invite(cls.space, cls.leaver)
        cls.leaver.delete(f"/api/watch-spaces/{cls.space}/members/me")
        cls.added = cls.owner.add_anime(cls.space, 154587, preferredTitle="Frieren", episodeCount=28)
        cls.anime = cls.added["id"]
        session = {"sessionDate": "2025-11-20T20:00:00Z", "startEpisode": 1, "endEpisode": 1}
        cls.session = cls.owner.post(f"/api/watch-spaces/{cls.space}/anime/{cls.anime}/sessions", session)["id"]
        cls.invitation = cls.owner.post(f"/api/watch-spaces/{cls.space}/invitations", {"email": "late@example.org"})
        for page in ("dashboard", "analytics/timeline", "history"):  # pages have seen all of this before the walk begins
            cls.member.get(f"/api/watch-spaces/{cls.space}/{page}", at_least=cls.invitation)

    def request(self, method, pattern, **other):
        """Path and body of a valid request to the space, or to another if named."""
        values = {
            "watchSpace": self.space,
            "anime": self.anime,
            "session": self.session,
            "userId": self.leaver.id,
            "invitation": self.invitation["id"],
            "token": "no-such-token-" + "x" * 30,
            "importId": self.session,  # nobody imported anything
            "position": str(self.added["position"]),
            "anilistMediaId": "154587",
            "title": self.session,  # of no title
            "year": "2023",
            "season": "fall",
            "slug": "madhouse",
            "period": "2025-11",
            "share": self.session,  # nobody shared it
            "card": "no-such-token-" + "x" * 30 + ".svg",
        } | other
        path = re.sub(r"\{(\w+)\}", lambda match: values[match.group(1)], pattern)
        body = None
        if method != "GET":
            key = f"{method} {pattern}"
            self.assertIn(key, BODIES, f"a new route: say in this file what a valid body of {key} is")
            body = BODIES[key]
            if isinstance(body, dict):
                body = json.loads(json.dumps(body).replace("{userId}", values["userId"]))
        return path, body

    def send(self, method, pattern, token, **other):
        path, body = self.request(method, pattern, **other)
        return self.owner.client.call(method, path, body, token=token)

    def in_space(self):
        return [route for route in self.routes if "{watchSpace}" in route[1]]

    def test_the_table_is_what_the_product_promises(self):
        known = {(method, pattern) for method, pattern, _ in self.routes}
        self.assertGreaterEqual(len(known), 30)
        pages = ("/api/me", "/api/watch-spaces", "/api/watch-spaces/{watchSpace}/dashboard", "/api/anilist/search",
                 "/api/anilist/media/{anilistMediaId}")
        for promised in [*BODIES, *(f"GET {page}" for page in pages)]:
            self.assertIn(tuple(promised.split(" ")), known)
        space = "/api/watch-spaces/{watchSpace}"
        for method, pattern, access in self.in_space():
            self.assertIn(access, ("member", "owner"), f"{method} {pattern}")
        self.assertEqual(
            {f"{method} {pattern}" for method, pattern, access in self.routes if access == "owner"},
            {
                f"PATCH {space}",
                f"POST {space}/invitations",
                f"DELETE {space}/invitations/{{invitation}}",
                f"DELETE {space}/members/{{userId}}",
                f"PATCH {space}/members/{{userId}}",
                f"POST {space}/transfer-ownership",
            },
        )
        self.assertEqual(
            {pattern for _, pattern, access in self.routes if access == "anyone"},
            {"/api/auth/register", "/api/auth/login", "/api/auth/refresh", "/api/recap-cards/{card}"},
        )

    def test_without_a_good_token_nothing_but_the_door_opens(self):
        ended = self.server.person("ended_e")
        ended.call("POST", "/api/auth/logout")
        expired = self.server.operator("token", "--as", "owner_o", "--seconds", "1").strip()
        time.sleep(1.1)
        good = self.owner.token
        changed = good[:-2] + ("AA" if good[-2:] != "AA" else "BB")
        tokens = {"nobody": None, "nonsense": "nonsense", "changed": changed, "expired": expired, "ended": ended.token, "empty": ""}
        for method, pattern, access in self.routes:
            for what, token in tokens.items():
                with self.subTest(route=f"{method} {pattern}", token=what):
                    answer = self.send(method, pattern, token)
                    if access == "anyone":
                        self.assertLess(answer.status, 500)
                    else:
                        self.assert_problem(answer, 401)
                        self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer"))

    def test_a_stranger_cannot_tell_a_space_from_none(self):
        for method, pattern, _ in self.in_space():
            for person in (self.stranger, self.leaver):
                with self.subTest(route=f"{method} {pattern}", person=person.handle):
                    real = self.send(method, pattern, person.token)
                    none = self.send(method, pattern, person.token, watchSpace=new_uuid())
                    self.assert_problem(real, 404)
                    self.assert_problem(none, 404)
                    same = lambda answer: {k: v for k, v in answer.json.items() if k not in ("instance", "incident", "requestId", "trace_id")}
                    self.assertEqual(same(real), same(none))
                    names = lambda answer: sorted(name.lower() for name in answer.headers.keys())
                    self.assertEqual(names(real), names(none))

    def test_things_of_one_space_are_not_reached_through_another(self):
        mine = self.stranger.make_space("Mine")
        for method, pattern, _ in self.in_space():
            if "{anime}" in pattern or "{invitation}" in pattern:
                with self.subTest(route=f"{method} {pattern}"):
                    self.assert_problem(self.send(method, pattern, self.stranger.token, watchSpace=mine), 404)

    def test_a_member_may_do_what_members_do_and_no_more(self):
        for method, pattern, access in self.in_space():
            if (method, pattern) == ("DELETE", "/api/watch-spaces/{watchSpace}/members/me"):
                continue  # tested last of all, by the story
            with self.subTest(route=f"{method} {pattern}"):
                answer = self.send(method, pattern, self.member.token)
                if access == "owner":
                    self.assert_problem(answer, 403)
                else:
                    self.assertNotIn(answer.status, (400, 401, 403, 405, 415, 500, 503), answer)
                    self.assertTrue(answer.status != 404 or re.search("confirm|decline|imports/.*/undo", pattern), answer)

    def test_an_owner_is_never_told_that_they_may_not(self):
        for method, pattern, _ in self.in_space():
            if pattern.endswith("/members/me") and method == "DELETE" or pattern.endswith("/transfer-ownership"):
                continue
            with self.subTest(route=f"{method} {pattern}"):
                answer = self.send(method, pattern, self.owner.token)
                self.assertNotIn(answer.status, (400, 401, 403, 405, 415, 500, 503), answer)

    def granted(self, handle, role):
        """Somebody to whom the operator gave the role."""
        person = self.server.person(handle)
        self.server.operator("role", handle, role)
        person.get("/api/me", at_least=self.server.last_position())
        return person

    def of_access(self, wanted):
        routes = [(method, pattern) for method, pattern, access in self.routes if access == wanted]
        self.assertGreaterEqual(len(routes), 2)
        return routes

    def test_whoever_is_signed_in_may_use_what_is_about_themselves(self):
        for number, (method, pattern) in enumerate(self.of_access("signed-in")):
            with self.subTest(route=f"{method} {pattern}"):
                anybody = self.server.person(f"anybody_{number}")
                answer = self.send(method, pattern, anybody.token)
                self.assertNotIn(answer.status, (401, 405, 415, 500), answer)
                self.assertEqual(answer.status == 403, pattern == "/api/me/password", answer)  # the current one is wrong, on purpose

    def test_what_is_for_admins_is_for_nobody_else(self):
        moderator, admin = self.granted("moderator_a", "moderator"), self.granted("admin_a", "admin")
        for method, pattern in self.of_access("admin"):
            with self.subTest(route=f"{method} {pattern}"):
                for person in (self.stranger, self.member, self.owner, moderator):
                    self.assert_problem(self.send(method, pattern, person.token), 403)
                    if method != "GET":  # nor is it said what would be missing
                        self.assert_problem(self.owner.client.call(method, pattern, {"nonsense": 1}, token=person.token), 403)
                allowed = self.send(method, pattern, admin.token)
                self.assertEqual(allowed.status, {"GET": 400, "POST": 201}[method], allowed)

    def test_what_is_for_moderators_is_for_no_user(self):
        moderator, admin = self.granted("moderator_b", "moderator"), self.granted("admin_b", "admin")
        for method, pattern in self.of_access("moderator"):
            with self.subTest(route=f"{method} {pattern}"):
                self.assert_problem(self.send(method, pattern, self.owner.token), 403)
                for person in (moderator, admin):
                    allowed = self.send(method, pattern, person.token)
                    self.assertEqual(allowed.status, {"POST": 201, "PATCH": 404}[method], allowed)

    def test_what_is_for_the_operator_is_for_no_person(self):
        admin = self.granted("admin_c", "admin")
        for method, pattern in self.of_access("operators"):
            for person in (self.owner, admin):
                with self.subTest(route=f"{method} {pattern}", person=person.handle):
                    self.assert_problem(self.send(method, pattern, person.token), 403, "operators-only")

    def test_ones_own_pages_are_ones_own(self):
        other = self.stranger.get("/api/me/sessions").json["items"][0]["id"]
        self.assert_problem(self.member.call("DELETE", f"/api/me/sessions/{other}"), 404)
        self.stranger.get("/api/me")

    @classmethod
    def tearDownClass(cls):
        cls.server.verify()


if __name__ == "__main__":
    unittest.main()
