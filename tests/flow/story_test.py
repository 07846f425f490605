# The whole story that the product was asked for: two people register, share a watch space, track anime together, and read their dashboard.
# Every step over HTTP against a real server; numbers are checked against the rules by hand.
import datetime
import unittest

from bloomwatch import FlowTest, Server


class Story(FlowTest):
    def setUp(self):
        handle = self._testMethodName[-20:].strip("_")
        self.mira = self.server.person(f"m_{handle}"[:30], display_name="Mira")
        self.ken = self.server.person(f"k_{handle}"[:30], display_name="Ken")
        self.space = self.mira.make_space("Mira & Ken", timeZone="Europe/Berlin")

    def anime(self, person, anime_id, at_least=None):
        return person.get(f"/api/watch-spaces/{self.space}/anime/{anime_id}", at_least=at_least).json

    def participant(self, anime, person):
        return next(p for p in anime["participants"] if p["userId"] == person.id)

    def test_two_people_share_a_space(self):
        invitation = self.mira.post(f"/api/watch-spaces/{self.space}/invitations", {"email": self.ken.email})
        self.assertTrue(invitation["token"])
        mine = self.mira.get(f"/api/watch-spaces/{self.space}", at_least=invitation).json
        self.assertEqual([i["status"] for i in mine["invitations"]], ["pending"])
        self.assertEqual(mine["invitations"][0]["email"], self.ken.email)

        accepted = self.ken.call("POST", f"/api/watch-spaces/invitations/{invitation['token']}/accept", expect=200)
        page = self.ken.get(f"/api/watch-spaces/{self.space}", at_least=accepted).json
        self.assertEqual(page["name"], "Mira & Ken")
        self.assertEqual(page["timeZone"], "Europe/Berlin")
        self.assertEqual({m["displayName"]: m["role"] for m in page["members"]}, {"Mira": "owner", "Ken": "member"})
        self.assertFalse(page.get("invitations"), "only owners see invitations")
        self.assertEqual([s["id"] for s in self.ken.get("/api/watch-spaces").json["items"]], [self.space])
        # A second use of the token is refused or quiet, never a second membership.
        self.assertIn(self.ken.call("POST", f"/api/watch-spaces/invitations/{invitation['token']}/accept").status, (200, 404, 409, 410))
        self.assertEqual(len(self.ken.get(f"/api/watch-spaces/{self.space}").json["members"]), 2)

    def days_that_an_invitation_is_open(self, server):
        """As whole days between sending one and its end."""
        sender = server.person("sender")
        space = sender.make_space()
        before = datetime.datetime.now(datetime.timezone.utc)
        sent = sender.post(f"/api/watch-spaces/{space}/invitations", {"email": "guest@example.org"})
        after = datetime.datetime.now(datetime.timezone.utc)
        (shown,) = sender.get(f"/api/watch-spaces/{space}", at_least=sent).json["invitations"]
        self.assertEqual(shown["expiresAt"], sent["expiresAt"])
        end = datetime.datetime.fromisoformat(sent["expiresAt"])
        days = round((end - before) / datetime.timedelta(days=1))
        # Times are told in milliseconds; those of the answer are this machine's, too.
        self.assertLessEqual(before - datetime.timedelta(milliseconds=1), end - datetime.timedelta(days=days))
        self.assertLessEqual(end - datetime.timedelta(days=days), after)
        return days

    def test_an_invitation_is_open_for_a_week_or_for_as_many_days_as_the_operator_says(self):
        self.assertEqual(self.days_that_an_invitation_is_open(self.server), 7)
        patient = Server(arguments=("--invitation-days", "30"))
        self.addCleanup(patient.close)
        self.assertEqual(self.days_that_an_invitation_is_open(patient), 30)

    def test_compatibility_of_the_documents_own_example_is_90(self):
        self.mira.invite(self.space, self.ken)
        scores = {"Bloom Into You": (101573, 10, 9), "Frieren": (154587, 9, 8), "JJK": (113415, 7, 6)}
        last = None
        for title, (media, hers, his) in scores.items():
            added = self.mira.add_anime(self.space, media, preferredTitle=title, episodeCount=12)
            self.mira.rate(self.space, added["id"], hers)
            last = self.ken.rate(self.space, added["id"], his)
        dashboard = self.mira.dashboard(self.space, at_least=last)
        self.assertEqual(dashboard["watchSpaceId"], self.space)
        compatibility = dashboard["compatibility"]
        self.assertEqual((compatibility["score"], compatibility["averageGap"], compatibility["ratedTogetherCount"]), (90, 1, 3))
        self.assertTrue(compatibility["label"])
        self.assertTrue(compatibility["labelKey"])
        self.assertEqual(len(compatibility["pairs"]), 1)
        self.assertEqual(set(compatibility["pairs"][0]["userIds"]), {self.mira.id, self.ken.id})
        self.assertEqual({g["gap"] for g in dashboard["ratingGapHighlights"]}, {1})
        self.assertEqual({r["preferredTitle"] for r in dashboard["sharedRatings"]}, set(scores))

    def test_an_evening_together_moves_everyone_who_was_there(self):
        self.mira.invite(self.space, self.ken)
        added = self.mira.add_anime(self.space, 154587, preferredTitle="Frieren", episodeCount=4, sharedStatus="watching")
        anime = added["id"]
        evening = self.mira.post(
            f"/api/watch-spaces/{self.space}/anime/{anime}/sessions",
            {"sessionDate": "2025-11-20T20:15:00+01:00", "startEpisode": 1, "endEpisode": 3, "notes": "Popcorn."},
        )
        page = self.anime(self.ken, anime, at_least=evening)
        self.assertEqual((page["sharedStatus"], page["sharedEpisodesWatched"], page["sessionCount"]), ("watching", 3, 1))
        self.assertEqual([p["episodesWatched"] for p in page["participants"]], [3, 3])

        dashboard = self.ken.dashboard(self.space, at_least=evening)
        self.assertEqual(dashboard["stats"]["totalShows"], 1)
        self.assertEqual(dashboard["stats"]["currentlyWatching"], 1)
        self.assertEqual(dashboard["stats"]["episodesWatchedTogether"], 3)
        self.assertEqual(dashboard["currentlyWatching"][0]["id"], anime)
        self.assertEqual(dashboard["currentlyWatching"][0]["progress"], 0.75)
        self.assertEqual(dashboard["recentSessions"][0]["animeId"], anime)
        self.assertEqual(dashboard["recentSessions"][0]["sessionDate"], "2025-11-20T19:15:00.000Z")
        self.assertEqual(dashboard["recentSessions"][0]["notes"], "Popcorn.")

        # The last episode finishes it, for the space and for both.
        finale = self.ken.post(
            f"/api/watch-spaces/{self.space}/anime/{anime}/sessions",
            {"sessionDate": "2025-11-21T20:00:00Z", "startEpisode": 4, "endEpisode": 4},
        )
        page = self.anime(self.mira, anime, at_least=finale)
        self.assertEqual(page["sharedStatus"], "finished")
        self.assertEqual([p["status"] for p in page["participants"]], ["finished", "finished"])
        sessions = self.mira.items(f"/api/watch-spaces/{self.space}/anime/{anime}/sessions")
        self.assertEqual([s["startEpisode"] for s in sessions], [4, 1], "newest first")
        self.assertEqual(self.mira.dashboard(self.space)["stats"]["finished"], 1)

        # Watching one again never lowers progress; its notes can be changed and cleared.
        edited = self.mira.patch(f"/api/watch-spaces/{self.space}/anime/{anime}/sessions/{evening['id']}", {"notes": None})
        sessions = self.mira.items(f"/api/watch-spaces/{self.space}/anime/{anime}/sessions", at_least=edited["position"])
        self.assertIsNone(sessions[1]["notes"])
        again = self.mira.post(
            f"/api/watch-spaces/{self.space}/anime/{anime}/sessions",
            {"sessionDate": "2025-11-22T20:00:00Z", "startEpisode": 1, "endEpisode": 1},
        )
        self.assertEqual(self.anime(self.mira, anime, at_least=again)["sharedEpisodesWatched"], 4)
        beyond = self.mira.call(
            "POST",
            f"/api/watch-spaces/{self.space}/anime/{anime}/sessions",
            {"sessionDate": "2025-11-22T20:00:00Z", "startEpisode": 4, "endEpisode": 5},
        )
        self.assertIn(beyond.status, (400, 409, 422), beyond)

    def test_who_wants_to_be_asked_moves_only_after_confirming(self):
        self.mira.invite(self.space, self.ken)
        self.ken.patch(f"/api/watch-spaces/{self.space}/members/me", {"sessionConsent": "ask"})
        anime = self.mira.add_anime(self.space, 1, preferredTitle="Cowboy Bebop", episodeCount=26)["id"]
        path = f"/api/watch-spaces/{self.space}/anime/{anime}/sessions"
        evening = self.mira.post(path, {"sessionDate": "2025-11-20T20:15:00Z", "startEpisode": 1, "endEpisode": 2})
        session = self.ken.items(path, at_least=evening["position"])[0]
        self.assertEqual(
            {p["userId"]: p["attendance"] for p in session["participants"]}, {self.mira.id: "present", self.ken.id: "invited"}
        )
        page = self.anime(self.ken, anime)
        self.assertEqual(self.participant(page, self.ken)["episodesWatched"], 0)
        self.assertEqual(self.participant(page, self.mira)["episodesWatched"], 2)
        confirmed = self.ken.call("POST", f"{path}/{evening['id']}/confirm", expect=200)
        self.assertEqual(self.participant(self.anime(self.ken, anime, at_least=confirmed), self.ken)["episodesWatched"], 2)

        declined = self.mira.post(path, {"sessionDate": "2025-11-21T20:15:00Z", "startEpisode": 3, "endEpisode": 3})
        answer = self.ken.call("POST", f"{path}/{declined['id']}/decline", expect=200)
        page = self.anime(self.ken, anime, at_least=answer)
        self.assertEqual(self.participant(page, self.ken)["episodesWatched"], 2)

    def test_patches_take_any_subset_and_null_clears(self):
        anime = self.mira.add_anime(self.space, 5114, preferredTitle="FMA:B", episodeCount=64, mood="warm", vibe="epic", pitch="Alchemy!")["id"]
        path = f"/api/watch-spaces/{self.space}/anime/{anime}"
        changed = self.mira.patch(path, {"sharedStatus": "watching", "mood": None})
        page = self.anime(self.mira, anime, at_least=changed)
        self.assertEqual((page["sharedStatus"], page["mood"], page["vibe"], page["pitch"]), ("watching", None, "epic", "Alchemy!"))

        done = self.mira.progress(self.space, anime, episodesWatched=64, startedOn={"year": 2020}, timesRewatched=1)
        me = self.participant(self.anime(self.mira, anime, at_least=done), self.mira)
        self.assertEqual((me["status"], me["episodesWatched"], me["timesRewatched"]), ("finished", 64, 1))
        self.assertEqual({k: v for k, v in me["startedOn"].items() if v is not None}, {"year": 2020})

        self.mira.patch(f"{path}/participant-rating", {"score": 9.5, "notes": "Again!"})
        cleared = self.mira.patch(f"{path}/participant-rating", {"score": None})
        me = self.participant(self.anime(self.mira, anime, at_least=cleared), self.mira)
        self.assertEqual((me["score"], me["notes"]), (None, "Again!"))
        cleared = self.mira.patch(f"{path}/participant-rating", {"notes": None, "score": 0.5})
        me = self.participant(self.anime(self.mira, anime, at_least=cleared), self.mira)
        self.assertEqual((me["score"], me["notes"]), (0.5, None))

        for wrong in ({"score": 0}, {"score": 10.5}, {"score": 7.3}, {"score": "9"}, {"stars": 5}):
            self.assert_problem(self.mira.call("PATCH", f"{path}/participant-rating", wrong), 400)
        too_far = self.mira.call("PATCH", f"{path}/participant-progress", {"episodesWatched": 65})
        self.assertIn(too_far.status, (409, 422), too_far)

    def test_a_title_is_once_in_a_space(self):
        self.mira.add_anime(self.space, 154587, preferredTitle="Frieren")
        again = self.mira.call("POST", f"/api/watch-spaces/{self.space}/anime", {"media": {"source": "anilist", "id": 154587}})
        self.assert_problem(again, 409)
        other = self.mira.post(f"/api/watch-spaces/{self.space}/anime", {"media": {"source": "mal", "id": 154587}})
        page = self.anime(self.mira, other["id"], at_least=other)
        self.assertIsNone(page["anilistMediaId"])
        self.assertEqual(page["media"]["source"], "mal")
        self.assertTrue(page["preferredTitle"], "the reference in words until a title is known")

    def test_who_leaves_is_gone_at_once_and_back_when_they_come_back(self):
        self.mira.invite(self.space, self.ken)
        anime = self.mira.add_anime(self.space, 154587, preferredTitle="Frieren")["id"]
        self.mira.rate(self.space, anime, 9)
        self.ken.rate(self.space, anime, 8)
        left = self.ken.delete(f"/api/watch-spaces/{self.space}/members/me")
        dashboard = self.mira.dashboard(self.space, at_least=left)
        self.assertIsNone(dashboard["compatibility"]["score"])
        self.assertIsNone(dashboard["compatibility"]["averageGap"])
        self.assertEqual(dashboard["ratingGapHighlights"], [])
        self.assertEqual([m["userId"] for m in dashboard["members"]], [self.mira.id])
        self.assertEqual(len(self.anime(self.mira, anime)["participants"]), 1)
        self.assert_problem(self.ken.call("GET", f"/api/watch-spaces/{self.space}/dashboard"), 404)

        back = self.mira.invite(self.space, self.ken)
        dashboard = self.ken.dashboard(self.space, at_least=back)
        self.assertEqual(dashboard["compatibility"]["score"], 90)
        self.assertEqual(len(self.anime(self.ken, anime)["participants"]), 2)

    def test_a_space_always_has_an_owner(self):
        self.mira.invite(self.space, self.ken)
        alone = self.mira.call("DELETE", f"/api/watch-spaces/{self.space}/members/me")
        self.assert_problem(alone, 409)
        demoted = self.mira.call("PATCH", f"/api/watch-spaces/{self.space}/members/{self.mira.id}", {"role": "member"})
        self.assert_problem(demoted, 409)
        handed = self.mira.call("POST", f"/api/watch-spaces/{self.space}/transfer-ownership", {"userId": self.ken.id}, expect=200)
        page = self.ken.get(f"/api/watch-spaces/{self.space}", at_least=handed).json
        self.assertEqual({m["userId"]: m["role"] for m in page["members"]}, {self.mira.id: "member", self.ken.id: "owner"})
        removed = self.ken.delete(f"/api/watch-spaces/{self.space}/members/{self.mira.id}")
        self.assert_problem(self.mira.get(f"/api/watch-spaces/{self.space}", at_least=removed, expect=None), 404)

    def test_a_departure_revokes_the_invitations_that_the_person_sent(self):
        self.mira.invite(self.space, self.ken)
        self.mira.call("PATCH", f"/api/watch-spaces/{self.space}/members/{self.ken.id}", {"role": "owner"}, expect=200)
        sent = self.ken.post(f"/api/watch-spaces/{self.space}/invitations", {"email": "late@example.org"})
        left = self.ken.delete(f"/api/watch-spaces/{self.space}/members/me")
        page = self.mira.get(f"/api/watch-spaces/{self.space}", at_least=left).json
        self.assertEqual({i["id"]: i["status"] for i in page["invitations"]}[sent["id"]], "revoked")

    def test_who_is_no_owner_any_more_makes_none(self):
        late = self.server.person("late_owner")
        self.mira.invite(self.space, self.ken)
        sent = self.mira.post(f"/api/watch-spaces/{self.space}/invitations", {"email": late.email, "role": "owner"})
        handed = self.mira.post(f"/api/watch-spaces/{self.space}/transfer-ownership", {"userId": self.ken.id}, expect=200)
        page = self.ken.get(f"/api/watch-spaces/{self.space}", at_least=handed).json
        self.assertEqual({i["id"]: i["status"] for i in page["invitations"]}[sent["id"]], "revoked")
        accept = f"/api/watch-spaces/invitations/{sent['token']}/accept"
        self.assert_problem(late.call("POST", accept), 410, "invitation-revoked")
        again = self.ken.patch(f"/api/watch-spaces/{self.space}/members/{self.mira.id}", {"role": "owner"})
        page = self.ken.get(f"/api/watch-spaces/{self.space}", at_least=again).json
        self.assertEqual({i["id"]: i["status"] for i in page["invitations"]}[sent["id"]], "pending")
        late.call("POST", accept, expect=200)

    def test_profile_and_log_in_sessions(self):
        changed = self.mira.patch("/api/me", {"displayName": "Mira S.", "timeZone": "Asia/Tokyo"})
        me = self.mira.get("/api/me", at_least=changed).json
        self.assertEqual((me["displayName"], me["timeZone"], me["email"], me["handle"]), ("Mira S.", "Asia/Tokyo", self.mira.email, self.mira.handle))
        # Names are joined by the page: the space shows the new one too.
        page = self.mira.get(f"/api/watch-spaces/{self.space}", at_least=changed).json
        self.assertEqual(page["members"][0]["displayName"], "Mira S.")

        first = self.mira.token
        login = self.mira.log_in()
        sessions = self.mira.items("/api/me/sessions", at_least=login.headers["Bloomwatch-Position"])
        self.assertEqual(len(sessions), 2)
        refreshed = self.mira.client.call("POST", "/api/auth/refresh", {"refreshToken": self.mira.refresh_token}, expect=200)
        self.assertNotEqual(refreshed["refreshToken"], self.mira.refresh_token)
        # The old refresh token used again ends that whole session, the new one included.
        self.assert_problem(self.mira.client.call("POST", "/api/auth/refresh", {"refreshToken": self.mira.refresh_token}), 401)
        self.assert_problem(self.mira.client.call("POST", "/api/auth/refresh", {"refreshToken": refreshed["refreshToken"]}), 401)
        self.assert_problem(self.mira.client.call("GET", "/api/me", token=refreshed["accessToken"]), 401)
        self.mira.token = first
        self.mira.get("/api/me")
        self.mira.call("POST", "/api/auth/logout")
        self.assert_problem(self.mira.call("GET", "/api/me"), 401)

    def test_a_new_password_ends_the_other_sessions(self):
        others = []
        for _ in range(2):
            others.append((self.mira.token, self.mira.refresh_token))
            login = self.mira.log_in()
        sessions = self.mira.items("/api/me/sessions", at_least=login.headers["Bloomwatch-Position"])
        self.assertEqual([session["current"] for session in sessions], [True, False, False], "newest first")
        new = "a better password than before"
        change = {"currentPassword": self.mira.password, "newPassword": new}
        changed = self.mira.call("POST", "/api/me/password", change, expect=200)
        self.assertEqual(self.mira.items("/api/me/sessions", at_least=changed), sessions[:1])
        for token, refresh_token in others:
            for method, path, body in (("GET", "/api/me", None), ("GET", "/api/me/sessions", None), ("PATCH", "/api/me", {"language": "de"})):
                self.assert_problem(self.mira.client.call(method, path, body, token=token), 401)
            refresh = self.mira.client.call("POST", "/api/auth/refresh", {"refreshToken": refresh_token})
            self.assert_problem(refresh, 401, "login-session-ended")
        refreshed = self.mira.client.call("POST", "/api/auth/refresh", {"refreshToken": self.mira.refresh_token}, expect=200)
        self.mira.token = refreshed["accessToken"]
        position = refreshed.headers["Bloomwatch-Position"]
        self.assertEqual([session["id"] for session in self.mira.items("/api/me/sessions", at_least=position)], [sessions[0]["id"]])
        self.assert_problem(
            self.mira.client.call("POST", "/api/auth/login", {"email": self.mira.email, "password": self.mira.password}), 401
        )
        self.mira.password = new
        self.mira.log_in()

    def test_an_email_and_a_handle_are_one_persons_whatever_their_case(self):
        body = {"email": self.mira.email.upper(), "handle": "somebody_else", "displayName": "X", "password": "long enough for us"}
        self.assert_problem(self.server.client().call("POST", "/api/auth/register", body), 409)
        body = {"email": "new@example.org", "handle": self.mira.handle, "displayName": "X", "password": "long enough for us"}
        self.assert_problem(self.server.client().call("POST", "/api/auth/register", body), 409)

    @classmethod
    def tearDownClass(cls):
        report = cls.server.verify()
        assert report, "verify prints what it checked"


if __name__ == "__main__":
    unittest.main()
