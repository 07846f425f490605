# Simple charts as SVG text, by hand: the same numbers always give the same bytes, so a drawing can be checked in and compared.
# Only what the report draws: bars, and a table of shaded cells.
import html

WIDTH = 760
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 40, 44
INK, GRID, BAR, SHADE = "#333333", "#dddddd", "#4c78a8", (76, 120, 168)


def text(x, y, words, anchor="middle", size=12, color=INK, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="{color}">'
            f"{html.escape(str(words))}</text>")


def rectangle(x, y, width, height, color):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>'


def svg(height, title, parts):
    """The whole document: white ground, title on top."""
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'font-family="sans-serif" role="img" aria-label="{html.escape(title, quote=True)}">')
    return "\n".join([head, rectangle(0, 0, WIDTH, height, "#ffffff"), text(LEFT, 22, title, "start", 15, INK, "bold"), *parts, "</svg>"]) + "\n"


def nothing_yet(title):
    return svg(120, title, [text(WIDTH / 2, 80, "no data yet", size=15)])


def step_of(highest):
    """The distance of grid lines: 1, 2 or 5 times a power of ten, for at most six lines."""
    return next(digit * 10**power for power in range(18) for digit in (1, 2, 5) if highest <= 6 * digit * 10**power)


def bars(title, labels, values, unit):
    """A bar for each value, with its number above it."""
    if not values:
        return nothing_yet(title)
    height = 300
    ground, room = height - BOTTOM, height - BOTTOM - TOP
    step = step_of(max(values))
    top = max(step, -(-max(values) // step) * step)
    parts = []
    for tick in range(0, top + 1, step):
        y = ground - room * tick / top
        parts += [f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{GRID}"/>', text(LEFT - 8, y + 4, tick, "end", 11)]
    slot = (WIDTH - LEFT - RIGHT) / len(values)
    for number, (label, value) in enumerate(zip(labels, values)):
        x, y = LEFT + slot * number, ground - room * value / top
        parts += [rectangle(x + slot * 0.15, y, slot * 0.7, ground - y, BAR), text(x + slot / 2, y - 4, value, size=11),
                  text(x + slot / 2, ground + 16, label, size=11)]
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, height - 8, unit, size=11))
    return svg(height, title, parts)


def cells(title, row_labels, column_labels, rows, unit):
    """A table of percentages, the darker the more; None is left out."""
    if not rows:
        return nothing_yet(title)
    cell, left = 26, 104
    height = TOP + 24 + cell * len(rows) + 28
    slot = (WIDTH - left - RIGHT) / len(column_labels)
    parts = [text(left + slot * (number + 0.5), TOP + 16, label, size=11) for number, label in enumerate(column_labels)]
    for line, (label, values) in enumerate(zip(row_labels, rows)):
        y = TOP + 24 + cell * line
        parts.append(text(left - 8, y + 17, label, "end", 11))
        for number, value in enumerate(values):
            if value is None:
                continue
            red, green, blue = (round(255 - (255 - part) * value / 100) for part in SHADE)
            parts += [rectangle(left + slot * number + 1, y + 1, slot - 2, cell - 2, f"#{red:02x}{green:02x}{blue:02x}"),
                      text(left + slot * (number + 0.5), y + 17, value, size=11, color="#ffffff" if value > 60 else INK)]
    parts.append(text((left + WIDTH - RIGHT) / 2, height - 8, unit, size=11))
    return svg(height, title, parts)
