# What `ops/run --demo` shows: two people make a watch space, one of them imports a MyAnimeList export, both rate, and the dashboard is read.
# Everything goes over HTTP, as a client app would do it. Run again on the same data it finds what the first run made.
# Usage: demo.py URL EXPORT
import json
import sys
import urllib.error
import urllib.request

HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the server is on this machine, whatever proxy is set


class Person:
    """Someone who is logged in; every call carries their token."""

    def __init__(self, url, email, handle, display_name):
        self.url = url
        self.token = None
        password = f"{handle} likes long walks"
        try:
            self.call("POST", "/api/auth/register", {"email": email, "handle": handle, "displayName": display_name, "password": password})
        except urllib.error.HTTPError as error:
            if error.code != 409:  # 409: a former run registered them
                raise
        answer = self.call("POST", "/api/auth/login", {"email": email, "password": password})
        self.token = answer["accessToken"]
        self.id = answer["user"]["id"]

    def call(self, method, path, body=None):
        """Sends `body` (a dict as JSON, bytes as they are) and returns the decoded answer; raises HTTPError on a refusal."""
        headers = {"Accept": "application/json"}
        data = body
        if isinstance(body, dict):
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        elif body is not None:
            headers["Content-Type"] = "application/xml"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        with HTTP.open(request, timeout=60) as response:
            text = response.read()
        return json.loads(text) if text else None


def main():
    url, export = sys.argv[1:3]
    mira = Person(url, "mira@example.org", "mira", "Mira")
    ken = Person(url, "ken@example.org", "ken", "Ken")
    print("Mira and Ken are registered.")

    known = mira.call("GET", "/api/watch-spaces")["items"]
    if known:
        space = known[0]["id"]
        print("Their watch space is still there.")
    else:
        space = mira.call("POST", "/api/watch-spaces", {"name": "Mira & Ken", "timeZone": "Europe/Berlin"})["id"]
        invitation = mira.call("POST", f"/api/watch-spaces/{space}/invitations", {"email": "ken@example.org"})
        ken.call("POST", f"/api/watch-spaces/invitations/{invitation['token']}/accept")
        print("Mira made a watch space, invited Ken, and he accepted.")

    with open(export, "rb") as file:
        report = mira.call("POST", f"/api/watch-spaces/{space}/imports/mal?shared=true", file.read())
    print("Mira imported her list:", ", ".join(f"{count} {what}" for what, count in report["counts"].items()))
    for row in report["rows"]:
        if row["reason"]:
            print(f"  row {row['index']}: {row['reason']}")

    # Ken's opinion of what they both know, by the MyAnimeList id.
    opinions = {52991: 8, 37786: 9, 40748: 6, 9253: 8.5, 1: 10}
    anime = {}
    page = f"/api/watch-spaces/{space}/anime?limit=200&atLeast={report['position']}"
    while page:
        answer = mira.call("GET", page)
        anime.update({int(item["media"]["id"]): item for item in answer["items"] if item["media"]["source"] == "mal"})
        page = answer["next"]
    position = report["position"]
    for mal_id, score in opinions.items():
        answer = ken.call("PATCH", f"/api/watch-spaces/{space}/anime/{anime[mal_id]['id']}/participant-rating", {"score": score})
        position = max(position, answer["position"])
    print(f"Ken rated {len(opinions)} of them.")

    path = f"/api/watch-spaces/{space}/dashboard"
    dashboard = ken.call("GET", f"{path}?atLeast={position}")
    print(f"\nGET {url}{path}\n")
    print(json.dumps(dashboard, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    try:
        main()
    except urllib.error.HTTPError as error:
        sys.exit(f"demo: {error.url} answered {error.code}: {error.read().decode(errors='replace')}")
