# Recaps and their cards over HTTP: what a month shows, that it stays as it was when the month is over, who is shown to the world and who is
# not, links that are shared and taken back, and the pictures behind them.
import datetime
import struct
import unittest
import xml.etree.ElementTree
import zoneinfo

from bloomwatch import FlowTest

HOSTILE = "<script>alert(1)</script> & \"' عنوان"


class Recaps(FlowTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.server.person("ada_r")
        cls.ben = cls.server.person("ben_r")
        cls.space = cls.ada.make_space("Ada & Ben", timeZone="Europe/Berlin")
        cls.ada.invite(cls.space, cls.ben)
        cls.path = f"/api/watch-spaces/{cls.space}"
        cls.frieren = cls.ada.add_anime(cls.space, 154587, preferredTitle="葬送のフリーレン", episodeCount=28, episodeMinutes=24)["id"]
        cls.hostile = cls.ada.add_anime(cls.space, 7, preferredTitle=HOSTILE, episodeCount=12, episodeMinutes=30)["id"]
        for day, anime, last in (("03", cls.frieren, 2), ("04", cls.hostile, 3), ("05", cls.frieren, 1), ("09", cls.frieren, 7)):
            cls.watch(anime, f"2025-10-{day}T20:00:00+02:00", last)
        cls.watch(cls.frieren, "2025-11-01T00:30:00+01:00", 1)  # October in UTC, November where they live
        cls.month = datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Berlin")).strftime("%Y-%m")
        cls.ada.rate(cls.space, cls.frieren, 9.5)
        cls.ben.rate(cls.space, cls.frieren, 8.5)
        cls.ben.rate(cls.space, cls.hostile, 3)
        cls.at = cls.ada.rate(cls.space, cls.hostile, 9)

    @classmethod
    def watch(cls, anime, when, last, by=None):
        body = {"sessionDate": when, "timeZone": "Europe/Berlin", "startEpisode": 1, "endEpisode": last}
        return (by or cls.ada).post(f"{cls.path}/anime/{anime}/sessions", body)

    def recap(self, period, at_least=None, person=None):
        return (person or self.ada).get(f"{self.path}/recaps/{period}", at_least=at_least or self.server.last_position()).json

    def card(self, token, ending="svg", query="", headers=None, expect=200):
        answer = self.ada.client.call("GET", f"/api/recap-cards/{token}.{ending}{query}", headers=headers)
        self.assertEqual(answer.status, expect, answer)
        return answer

    def share(self, person, path, **options):
        """Shares, and waits until the link leads somewhere."""
        shared = person.post(path, **options)
        person.get("/api/me/recap-shares", at_least=shared)
        return shared

    def test_a_month_is_what_happened_in_it(self):
        recap = self.recap("2025-10")
        self.assertEqual((recap["sessions"], recap["episodes"], recap["time"]["minutes"], recap["hours"]), (4, 13, 330, 5.5))
        self.assertEqual((recap["from"], recap["to"], recap["timeZone"], recap["over"]), ("2025-10-01", "2025-10-31", "Europe/Berlin", True))
        self.assertEqual((recap["daysWatched"], recap["titleCount"]), (4, 2))
        self.assertEqual(recap["longestStreak"], {"days": 3, "from": "2025-10-03", "to": "2025-10-05"})
        self.assertEqual((recap["binge"]["day"], recap["binge"]["episodes"]), ("2025-10-09", 7))
        self.assertEqual(recap["binge"]["titles"][0]["preferredTitle"], "葬送のフリーレン")
        self.assertEqual((recap["first"]["day"], recap["last"]["day"]), ("2025-10-03", "2025-10-09"))
        self.assertEqual([title["episodes"] for title in recap["titles"]], [10, 3])
        self.assertEqual([(m["displayName"], m["episodes"], m["recapConsent"]) for m in recap["members"]][0], ("Ada_r", 13, False))
        self.assertEqual((recap["ratedCount"], recap["bestRated"], recap["tasteTwins"]), (0, [], []))  # they rated later
        self.assertEqual(self.recap("2025-11")["episodes"], 1)
        self.assertEqual(self.recap("2025")["episodes"], 14)
        self.assertEqual(self.recap("1999")["sessions"], 0)

    def test_genres_are_those_that_the_catalogue_knows(self):
        self.server.operator("role", "ada_r", "moderator")
        title = {"names": [{"text": "Frieren"}], "media": [{"source": "anilist", "id": 154587}], "genres": ["Fantasy", "Adventure"]}
        added = self.ada.post("/api/titles", title)
        wanted = [{"genre": genre, "episodes": 10, "titleCount": 1} for genre in ("adventure", "fantasy")]
        self.assertEqual(self.recap("2025-10", added)["genres"], wanted)
        self.assertEqual(self.ada.get("/api/me/recaps/2025-10", at_least=added).json["genres"], wanted)
        self.assertEqual(self.recap("1999")["genres"], [])

    def test_scores_belong_to_when_they_were_given(self):
        recap = self.recap(self.month)
        self.assertEqual([(title["preferredTitle"], title["score"]) for title in recap["bestRated"]], [("葬送のフリーレン", 9), (HOSTILE, 6)])
        self.assertEqual((recap["biggestDisagreement"]["animeId"], recap["biggestDisagreement"]["gap"]), (self.hostile, 6))
        self.assertEqual(recap["tasteTwins"][0]["userIds"], [self.ada.id, self.ben.id])
        self.assertEqual((recap["tasteTwins"][0]["score"], recap["tasteTwins"][0]["ratedTogetherCount"]), (65, 2))
        mine = self.ben.get(f"/api/me/recaps/{self.month}", at_least=self.server.last_position()).json
        self.assertEqual([title["score"] for title in mine["bestRated"]], [8.5, 3])
        self.assertEqual((mine["ratedCount"], mine["averageScore"]), (2, 5.75))
        self.assertEqual((mine["tasteTwins"][0]["userIds"], mine["tasteTwins"][0]["displayName"]), ([self.ada.id], "Ada_r"))
        self.assertEqual(mine["biggestDisagreement"]["gap"], 6)

    def test_a_person_keeps_their_year_when_they_leave(self):
        guest = self.server.person("guest_r")
        self.ada.invite(self.space, guest)
        made = self.watch(self.frieren, "2024-05-05T20:00:00+02:00", 4, by=guest)
        before = guest.get("/api/me/recaps/2024", at_least=made).json
        self.assertEqual((before["episodes"], before["first"]["animeId"]), (4, self.frieren))
        left = guest.delete(f"{self.path}/members/me")
        after = guest.get("/api/me/recaps/2024", at_least=left).json
        self.assertEqual(after["episodes"], 4)
        self.assertNotIn(guest.id, [member["userId"] for member in self.recap("2024")["members"]])

    def test_late_words_correct_a_past_month_and_later_scores_do_not(self):
        before = self.recap("2025-08")
        late = self.watch(self.frieren, "2025-08-08T20:00:00+02:00", 2)
        self.assertEqual(self.recap("2025-08", late)["episodes"], before["episodes"] + 2)
        self.ada.post(f"{self.path}/history/{late['position']}/undo", expect=200)
        scored = self.ben.rate(self.space, self.frieren, 8.5)
        self.assertEqual(self.recap("2025-08", scored), before)

    def test_what_is_no_period_is_refused(self):
        for wrong in ("2025-13", "2025-1", "25", "2025-00", "20251", "0000", "2025-10-01"):
            for path in (f"{self.path}/recaps/{wrong}", f"/api/me/recaps/{wrong}"):
                with self.subTest(path=path):
                    answer = self.ada.call("GET", path)
                    self.assertIn(answer.status, (400, 404), answer)
                    self.assert_problem(answer, answer.status)
        self.assert_problem(self.ada.call("POST", "/api/me/recaps/2999/shares"), 409)
        self.assert_problem(self.ada.call("POST", f"{self.path}/recaps/2999-01/shares"), 409)

    def test_a_card_shows_those_who_agreed(self):
        shared = self.share(self.ada, f"{self.path}/recaps/2025-10/shares")
        nobody = self.card(shared["token"], "png")
        agreed = self.ben.patch(f"{self.path}/members/me", {"recapConsent": True})
        members = self.ben.get(self.path, at_least=agreed).json["members"]
        self.assertEqual([member["recapConsent"] for member in members if member["userId"] == self.ben.id], [True])
        one = self.card(shared["token"], "png")
        self.assertNotEqual(one.headers["ETag"], nobody.headers["ETag"])
        self.assertNotEqual(one.body, nobody.body)
        back = self.ben.patch(f"{self.path}/members/me", {"recapConsent": False})
        self.ben.get(self.path, at_least=back)
        self.assertEqual(self.card(shared["token"], "png").body, nobody.body)

    def test_pictures_are_sound_in_both_formats_and_themes(self):
        shared = self.share(self.ada, f"{self.path}/recaps/{self.month}/shares")
        pictures = set()
        for theme in ("pastel", "dark"):
            svg = self.card(shared["token"], query=f"?theme={theme}")
            self.assertEqual(svg.headers["Content-Type"], "image/svg+xml")
            root = xml.etree.ElementTree.fromstring(svg.body)
            self.assertTrue(root.tag.endswith("svg"))
            self.assertNotIn(b"<script", svg.body)
            self.assertIn("Ada & Ben", root.find("{http://www.w3.org/2000/svg}title").text)
            self.assertIn("sandbox", svg.headers["Content-Security-Policy"])
            png = self.card(shared["token"], "png", query=f"?theme={theme}")
            self.assertEqual(png.headers["Content-Type"], "image/png")
            self.assertEqual((png.body[:8], struct.unpack(">II", png.body[16:24])), (b"\x89PNG\r\n\x1a\n", (1080, 1350)))
            pictures |= {svg.body, png.body}
        self.assertEqual(len(pictures), 4)
        self.assertEqual(self.card(shared["token"]).body, self.card(shared["token"], query="?theme=pastel").body)
        problem = self.card(shared["token"], query="?theme=neon", expect=400)
        self.assertEqual(problem.json["errors"][0]["pointer"], "/theme")

    def test_an_unchanged_card_is_not_sent_again(self):
        shared = self.share(self.ben, "/api/me/recaps/2025-10/shares")
        first = self.card(shared["token"], "png")
        tag = first.headers["ETag"]
        self.assertTrue(tag.startswith('"'))
        self.assertIn("no-cache", first.headers["Cache-Control"])
        again = self.card(shared["token"], "png", headers={"If-None-Match": f'"other", {tag}'}, expect=304)
        self.assertEqual((again.body, again.headers["ETag"]), (b"", tag))
        self.card(shared["token"], "svg", headers={"If-None-Match": tag})  # another picture
        elsewhere = self.watch(self.frieren, "2025-03-03T20:00:00+01:00", 1)  # another month
        self.recap("2025-03", elsewhere)
        self.card(shared["token"], "png", headers={"If-None-Match": tag}, expect=304)
        within = self.watch(self.frieren, "2025-10-20T20:00:00+02:00", 1)
        self.recap("2025-10", within)
        self.assertNotEqual(self.card(shared["token"], "png", headers={"If-None-Match": tag}).headers["ETag"], tag)
        self.ada.post(f"{self.path}/history/{within['position']}/undo", expect=200)

    def test_a_repeat_shows_the_same_link(self):
        one = self.ada.post("/api/me/recaps/2025-10/shares", headers={"Idempotency-Key": "share-once"})
        two = self.ada.post("/api/me/recaps/2025-10/shares", headers={"Idempotency-Key": "share-once"})
        self.assertEqual(one.json, two.json)
        self.assertEqual(one["url"], f"/api/recap-cards/{one['token']}.png")
        self.assertNotIn(one["token"], str(self.server.rows("SELECT data FROM log.events WHERE type = 'RecapShared'")))

    def test_links_are_listed_and_taken_back(self):
        shared = self.share(self.ben, f"{self.path}/recaps/2025/shares")
        listed = self.ben.items("/api/me/recap-shares", limit=1)
        self.assertEqual([item for item in listed if item["id"] == shared["id"]][0]["watchSpaceId"], self.space)
        self.card(shared["token"])
        self.assert_problem(self.ada.call("DELETE", f"/api/me/recap-shares/{shared['id']}"), 404)
        revoked = self.ben.delete(f"/api/me/recap-shares/{shared['id']}")
        self.ben.delete(f"/api/me/recap-shares/{shared['id']}")  # once more is quiet
        listed = self.ben.get("/api/me/recap-shares", at_least=revoked).json["items"]
        self.assertNotIn(shared["id"], [item["id"] for item in listed])
        bare = lambda answer: {key: value for key, value in answer.json.items() if key not in ("instance", "traceId", "trace_id", "requestId")}
        gone = bare(self.card(shared["token"], expect=404))
        for wrong in ("x" * 43, "%E2%80%AE", "short", shared["token"][:-1] + "_"):
            self.assertEqual(bare(self.card(wrong, expect=404)), gone)
        self.assertEqual(bare(self.card(shared["token"], "jpg", expect=404)), gone)

    def test_who_leaves_a_space_takes_their_links_with_them(self):
        leaver = self.server.person("leaver_r")
        self.ada.invite(self.space, leaver)
        shared = self.share(leaver, f"{self.path}/recaps/2025-10/shares")
        self.card(shared["token"])
        left = leaver.delete(f"{self.path}/members/me")
        self.assertFalse(leaver.get("/api/me/recap-shares", at_least=left).json["items"][0]["leads"])
        self.card(shared["token"], expect=404)
        self.ada.invite(self.space, leaver)
        self.recap("2025-10")
        self.card(shared["token"], expect=404)  # coming back does not open it again
        self.assert_problem(self.server.person("stranger_r").call("POST", f"{self.path}/recaps/2025-10/shares"), 404)

    @classmethod
    def tearDownClass(cls):
        cls.server.verify()


if __name__ == "__main__":
    unittest.main()
