# Who may do what: every route of the route table is walked as nobody, with a wrong, an expired and an ended token, as a stranger, a member,
# an owner and an admin. A route that this file does not know fails the test, so a new one cannot be forgotten.
import itertools
import json
import re
import time
import unittest

from bloomwatch import FlowTest, new_uuid

# A valid body for each route that takes one; what it asks for may be refused by a rule, never by its shape.
BODIES = {
    "POST /api/auth/register": {"email": "{newcomer}@example.org", "handle": "{newcomer}", "password": "long enough for us"},
    "POST /api/auth/login": {"email": "owner_o@example.org", "password": "owner_o likes long walks"},
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
# What these take in their query, where it must be said.
QUERIES = {"GET /api/search/suggest": "?q=frieren", "GET /api/anilist/search": "?query=frieren"}
# What is answered to whoever may send it: an error by its problem's type too. All else is 200, or 201 of a POST.
ANSWERS = {
    "POST /api/auth/login": 200,
    "POST /api/auth/refresh": (401, "refresh-token-unknown"),
    "POST /api/auth/logout": 200,
    "GET /api/recap-cards/{card}": (404, "not-found"),
    "POST /api/me/password": (403, "wrong-password"),
    "DELETE /api/me/sessions/{session}": (404, "no-such-login-session"),
    "DELETE /api/me/recap-shares/{share}": (404, "no-such-recap-share"),
    "POST /api/watch-spaces/invitations/{token}/accept": (404, "no-such-invitation"),
    "DELETE /api/watch-spaces/{watchSpace}/members/{userId}": (404, "no-such-member"),  # they have left
    "PATCH /api/watch-spaces/{watchSpace}/members/{userId}": (404, "no-such-member"),
    "POST /api/watch-spaces/{watchSpace}/transfer-ownership": (404, "no-such-member"),
    "POST /api/watch-spaces/{watchSpace}/anime/{anime}/sessions/{session}/confirm": 200,
    "POST /api/watch-spaces/{watchSpace}/anime/{anime}/sessions/{session}/decline": (409, "attendance-settled"),  # they were there
    "POST /api/watch-spaces/{watchSpace}/imports/mal": 200,
    "POST /api/watch-spaces/{watchSpace}/imports/{importId}/undo": (404, "no-such-import"),
    "POST /api/watch-spaces/{watchSpace}/history/{position}/undo": (409, "changed-since"),
    "GET /api/titles/{title}": (404, "no-such-title"),
    "PATCH /api/titles/{title}": (404, "no-such-title"),
    "GET /api/studios/{slug}": (404, "no-such-studio"),
    "GET /api/anilist/search": (503, "anilist-unavailable"),
    "GET /api/anilist/media/{anilistMediaId}": (503, "anilist-unavailable"),
    "GET /api/admin/audit": (400, "validation"),  # no query was asked before
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
    serve_arguments = ("--anilist-url", "https://127.0.0.1:1")  # nobody is there, wherever this runs
    numbers = itertools.count(1)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        table = json.loads(cls.server.operator("routes", "--json"))
        cls.routes = [(route["method"], normal(route["pattern"]), route["access"]) for route in table]
        cls.owner = cls.server.person("owner_o")
        cls.member = cls.server.person("member_m")
        cls.stranger = cls.server.person("stranger_s")
        cls.leaver = cls.server.person("leaver_l")
        cls.there = cls.space_with_something_of_all()

    @classmethod
    def space_with_something_of_all(cls):
        """The parameters that lead to what is in a new space of the owner and the member, which the leaver has left."""
        space = cls.owner.make_space()
        cls.owner.invite(space, cls.member)
        cls.owner.invite(space, cls.leaver)
        cls.leaver.delete(f"/api/watch-spaces/{space}/members/me")
        added = cls.owner.add_anime(space, 154587, preferredTitle="Frieren", episodeCount=28)
        evening = {"sessionDate": "2025-11-20T20:00:00Z", "startEpisode": 1, "endEpisode": 1}
        session = cls.owner.post(f"/api/watch-spaces/{space}/anime/{added['id']}/sessions", evening)["id"]
        invitation = cls.owner.post(f"/api/watch-spaces/{space}/invitations", {"email": "late@example.org"})
        for page in ("dashboard", "analytics/timeline", "history"):  # pages have seen all of this before the walk begins
            cls.member.get(f"/api/watch-spaces/{space}/{page}", at_least=invitation)
        return {
            "watchSpace": space,
            "anime": added["id"],
            "session": session,
            "invitation": invitation["id"],
            "position": str(added["position"]),
        }

    def request(self, method, pattern, **other):
        """Path and body of a valid request to the space, or to another if named."""
        nothing = self.there["session"]  # the id of a session only
        values = self.there | {
            "userId": self.leaver.id,
            "newcomer": f"newcomer_{next(self.numbers)}",
            "token": "no-such-token-" + "x" * 30,
            "importId": nothing,
            "anilistMediaId": "154587",
            "title": nothing,
            "year": "2023",
            "season": "fall",
            "slug": "madhouse",
            "period": "2025-11",
            "share": nothing,
            "card": "no-such-token-" + "x" * 30 + ".svg",
        } | other
        path = re.sub(r"\{(\w+)\}", lambda match: values[match.group(1)], pattern)
        key = f"{method} {pattern}"
        path += QUERIES.get(key, "")
        body = None
        if method != "GET":
            self.assertIn(key, BODIES, f"a new route: say in this file what a valid body of {key} is")
            body = BODIES[key]
            if isinstance(body, dict):
                body = json.loads(re.sub(r"\{(userId|newcomer)\}", lambda match: values[match.group(1)], json.dumps(body)))
        return path, body

    def send(self, method, pattern, token, **other):
        path, body = self.request(method, pattern, **other)
        return self.owner.client.call(method, path, body, token=token)

    def assert_allowed(self, answer, method, pattern):
        """It is what whoever may send the request is answered."""
        expected = ANSWERS.get(f"{method} {pattern}", 201 if method == "POST" else 200)
        if isinstance(expected, tuple):
            self.assert_problem(answer, *expected)
        else:
            self.assertEqual(answer.status, expected, answer)

    def in_space(self):
        """Leaving comes last."""
        routes = [route for route in self.routes if "{watchSpace}" in route[1]]
        return sorted(routes, key=lambda route: route[:2] == ("DELETE", "/api/watch-spaces/{watchSpace}/members/me"))

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
                        self.assert_allowed(answer, method, pattern)
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
        there = self.space_with_something_of_all()
        for method, pattern, access in self.in_space():
            with self.subTest(route=f"{method} {pattern}"):
                answer = self.send(method, pattern, self.member.token, **there)
                if access == "owner":
                    self.assert_problem(answer, 403, "owners-only")
                else:
                    self.assert_allowed(answer, method, pattern)

    def test_an_owner_is_never_told_that_they_may_not(self):
        there = self.space_with_something_of_all()
        for method, pattern, _ in self.in_space():
            with self.subTest(route=f"{method} {pattern}"):
                answer = self.send(method, pattern, self.owner.token, **there)
                if (method, pattern) == ("DELETE", "/api/watch-spaces/{watchSpace}/members/me"):
                    self.assert_problem(answer, 409, "last-owner")
                else:
                    self.assert_allowed(answer, method, pattern)

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
                self.assert_allowed(self.send(method, pattern, anybody.token), method, pattern)

    def test_what_is_for_admins_is_for_nobody_else(self):
        moderator, admin = self.granted("moderator_a", "moderator"), self.granted("admin_a", "admin")
        for method, pattern in self.of_access("admin"):
            with self.subTest(route=f"{method} {pattern}"):
                for person in (self.stranger, self.member, self.owner, moderator):
                    self.assert_problem(self.send(method, pattern, person.token), 403)
                    if method != "GET":  # nor is it said what would be missing
                        self.assert_problem(self.owner.client.call(method, pattern, {"nonsense": 1}, token=person.token), 403)
                self.assert_allowed(self.send(method, pattern, admin.token), method, pattern)

    def test_what_is_for_moderators_is_for_no_user(self):
        moderator, admin = self.granted("moderator_b", "moderator"), self.granted("admin_b", "admin")
        for method, pattern in self.of_access("moderator"):
            with self.subTest(route=f"{method} {pattern}"):
                self.assert_problem(self.send(method, pattern, self.owner.token), 403)
                for person in (moderator, admin):
                    self.assert_allowed(self.send(method, pattern, person.token), method, pattern)

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
