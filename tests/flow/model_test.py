# Random commands of three members, imports and what is taken back among them, against a model of a space that is made of what people are
# told alone: no event, no row, no fold. Every so many commands all pages of the space are compared with it, whatever statement they come
# from (a small space's or a large one's).
import copy
import dataclasses
import itertools
import math
import random
import unittest
from fractions import Fraction

from bloomwatch import FlowTest

STATUSES = ("backlog", "watching", "finished", "paused", "dropped")
ON_MAL = {"backlog": "Plan to Watch", "watching": "Watching", "finished": "Completed", "paused": "On-Hold", "dropped": "Dropped"}


def rounded(value):
    return math.floor(value + Fraction(1, 2))


@dataclasses.dataclass
class Side:
    """How far the space is with a title, or one member; what a member thinks of it."""

    status: str = "backlog"
    episodes: int = 0
    score: float | None = None
    notes: str | None = None

    def move(self, to, count):
        if to == count:
            self.status = "finished"
        elif to > self.episodes and self.status == "backlog":
            self.status = "watching"
        self.episodes = to

    def attend(self, end, count):
        if end >= self.episodes:
            self.move(end, count)


@dataclasses.dataclass
class Evening:
    end: int
    advances: bool
    attendance: dict


@dataclasses.dataclass
class Title:
    count: int | None
    shared: Side
    sides: dict = dataclasses.field(default_factory=dict)
    evenings: dict = dataclasses.field(default_factory=dict)

    def of(self, person):
        return self.sides.setdefault(person, Side())

    def scores(self, members):
        return {person: Fraction(self.of(person).score) for person in members if self.of(person).score}


class Life:
    """Does one thing after another, in the instance and in the model."""

    def __init__(self, test, seed):
        self.chance = random.Random(seed)
        self.owner, *others = self.people = [test.server.person(f"{name}_{seed}") for name in ("mira", "ken", "ana")]
        self.space = self.owner.make_space("Model")
        self.path = f"/api/watch-spaces/{self.space}"
        for other in others:
            self.owner.invite(self.space, other)
        self.members = {person.id for person in self.people}
        self.ask = set()
        self.titles = {}
        self.media = itertools.count(1)
        self.imported = {}  # by MyAnimeList's ids
        self.position = 0

    def step(self):
        person = self.chance.choice(self.people)
        if person.id not in self.members:
            return self.come_back(person)
        if not self.titles:
            return self.add(person)
        acts = {
            self.add: 15,
            self.rate: 30,
            self.go_on: 15,
            self.move_space: 10,
            self.meet: 15,
            self.consent: 5,
            self.answer: 8,
            self.leave: 2,
            self.bring: 2,
        }
        (act,) = self.chance.choices(list(acts), list(acts.values()))
        before, position = copy.deepcopy(self.titles), self.position
        act(person)
        if self.position > position and act not in (self.consent, self.leave, self.bring) and self.chance.random() < 0.1:
            self.take_back(person, before)

    def take_back(self, person, before):
        """What has just been done, and sometimes the taking back."""
        after, self.titles = self.titles, before
        undone = self.did(person.post(f"{self.path}/history/{self.position}/undo", expect=200))
        if self.chance.random() < 0.3:
            self.did(person.post(f"{self.path}/history/{undone['position']}/undo", expect=200))
            self.titles = after

    def add(self, person):
        count = self.chance.choice([None, 1, 12, 13, 24])
        status = self.chance.choice(STATUSES)
        media, name = next(self.media), self.chance.choice(["Ä", "zeta", "Alpha", "星", "😀"])
        fields = {"episodeCount": count, "sharedStatus": status, "preferredTitle": f"{name} {media}"}
        self.titles[self.did(person.add_anime(self.space, media, **fields))["id"]] = Title(count, Side(status))

    def rate(self, person):
        fields = self.some(score=[None] + [tenths / 2 for tenths in range(1, 21)], notes=[None, "cosy", "a 星 for it"])
        title, _ = self.send(person, "PATCH", "/participant-rating", fields)
        side = title.of(person.id)
        for name, value in fields.items():
            setattr(side, name, value)

    def go_on(self, person):
        self.advance(person, "/participant-progress", ("episodesWatched", "status"), lambda title: title.of(person.id))

    def move_space(self, person):
        self.advance(person, "", ("sharedEpisodesWatched", "sharedStatus"), lambda title: title.shared)

    def advance(self, person, where, names, side_of):
        fields = self.some(**{names[0]: range(30), names[1]: STATUSES})
        title, _ = self.send(person, "PATCH", where, fields, fields.get(names[0], 0))
        if title is None:
            return
        side = side_of(title)
        if fields.get(names[0], side.episodes) != side.episodes:
            side.move(fields[names[0]], title.count)
        side.status = fields.get(names[1], side.status)

    def meet(self, person):
        first = self.chance.randrange(1, 14)
        day, end = self.chance.randrange(1, 28), first + self.chance.randrange(4)
        some_members = self.chance.sample(sorted(self.members), self.chance.randint(1, len(self.members)))
        fields = self.some(participants=[some_members], advanceProgress=[True, False])
        fields |= {"sessionDate": f"2026-10-{day:02}T20:00:00Z", "startEpisode": first, "endEpisode": end}
        title, answer = self.send(person, "POST", "/sessions", fields, end, done=201)
        if title is None:
            return
        asked = self.ask - {person.id}
        there = {who: "invited" if who in asked else "present" for who in fields.get("participants", self.members)}
        evening = title.evenings[answer["id"]] = Evening(end, fields.get("advanceProgress", True), there)
        if evening.advances:
            for side in [title.shared] + [title.of(who) for who, attendance in there.items() if attendance == "present"]:
                side.attend(end, title.count)

    def bring(self, person):
        """An export: what it says of progress is the person's own, and a title that is new is the space's backlog."""
        rows = {}
        for mal in self.chance.sample(range(1, 30), self.chance.randint(1, 4)):
            count, end = self.chance.choice([None, 12, 24]), self.chance.randrange(28)
            if mal in self.imported:
                count = self.titles[self.imported[mal]].count
                end = min(end, count or end)
            rows[mal] = (count, end, self.chance.choice(STATUSES), self.chance.choice([0, 0, 3, 8, 10]))
        kind = {"Content-Type": "application/octet-stream"}
        report = self.did(person.call("POST", f"{self.path}/imports/mal", self.export_of(rows), headers=kind, expect=200))
        for (mal, (count, end, status, score)), told in zip(rows.items(), report["rows"]):
            fits = end <= (count or end)
            title = self.titles.setdefault(told["animeId"], Title(count if fits else None, Side()))
            self.imported[mal] = told["animeId"]
            side = title.of(person.id)
            side.episodes, side.status, side.score = end, status, score or side.score

    @staticmethod
    def export_of(rows):
        row = (
            "<anime><series_animedb_id>{}</series_animedb_id><series_episodes>{}</series_episodes><my_watched_episodes>{}"
            "</my_watched_episodes><my_status>{}</my_status><my_score>{}</my_score></anime>"
        )
        listed = (row.format(mal, count or 0, end, ON_MAL[status], score) for mal, (count, end, status, score) in rows.items())
        return f"<myanimelist>{''.join(listed)}</myanimelist>".encode()

    def consent(self, person):
        consent = self.chance.choice(["ask", "automatic"])
        self.did(person.patch(f"{self.path}/members/me", {"sessionConsent": consent}))
        (self.ask.add if consent == "ask" else self.ask.discard)(person.id)

    def answer(self, person):
        """To an evening that one is asked about."""
        for identity, title in self.titles.items():
            for session, evening in title.evenings.items():
                if evening.attendance.get(person.id) != "invited":
                    continue
                there = self.chance.random() < 0.5
                self.did(person.post(f"{self.path}/anime/{identity}/sessions/{session}/{'confirm' if there else 'decline'}", expect=200))
                evening.attendance[person.id] = "present" if there else "declined"
                if there and evening.advances:
                    title.of(person.id).attend(evening.end, title.count)
                return

    def leave(self, person):
        if person is self.owner:
            return
        self.did(person.delete(f"{self.path}/members/me"))
        self.members.discard(person.id)
        self.ask.discard(person.id)

    def come_back(self, person):
        person.get(self.path, expect=404, at_least=self.position)
        self.did(self.owner.invite(self.space, person))
        self.members.add(person.id)

    def some(self, **choices):
        """Of each name a value, or nothing; of one at least."""
        names = [name for name in choices if self.chance.random() < 0.6] or [self.chance.choice(list(choices))]
        return {name: self.chance.choice(list(choices[name])) for name in names}

    def send(self, person, method, where, fields, end=0, done=200):
        """A title and what was answered; no title if it has not so many episodes."""
        identity = self.chance.choice(list(self.titles))
        title = self.titles[identity]
        fits = end <= (title.count or end)
        answer = person.call(method, f"{self.path}/anime/{identity}{where}", fields, expect=done if fits else 409)
        return (title, self.did(answer)) if fits else (None, answer)

    def did(self, answer):
        self.position = max(self.position, answer["position"])
        return answer


class Model(FlowTest):
    def assert_as_told(self, life):
        at, members, titles = life.position, life.members, life.titles
        items = life.owner.items(f"{life.path}/anime?sort={life.chance.choice(['title', 'added', 'updated'])}", life.chance.randint(1, 9), at)
        self.assertEqual(sorted(item["id"] for item in items), sorted(titles))
        for item in items:
            title = titles[item["id"]]
            shown = (item["sharedStatus"], item["sharedEpisodesWatched"], item["episodeCount"], item["sessionCount"])
            self.assertEqual(shown, (title.shared.status, title.shared.episodes, title.count, len(title.evenings)))
            sides = {who["userId"]: Side(who["status"], who["episodesWatched"], who["score"], who["notes"]) for who in item["participants"]}
            self.assertEqual(sides, {who: title.of(who) for who in members})
        one = life.chance.choice(items)
        detail = life.owner.get(f"{life.path}/anime/{one['id']}", at_least=at).json
        self.assertEqual({name: detail[name] for name in one}, one)
        evenings = life.owner.items(f"{life.path}/anime/{one['id']}/sessions", 3, at)
        self.assertEqual(
            {evening["id"]: {who["userId"]: who["attendance"] for who in evening["participants"]} for evening in evenings},
            {
                identity: {who: attendance for who, attendance in evening.attendance.items() if who in members}
                for identity, evening in titles[one["id"]].evenings.items()
            },
        )
        dashboard = life.owner.dashboard(life.space, at)
        shared = [title.shared for title in titles.values()]
        self.assertEqual(
            dashboard["stats"],
            {
                "totalShows": len(titles),
                "currentlyWatching": sum(side.status == "watching" for side in shared),
                "finished": sum(side.status == "finished" for side in shared),
                "episodesWatchedTogether": sum(side.episodes for side in shared),
            },
        )
        self.assert_compatible(life, dashboard["compatibility"])
        compatibility = life.owner.get(f"{life.path}/analytics/compatibility", at_least=at).json
        self.assertEqual({name: compatibility[name] for name in dashboard["compatibility"]}, dashboard["compatibility"])
        gaps = [(max(scores.values()) - min(scores.values()), identity) for identity, scores in self.rated(life).items()]
        gaps = sorted(((gap, identity) for gap, identity in gaps if gap), reverse=True)
        self.assertEqual([(each["gap"], each["animeId"]) for each in dashboard["ratingGapHighlights"]], gaps[:5])

    def rated(self, life):
        scores = {identity: title.scores(life.members) for identity, title in life.titles.items()}
        return {identity: each for identity, each in scores.items() if len(each) > 1}

    def assert_compatible(self, life, shown):
        rated = self.rated(life)
        pairs = {}
        for pair in itertools.combinations(sorted(life.members), 2):
            gaps = [abs(scores[pair[0]] - scores[pair[1]]) for scores in rated.values() if scores.keys() >= set(pair)]
            if gaps:
                pairs[pair] = (sum(gaps) / len(gaps), len(gaps))
        figures = lambda gap: (max(0, rounded(100 - 10 * gap)), rounded(10 * gap) / 10)
        whole = figures(sum(gap for gap, _ in pairs.values()) / len(pairs)) if pairs else (None, None)
        self.assertEqual((shown["score"], shown["averageGap"], shown["ratedTogetherCount"]), (*whole, len(rated)))
        self.assertEqual(
            {tuple(sorted(pair["userIds"])): (pair["score"], pair["averageGap"], pair["ratedTogetherCount"]) for pair in shown["pairs"]},
            {pair: (*figures(gap), count) for pair, (gap, count) in pairs.items()},
        )

    def test_pages_say_what_people_did(self):
        for seed, commands, every in ((1, 300, 15), (2, 300, 15), (3, 900, 75)):
            with self.subTest(seed=seed):
                life = Life(self, seed)
                for number in range(1, commands + 1):
                    life.step()
                    if number % every == 0 and life.titles:
                        self.assert_as_told(life)
                if commands > 500:
                    self.assertGreater(len(life.titles), 80, "a large space, which has a dashboard's statement of its own")


if __name__ == "__main__":
    unittest.main()
