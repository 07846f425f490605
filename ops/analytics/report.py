# Answers three questions from a replay in Parquet, by the SQL in sql/: weekly active spaces, how people rate, cohort retention. Prints the
# tables and writes them with pictures as a document.
# "$(ops/analytics/venv)" ops/analytics/report.py events.parquet FOLDER
import pathlib
import sys

import charts
import duckdb

SQL = pathlib.Path(__file__).resolve().parent / "sql"


def markdown_table(names, rows):
    """Numbers to the right, everything else to the left; as wide as it must be."""
    if not rows:
        return "No data yet."
    cells = [["" if value is None else str(value) for value in row] for row in rows]
    widths = [max(len(name), *(len(row[i]) for row in cells)) for i, name in enumerate(names)]
    to_the_right = [all(isinstance(row[i], (int, float)) or row[i] is None for row in rows) for i in range(len(names))]
    line = lambda row: "| " + " | ".join(text.rjust(width) if right else text.ljust(width) for text, width, right in zip(row, widths, to_the_right)) + " |"
    rule = "|" + "|".join("-" * (width + 1) + (":" if right else "-") for width, right in zip(widths, to_the_right)) + "|"
    return "\n".join([line(names), rule, *map(line, cells)])


class Report:
    def __init__(self, parquet, folder):
        self.connection = duckdb.connect()
        path = str(parquet).replace("'", "''")
        self.connection.execute(f"CREATE VIEW events AS FROM read_parquet('{path}')")
        self.folder = folder
        self.parts = []

    def ask(self, question):
        """Names and rows of the answer."""
        answer = self.connection.execute((SQL / f"{question}.sql").read_text())
        return [column[0] for column in answer.description], answer.fetchall()

    def add(self, title, question, names, rows, picture):
        meaning = (SQL / f"{question}.sql").read_text().splitlines()[0].split(": ", 1)[1]
        (self.folder / f"{question}.svg").write_text(picture)
        table = markdown_table(names, rows)
        print(f"\n{title}\n\n{table}")
        self.parts.append(f"## {title}\n\n{meaning[0].upper()}{meaning[1:]} (`sql/{question}.sql`)\n\n![{title}]({question}.svg)\n\n{table}\n")

    def weekly_active_spaces(self):
        names, rows = self.ask("weekly_active_spaces")
        picture = charts.bars("Weekly active spaces", [f"{row[0]:%d %b}" for row in rows], [row[3] for row in rows], "week from")
        self.add("Weekly active spaces", "weekly_active_spaces", names, rows, picture)

    def rating_distribution(self):
        names, rows = self.ask("rating_distribution")
        if not any(row[1] for row in rows):
            rows = []
        picture = charts.bars("Ratings by score", [row[0] for row in rows], [row[1] for row in rows], "score of ten")
        self.add("How people rate", "rating_distribution", names, rows, picture)

    def cohort_retention(self):
        _, rows = self.ask("cohort_retention")
        ages = sorted({age for _, _, age, _ in rows})
        sizes = {cohort: size for cohort, size, _, _ in rows}
        percents = {(cohort, age): percent for cohort, _, age, percent in rows}
        table = [[cohort, size, *(percents.get((cohort, age)) for age in ages)] for cohort, size in sorted(sizes.items())]
        picture = charts.cells("Spaces that are still active, %", [f"{row[0]:%d %b} ({row[1]})" for row in table], ages, [row[2:] for row in table],
                               "weeks since the space was founded")
        self.add("Cohort retention", "cohort_retention", ["founded in the week from", "spaces", *(f"+{age}" for age in ages)], table, picture)

    def write(self):
        count, types, first, last, epochs = self.connection.execute(
            "SELECT count(*), count(DISTINCT type), min(time)::date, max(time)::date, count(DISTINCT source) FROM events").fetchone()
        if epochs > 1:
            raise ValueError("these events are of several epochs of the log: their positions cannot be compared")
        recorded = f", recorded from {first} to {last}" if count else ""
        head = (f"# What the log says\n\nFrom {count} events of {types} types{recorded}; made by `ops/analytics/run`.\n"
                "Nothing here names anybody: people are ids, and what they wrote is sealed.\n")
        (self.folder / "report.md").write_text("\n".join([head, *self.parts]))


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: report.py EVENTS.parquet FOLDER")
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(sys.argv[1], folder)
    report.weekly_active_spaces()
    report.rating_distribution()
    report.cohort_retention()
    try:
        report.write()
    except ValueError as error:
        sys.exit(f"report.py: {error}")


if __name__ == "__main__":
    main()
