# Measures what ops/bench prints, all of it in one run: each figure three times, the median counts, seconds bounded.
# Release build, a Postgres cluster of its own with fsync, all on this machine. Rates vary from minute to minute: read the ratios, to what was
# measured right before.
# Usage: bench.py BUILD_FOLDER WORK_FOLDER [--only NAME ...] [--seconds N]
import argparse
import atexit
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
POSTGRES_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
ROUNDS = 3
CONNECTIONS = 256
SPACES, ANIME = 1000, 10
# Pages are many, and each is measured twice: in so many seconds each.
PAGE_SECONDS = 2
PAGES = (
    ("dashboard", "dashboard"),
    ("anime list", "anime"),
    ("anime", "anime/{anime}"),
    ("sessions of an anime", "anime/{anime}/sessions"),
    ("space", ""),
    ("own spaces", "/api/watch-spaces"),
    ("oneself", "/api/me"),
    *((page, f"analytics/{page}") for page in ("compatibility", "rating-gaps", "shared-stats", "rating-distribution", "timeline")),
    ("random-pick", "analytics/random-pick?seed=tonight"),
    ("history", "history"),
    ("history of ratings", "history?field=rating"),
    ("one's own history", "/api/me/history"),
    ("recap of a space", f"recaps/{time.strftime('%Y')}"),
    ("recap of a person", f"/api/me/recaps/{time.strftime('%Y')}"),
)
START_ANIME, START_LIFE_SECONDS = 1000, 15  # few anime with a long past
AS_OF_EVENTS = (100, 1_000, 10_000)
AS_OF_ANIME = 50
PARTS = ("append", "commands", "pages", "bare", "start", "rebuild", "kafka", "search")
SHARED_DATA = pathlib.Path(os.environ.get("BLOOMWATCH_SHARED_DATA") or ROOT.parent / "shared" / "data")  # not ours to ship
CATALOGUE = SHARED_DATA / "catalog" / "anime-12k.csv"
HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # all of it is on this machine, whatever proxy is set


def run(*command, env=None, timeout=600):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace", env={**os.environ, **(env or {})}, timeout=timeout)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Service:
    """`bloomwatch serve`, or command-service alone, with its home in the work folder."""

    def __init__(self, bench, program, *arguments):
        self.home = bench.work / "home"
        self.home.mkdir(exist_ok=True)
        name = {"serve": "instance", "relay": "relay"}.get(arguments[0] if arguments else "", program)
        file = self.home / f"{name}.json"
        file.unlink(missing_ok=True)
        self.log = open(bench.work / f"{program}.log", "ab")
        self.process = subprocess.Popen(
            [str(bench.build / program), *arguments, "--home", str(self.home), "--admin-port", "0", "--database-url", bench.url]
            + ([] if name == "relay" else ["--port", "0"]),
            stdout=self.log,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "BLOOMWATCH_ACCOUNT_COMMANDS_PER_SECOND": "1000000"},  # the load of thousands comes from a few
        )
        atexit.register(self.process.kill)  # however this run ends; once stopped, it is not there any more
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process.poll() is not None:
                sys.exit(f"bench: {program} ended; see {self.log.name}")
            try:
                self.instance = json.loads(file.read_text())
                with HTTP.open(self.instance["adminUrl"] + "/health/ready", timeout=2):
                    break
            except (OSError, ValueError):
                time.sleep(0.1)
        else:
            sys.exit(f"bench: {program} was not ready within a minute; see {self.log.name}")
        if name == "relay":
            return
        self.url = self.instance["url"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


class Bench:
    def __init__(self, build, work, seconds, only, catalogue):
        self.catalogue = catalogue
        self.build = build
        self.work = work
        self.seconds = seconds
        self.only = only
        self.rows = []
        self.targets = work / "targets.txt"
        self.url = run(ROOT / "ops/cluster", "start", work / "postgres").strip()
        self.http_load = build / "http_load"

    def wants(self, name):
        return not self.only or name in self.only

    def median(self, what, measure, by="rate"):
        """The measurement whose rate, or what `by` names, is the median of three."""
        values = []
        for number in range(ROUNDS):
            values.append(measure())
            say(f"{what}, {number + 1} of {ROUNDS}: {values[-1]}")
        return sorted(values, key=lambda value: value[by])[len(values) // 2]

    def wrk(self, url, script, connections=CONNECTIONS, seconds=None, **environment):
        seconds = seconds or self.seconds
        env = {"BENCH_TARGETS": str(self.targets), "BENCH_THREADS": "2"} | {f"BENCH_{name.upper()}": str(v) for name, v in environment.items()}
        # Slow is no failure: wrk's own limit is two seconds, and a writer that reads long streams whole takes longer.
        output = run("wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", HERE / script, url, env=env)
        match = re.search(r"^BENCH (\d+) (\d+) (\d+) (\d+) (\d+)$", output, re.M)
        requests, duration_us, p50_us, p99_us, errors = map(int, match.groups())
        if errors:
            sys.exit(f"bench: {errors} of {requests} requests to {url} failed:\n{output}")
        return {"rate": round(requests / duration_us * 1e6), "p50": p50_us / 1000, "p99": p99_us / 1000}

    def pgbench(self, *arguments):
        url = self.url.replace("postgresql:///bloomwatch", "postgresql:///pgbench")
        output = run(POSTGRES_BIN / "pgbench", "-n", "-c", "16", "-j", "2", "-T", str(self.seconds), *arguments, url)
        return {"rate": round(float(re.search(r"tps = ([\d.]+) \(without", output).group(1)))}

    def psql(self, statement):
        return run("psql", "--no-psqlrc", "-d", self.url, "-v", "ON_ERROR_STOP=1", "-Atc", statement).strip()

    def row(self, what, value, against="", reach="", ok=None):
        verdict = "" if ok is None else ("reached" if ok else "NOT reached")
        self.rows.append((what, value, against, reach, verdict))
        say(f"{what}: {value} {against} {verdict}")

    def prepare(self):
        say("preparing Postgres: pgbench's tables, and WAL segments to recycle")
        self.psql("CREATE DATABASE pgbench")
        run(POSTGRES_BIN / "pgbench", "-i", "-q", "-s", "50", self.url.replace("postgresql:///bloomwatch", "postgresql:///pgbench"))
        self.psql("CHECKPOINT")
        say(f"preparing {SPACES} spaces with {ANIME} anime each")
        service = Service(self, "bloomwatch", "serve")
        run(self.http_load, "prepare", service.port, self.targets, SPACES, ANIME)
        say("warming up")
        self.wrk(service.url, "rating.lua", seconds=10, keys=1)
        service.stop()
        self.psql("CHECKPOINT")

    def nginx(self, what, script, **environment):
        """nginx answering a constant to what a script of wrk asks."""
        configuration = self.work / "nginx.conf"
        port = free_port()
        configuration.write_text(
            f"""daemon off; worker_processes 2; pid {self.work}/nginx.pid; error_log {self.work}/nginx.log;
events {{ worker_connections 2048; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {self.work}/nginx-body; server {{ listen 127.0.0.1:{port} reuseport;
location / {{ default_type application/json; return 200 '{{"id":"0190f5fe-7c00-7a00-8abc-000000000000","version":12,"position":123456}}'; }} }} }}
"""
        )
        process = subprocess.Popen(["/usr/sbin/nginx", "-c", str(configuration), "-p", str(self.work)])
        time.sleep(0.5)
        try:
            return self.median(f"nginx, {what}", lambda: self.wrk(f"http://127.0.0.1:{port}", script, **environment))["rate"]
        finally:
            process.terminate()
            process.wait()

    def command_baselines(self, keys):
        """A function that compares a rate of commands: its share of nginx's, how many times pgbench's it is, and both as text."""
        nginx = self.nginx("PATCH", "rating.lua", keys=keys)
        tpcb = self.median("pgbench tpcb-like", lambda: self.pgbench("-M", "prepared"))["rate"]
        self.psql("CHECKPOINT")

        def compare(rate):
            share, times = rate / nginx, rate / tpcb
            return share, times, f"{share:.1%} of nginx's {nginx:,}/s, {times:.1f} × pgbench's {tpcb:,}/s"

        return compare

    def page_baselines(self):
        nginx = self.nginx("GET", "pages.lua", requests=self.requests_of("dashboard"))
        return nginx, self.median("pgbench -S", lambda: self.pgbench("-S", "-M", "prepared"))["rate"]

    def append(self):
        program = self.build / "append_bench"
        if not program.exists():
            self.row("append, batches of 500", "not measured: no append_bench")
            return
        output = run(program, self.url)
        found = json.loads(output.strip().splitlines()[-1])
        share = found["append"] / found["copy"]
        self.row("append, batches of 500", f"{found['append']:,.0f} events/s", f"{share:.0%} of COPY's {found['copy']:,.0f}/s", "≥ 70 %", share >= 0.7)

    def commands(self):
        """With the read models that a dashboard shows, and with all."""
        self.commands_with("four read models", "--models", "people,spaces,tracking,dashboard")
        self.fold_the_rest()
        self.commands_with("all read models")

    def fold_the_rest(self):
        """The models that nobody has folded for a while."""
        service = Service(self, "bloomwatch", "serve")
        self.wait_folded()
        service.stop()

    def commands_with(self, models, *arguments):
        compare = self.command_baselines(keys=1)
        service = Service(self, "bloomwatch", "serve", *arguments)
        self.wrk(service.url, "rating.lua", seconds=3, keys=1)
        full = self.median(f"commands, {models}", lambda: self.wrk(service.url, "rating.lua", keys=1))
        share, times, against = compare(full["rate"])
        self.row(
            f"durable commands/s, keys, {models}",
            rate_of(full),
            against,
            "≥ 20 %, ≥ 8 ×",
            share >= 0.2 and times >= 8,
        )
        lag = self.catch_up(service)
        self.row("  read models behind when the load ends", f"{lag:.1f} s to catch up")
        # Half the rate: as many connections, each pausing so that together they send half of what they could.
        pause = round(CONNECTIONS / (full["rate"] / 2) * 1000 - full["p50"] / 4)
        half = self.median(f"commands at half the rate, {models}", lambda: self.wrk(service.url, "rating.lua", keys=1, delay_ms=max(1, pause)), "p99")
        self.row(
            f"latency at half of that ({half['rate']:,}/s)", f"p50 {half['p50']:.1f} ms, p99 {half['p99']:.1f} ms", "", "p99 ≤ 8 ms", half["p99"] <= 8
        )
        self.catch_up(service)
        visible = self.median(
            "ack → visible", lambda: json.loads(run(self.http_load, "visible", service.port, self.targets, 1000, self.seconds)), "p99"
        )
        self.row(
            f"ack → visible at {visible['rate']:,.0f} commands/s",
            f"p50 {visible['p50']:.1f} ms, p99 {visible['p99']:.1f} ms",
            "",
            "p99 ≤ 15 ms",
            visible["p99"] <= 15,
        )
        service.stop()

    def pages(self):
        """Every page of a space and of oneself, shown (200) and where its reader has it already (304), against the dashboard."""
        nginx, select = self.page_baselines()
        service = Service(self, "bloomwatch", "serve")
        self.wrk(service.url, "rating.lua", seconds=self.seconds, keys=1)
        self.catch_up(service)
        dashboard = None
        for name, page in PAGES:
            shown, known = self.page(service, name, self.requests_of(page, service))
            dashboard = dashboard or shown
            share = shown["rate"] / select
            against = f"{share:.1%} of pgbench -S's {select:,}/s, {shown['rate'] / nginx:.1%} of nginx's {nginx:,}/s"
            goal, ok = "≥ 50 % of pgbench -S", share >= 0.5
            if page not in ("dashboard", "anime"):
                against = f"{shown['rate'] / dashboard['rate']:.0%} of the dashboard's rate, 304 {known['rate'] / dashboard['rate']:.0%}"
                goal, ok = "", None
            self.row(f"GET {name}", f"{rate_of(shown)}; 304: {rate_of(known)}", against, goal, ok)
        self.card(service)
        self.as_of(service)
        service.stop()

    def page(self, service, name, requests):
        """How fast it is shown, and how fast its readers are told that they have it."""
        measure = lambda known: self.wrk(service.url, "pages.lua", connections=64, seconds=PAGE_SECONDS, requests=requests, known=known)
        return self.median(f"GET {name}", lambda: measure(0)), self.median(f"GET {name}, 304", lambda: measure(1))

    def requests_of(self, page, service=None):
        """A file for pages.lua: the page of all prepared spaces in turn, as one of their members, with the tags that the service gives. A
        page that begins with `/` is one of no space."""
        spaces = {}
        for line in self.targets.read_text().splitlines():
            space, anime, token = line.split()
            spaces.setdefault(space, (anime, token))
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30) if service else None
        lines = {}
        for space, (anime, token) in spaces.items():
            path = page if page.startswith("/") else f"/api/watch-spaces/{space}/{page.format(anime=anime)}".removesuffix("/")
            if (path, token) not in lines:
                lines[path, token] = tag_of(connection, path, token) if connection else ""
        file = self.work / "requests.txt"
        file.write_text("".join(f"{path} {token} {tag}\n" for (path, token), tag in lines.items()))
        return file

    def card(self, service):
        """A recap's card that was drawn before and one that its reader has already, and how fast new ones are drawn."""
        space, _, token = self.targets.read_text().split("\n", 1)[0].split()
        share = urllib.request.Request(
            f"{service.url}/api/watch-spaces/{space}/recaps/{time.strftime('%Y')}/shares",
            method="POST",
            headers={"Authorization": f"Bearer {token}"},
        )
        with HTTP.open(share, timeout=30) as answer:
            path = json.load(answer)["url"]
        self.catch_up(service)
        shown, known = self.page(service, "card", self.requests_of(path, service))
        self.row("GET card, drawn before", f"{rate_of(shown)}; 304: {rate_of(known)}")
        drawn = json.loads(run(self.build / "card_bench", self.seconds))
        self.row("pictures drawn on one core", f"PNG {drawn['png']:.0f}/s, SVG {drawn['svg']:.0f}/s")

    def as_of(self, service):
        """The dashboard as it was after so many events of its space, one request at a time, beside the live one. The space is as real ones
        are: four members who rate, watch and write about its anime."""
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)

        def call(method, path, token, body=None):
            began = time.perf_counter()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                sys.exit(f"bench: {method} {path} answered {answer.status}: {text[:300]}")
            return json.loads(text), (time.perf_counter() - began) * 1000

        owner, *others = list(dict.fromkeys(line.split()[2] for line in self.targets.read_text().splitlines()))[:4]
        space = call("POST", "/api/watch-spaces", owner, {"name": "Then and now"})[0]["id"]
        path = f"/api/watch-spaces/{space}"
        for other in others:
            email = call("GET", "/api/me", other)[0]["email"]
            token = call("POST", f"{path}/invitations", owner, {"email": email})[0]["token"]
            call("POST", f"/api/watch-spaces/invitations/{token}/accept", other)
        self.live_a_while(call, path, [owner, *others])

        def times(rest):
            taken = sorted(call("GET", f"{path}/dashboard{rest}", owner)[1] for _ in range(100))
            return taken[50], taken[98]

        position = self.psql("SELECT max(position) FROM log.events")
        live, _ = times(f"?atLeast={position}")
        for count in AS_OF_EVENTS:
            nth = f"SELECT position FROM log.events WHERE partition_key = '{space}' ORDER BY position OFFSET {count - 1} LIMIT 1"
            p50, p99 = times(f"?asOf={self.psql(nth)}")
            last = count == AS_OF_EVENTS[-1]
            self.row(
                f"GET dashboard?asOf, {count:,} events of the space",
                f"p50 {p50:.1f} ms, p99 {p99:.1f} ms",
                f"{p50 / live:.0f} × the live page's p50",
                "p50 < 50 ms" if last else "",
                p50 < 50 if last else None,
            )

    def live_a_while(self, call, path, members):
        """Until the space has as many events as are replayed at most."""
        rolls = random.Random(1)
        anime = []
        for number in range(AS_OF_ANIME):
            body = {"anilistMediaId": number + 1, "preferredTitle": f"Title {number}", "episodeCount": 24, "sharedStatus": "watching"}
            anime.append(call("POST", f"{path}/anime", members[number % len(members)], body)[0]["id"])

        def change(number):
            one, token = f"{path}/anime/{rolls.choice(anime)}", rolls.choice(members)
            kind = rolls.random()
            if kind < 0.45:
                notes = {"notes": f"Note {number}."} if kind < 0.05 else {}
                call("PATCH", f"{one}/participant-rating", token, {"score": rolls.randint(1, 20) / 2} | notes)
            elif kind < 0.75:
                call("PATCH", f"{one}/participant-progress", token, {"episodesWatched": rolls.randint(0, 24)})
            elif kind < 0.9:
                call("PATCH", one, token, {"sharedEpisodesWatched": rolls.randint(0, 24)} if kind < 0.85 else {"mood": f"Mood {number}"})
            else:
                date, first = f"2025-{rolls.randint(1, 12):02}-{rolls.randint(1, 28):02}T20:00:00Z", rolls.randint(1, 23)
                call("POST", f"{one}/sessions", token, {"sessionDate": date, "startEpisode": first, "endEpisode": first + 1})

        space = path.rsplit("/", 1)[1]
        made = 0
        while (missing := AS_OF_EVENTS[-1] - int(self.psql(f"SELECT count(*) FROM log.events WHERE partition_key = '{space}'"))) > 0:
            for made in range(made + 1, made + max(2, missing // 2)):  # a change is an event or two
                change(made)

    def catch_up(self, service):
        """Seconds until every page shows the log's last position."""
        space, _, token = self.targets.read_text().split("\n", 1)[0].split()
        position = self.psql("SELECT max(position) FROM log.events")
        began = time.monotonic()
        while time.monotonic() - began < 300:
            request = urllib.request.Request(
                f"{service.url}/api/watch-spaces/{space}/dashboard?atLeast={position}",
                headers={"Authorization": f"Bearer {token}", "Prefer": "wait=10"},
            )
            try:
                with HTTP.open(request, timeout=30):
                    return time.monotonic() - began
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise
        sys.exit("bench: the read models did not catch up within 5 minutes")

    def bare(self):
        compare = self.command_baselines(keys=0)
        service = Service(self, "command-service")
        self.wrk(service.url, "rating.lua", seconds=3, keys=0)
        bare = self.median("commands alone", lambda: self.wrk(service.url, "rating.lua", keys=0))
        service.stop()
        share, _, against = compare(bare["rate"])
        self.row(
            "the same without read models and keys",
            rate_of(bare),
            against,
            "≥ 38 %",
            share >= 0.38,
        )

    def start(self):
        """The first seconds after a start, when no stream is in memory: with the snapshots of streams, and without."""
        targets = self.work / "few_targets.txt"
        targets.write_text("".join(self.targets.read_text().splitlines(keepends=True)[: 2 * START_ANIME]))

        def run_for(seconds):
            service = Service(self, "command-service")
            rate = self.wrk(service.url, "rating.lua", seconds=seconds, targets=targets)
            service.stop()
            return rate

        def without_snapshots():
            self.psql("DELETE FROM log.snapshots")
            return run_for(self.seconds)

        run_for(START_LIFE_SECONDS)
        past = self.psql("SELECT round(avg(n)) FROM (SELECT count(*) AS n FROM log.events WHERE category = 'anime' GROUP BY stream_id"
                         f" ORDER BY n DESC LIMIT {START_ANIME}) AS longest")
        short = self.median("first seconds after a start", lambda: run_for(self.seconds))
        whole = self.median("first seconds, no snapshots", without_snapshots)
        self.row(
            f"commands/s alone, first {self.seconds} s after a start, streams of {past} events",
            rate_of(short),
            f"{short['rate'] / whole['rate']:.1f} × the rate without snapshots, {rate_of(whole)}",
        )

    def rebuild(self):
        events = int(self.psql("SELECT count(*) - 1 FROM log.events"))
        began = time.monotonic()
        with open(os.devnull, "wb") as nowhere:
            subprocess.run(["psql", "--no-psqlrc", "-d", self.url, "-c", "COPY log.events TO STDOUT"], stdout=nowhere, check=True)
        copy = events / (time.monotonic() - began)
        rates = []
        for number in range(ROUNDS):
            began = time.monotonic()
            run("taskset", "-c", "0", self.build / "bloomwatch", "rebuild", "dashboard", "--database-url", self.url, "--home", self.work / "home")
            rates.append(events / (time.monotonic() - began))
            say(f"rebuild, {number + 1} of {ROUNDS}: {rates[-1]:,.0f} events/s")
        rate = statistics.median(rates)
        self.row(f"rebuild of dashboard ({events:,} events)", f"{rate:,.0f} events/s", f"COPY TO: {copy:,.0f}/s", "≥ 100 k/s", rate >= 100_000)

    def kafka(self):
        """From the log through Kafka to the pages. The broker is this bench's own, on the same machine."""
        self.psql("VACUUM (ANALYZE) log.events")  # what the writing before has left for later
        self.psql("CHECKPOINT")
        broker = run(ROOT / "ops/kafka", "start", "--home", self.work / "kafka").strip()
        try:
            self.relay(broker)
            self.rebuild_from_kafka(broker)
            self.visible_through_kafka(broker)
            self.share_backlog(broker)
        finally:
            run(ROOT / "ops/kafka", "stop", "--home", self.work / "kafka")

    def relay(self, broker):
        def measure():
            found = json.loads(run(self.build / "relay_bench", "catch-up", self.url, broker))
            return found | {"share": found["relay"] / found["producer"]}

        found = self.median("relay from zero", measure, "share")
        self.row(
            f"relay from zero ({found['events']:,} events)",
            f"{found['relay']:,.0f} events/s",
            f"{found['share']:.0%} of a bare producer's {found['producer']:,.0f}/s",
            "≥ 70 %",
            found["share"] >= 0.7,
        )

    def rebuild_from_kafka(self, broker):
        """In turn from Postgres and from Kafka, whose topic the relay has filled to the head."""
        relay = Service(self, "bloomwatch", "relay", "--kafka-bootstrap", broker)
        events = int(self.psql("SELECT count(*) - 1 FROM log.events"))
        self.wait_relayed(relay, events)
        relay.stop()
        rates = {"postgres": [], "kafka": []}
        for number in range(ROUNDS):
            for feed, found in rates.items():
                began = time.monotonic()
                arguments = ["--feed", feed] + (["--kafka-bootstrap", broker] if feed == "kafka" else [])
                command = [self.build / "bloomwatch", "rebuild", "dashboard", "--database-url", self.url, "--home", self.work / "home"]
                run("taskset", "-c", "0", *command, *arguments)
                found.append(events / (time.monotonic() - began))
                say(f"rebuild from {feed}, {number + 1} of {ROUNDS}: {found[-1]:,.0f} events/s")
        kafka, postgres = statistics.median(rates["kafka"]), statistics.median(rates["postgres"])
        self.row(
            "rebuild of dashboard from Kafka, one core",
            f"{kafka:,.0f} events/s",
            f"{kafka / postgres:.0%} of {postgres:,.0f}/s from Postgres",
            "≥ 90 %, ≥ 100 k/s",
            kafka >= 0.9 * postgres and kafka >= 100_000,
        )

    def wait_relayed(self, relay, events):
        for _ in range(3000):
            with HTTP.open(relay.instance["adminUrl"] + "/metrics", timeout=5) as metrics:
                found = re.search(r"^bloomwatch_relay_position (\S+)$", metrics.read().decode(), re.M)
            if found and float(found.group(1)) >= events:
                return
            time.sleep(0.1)
        sys.exit("bench: the relay did not catch up within 5 minutes")

    def visible_through_kafka(self, broker):
        service = Service(self, "bloomwatch", "serve", "--feed", "kafka", "--kafka-bootstrap", broker)
        self.catch_up(service)
        latencies = []

        def measure():
            command = [self.build / "relay_bench", "latency", self.url, broker, self.seconds + 1]
            latency = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
            found = json.loads(run(self.http_load, "visible", service.port, self.targets, 1000, self.seconds))
            latencies.append(json.loads(latency.communicate(timeout=60)[0]))
            return found

        visible = self.median("ack → visible through Kafka", measure, "p99")
        relay = sorted(latencies, key=lambda found: found["p99"])[len(latencies) // 2]
        service.stop()
        self.row(
            f"ack → visible through Kafka at {visible['rate']:,.0f} commands/s",
            f"p50 {visible['p50']:.1f} ms, p99 {visible['p99']:.1f} ms",
            "",
            "p99 ≤ 60 ms",
            visible["p99"] <= 60,
        )
        self.row("  of it from the decision to a consumer of the topic", f"p50 {relay['p50']:.1f} ms, p99 {relay['p99']:.1f} ms")

    def share_backlog(self, broker):
        """One, two and four projector processes that fold the whole log from Kafka into empty read models."""
        events = int(self.psql("SELECT count(*) - 1 FROM log.events"))
        alone = None
        for count in (1, 2, 4):
            rates = []
            for _ in range(ROUNDS):
                self.empty_read_models()
                began = time.monotonic()
                projectors = [self.projector(number, broker) for number in range(count)]
                self.wait_folded()
                rates.append(events / (time.monotonic() - began))
                for projector in projectors:
                    projector.terminate()
                for projector in projectors:
                    projector.wait(60)
                say(f"{count} projectors: {rates[-1]:,.0f} events/s")
            rate = statistics.median(rates)
            alone = alone or rate
            self.row(f"{count} projector processes on the same backlog", f"{rate:,.0f} events/s", f"{rate / alone:.2f} × one")

    def projector(self, number, broker):
        home = self.work / f"projector-{number}"
        home.mkdir(exist_ok=True)
        command = [self.build / "projector", "--home", home, "--admin-port", "0", "--database-url", self.url]
        log = open(self.work / "projectors.log", "ab")
        arguments = ["--feed", "kafka", "--kafka-bootstrap", broker]
        return subprocess.Popen(list(map(str, command + arguments)), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def empty_read_models(self):
        tables = self.psql("SELECT string_agg(schemaname || '.' || tablename, ', ') FROM pg_tables WHERE schemaname LIKE 'read\\_%'")
        self.psql(f"TRUNCATE {tables}; UPDATE projection.checkpoints SET position = 0, generation = generation + 1; CHECKPOINT")

    def wait_folded(self):
        """Until every read model has folded all of the log, which it follows as a whole (partition -1) or by partition."""
        behind = (
            "SELECT count(*) FROM projection.checkpoints c JOIN (SELECT partition, max(position) AS last FROM log.events GROUP BY partition"
            " UNION ALL SELECT -1, max(position) FROM log.events) l ON l.partition = c.partition WHERE c.slot = 'live' AND c.position < l.last"
        )
        for _ in range(6000):
            if self.psql(behind) == "0":
                return
            time.sleep(0.1)
        sys.exit("bench: the projectors did not catch up within 10 minutes")

    def search(self):
        """Search in memory over made-up titles beside plain pg_trgm over the same names, by class of query."""
        if not self.catalogue.exists():
            self.row("search", f"not measured: no {self.catalogue}")
            return
        url = self.url.replace("postgresql:///bloomwatch", "postgresql:///search")
        self.psql("CREATE DATABASE search")
        found = json.loads(run(self.build / "search_bench", self.catalogue, "--database-url", url, timeout=1800).strip().splitlines()[-1])
        self.row(
            f"search: {found['titles']:,} titles, {found['names']:,} names",
            f"filled in {found['fillMs'] / 1000:.1f} s, {found['indexMb']:.0f} MB, an update {found['updateUsP50']:.0f} µs (p99 {found['updateUsP99']:.0f})",
        )
        for one in found["classes"]:
            self.search_row("  " + one["name"], one["plain"], one["withFacets"], one["pgTrgm"], one["recallLeast"])
        self.search_row("  all of them", found["allPlain"], found["allWithFacets"], found["allPgTrgm"], 0)
        self.row("  worst hostile query", f"{found['worstMs']:.1f} ms", f"`{found['worstQuery'][:20]}`", "≤ 10 ms", found["worstMs"] <= 10)

    def search_row(self, name, plain, facets, trgm, recall_least):
        self.row(
            name,
            f"p50 {plain['p50Ms']:.1f} p99 {plain['p99Ms']:.1f} ms, facets {facets['p50Ms']:.1f} {facets['p99Ms']:.1f} ms, recall@10 {plain['recall']:.3f}",
            f"pg_trgm {trgm['p50Ms']:.0f} {trgm['p99Ms']:.0f} ms, {trgm['recall']:.3f}",
            "p99 ≤ 5 ms" + (f", recall ≥ {recall_least:.2f}" if recall_least else ""),
            facets["p99Ms"] <= 5 and plain["recall"] >= recall_least,
        )

    def print_table(self):
        titles = ("what", "measured", "against", "reach", "")
        widths = [max(len(row[column]) for row in [titles, *self.rows]) for column in range(5)]
        for row in [titles, tuple("-" * width for width in widths), *self.rows]:
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def rate_of(measured):
    return f"{measured['rate']:,}/s (p50 {measured['p50']:.1f} ms, p99 {measured['p99']:.1f} ms)"


def tag_of(connection, path, token):
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit(f"bench: GET {path} answered {answer.status}: {text[:300]}")
    return answer.headers["ETag"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(prog="ops/bench", description="One table of what BloomWatch does on this machine, next to nginx, pgbench and COPY.")
    # Where it is called without these, as ops/bench does before it builds, only the other arguments are checked.
    parser.add_argument("--build", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement (default 5)")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=[])
    parser.add_argument("--catalogue", type=pathlib.Path, default=CATALOGUE, help="the CSV that search's titles are made from")
    options = parser.parse_args()
    if options.work is None:
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(options.build.resolve(), options.work.resolve(), options.seconds, options.only, options.catalogue)
    print(f"{os.cpu_count()} cores; PostgreSQL {bench.psql('SHOW server_version')}, fsync {bench.psql('SHOW fsync')}; {time.strftime('%F %R')}")
    try:
        if options.only != ["search"]:  # it needs nothing of that
            bench.prepare()
        for name in PARTS:
            if bench.wants(name):
                getattr(bench, name)()
    finally:
        bench.print_table()


if __name__ == "__main__":
    main()
