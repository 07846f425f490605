// Drawing: a header, three numbers, the best titles, facts in pairs, members, a footer, from top to bottom.
#include "query-service/recaps/card.h"

#include <cairo-svg.h>
#include <cairo.h>
#include <pango/pangocairo.h>
#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>

#include "query-service/recaps/card_text.h"

/// What fontconfig keeps until the program ends is no leak of ours; the sanitizer asks this by name.
extern "C" const char* __lsan_default_suppressions();                                  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig"; }  // NOLINT(bugprone-reserved-identifier)

namespace bloomwatch {
namespace {

// Of other people's making: each is freed its own way.
struct Free {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(PangoLayout* layout) const { g_object_unref(layout); }
  void operator()(PangoContext* context) const { g_object_unref(context); }
  void operator()(PangoFontMap* map) const { g_object_unref(map); }
  void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

constexpr double margin = 72;
constexpr double inner_width = card_width - 2 * margin;
constexpr double item_gap = 20;
constexpr double members_height = 122;
constexpr double corner = 36;
constexpr double pi = 3.14159265358979323846;

struct Colour {
  double red, green, blue, alpha = 1;
};
constexpr Colour rgb(std::uint32_t hex, double alpha = 1) {
  return {static_cast<double>(hex >> 16U & 255U) / 255, static_cast<double>(hex >> 8U & 255U) / 255, static_cast<double>(hex & 255U) / 255,
          alpha};
}

struct Palette {
  Colour ground, petal, petal_other, tile, text, muted, accent, on_accent, line;
};
constexpr Palette pastel = {rgb(0xFDF1F5), rgb(0xF9CFDF, 0.75), rgb(0xD9D3F6, 0.70), rgb(0xFFFFFF, 0.92), rgb(0x3B2A44),
                            rgb(0x755F7E), rgb(0xC2447E),       rgb(0xFFFFFF),       rgb(0xEEDCE6)};
constexpr Palette dark = {rgb(0x17131F), rgb(0x4A2450, 0.55), rgb(0x23345E, 0.55), rgb(0x272033, 0.94), rgb(0xF6EEF8),
                          rgb(0xB9A9C4), rgb(0xF58AB6),       rgb(0x2A1322),       rgb(0x3C3249)};

enum class Align { left, centre, right };

struct Style {
  double size;  ///< pixels
  PangoWeight weight = PANGO_WEIGHT_NORMAL;
  int lines = 1;
  Align align = Align::left;
};

/// The fonts of a thread: Pango's font maps are not for several at once.
PangoFontMap* font_map() {
  static thread_local const Owned<PangoFontMap> map(pango_cairo_font_map_new());
  return map.get();
}

class Canvas {
 public:
  Canvas(cairo_surface_t* surface, const Palette& colours) : cairo_(cairo_create(surface)), colours_(colours) {
    context_.reset(pango_font_map_create_context(font_map()));
    pango_cairo_context_set_resolution(context_.get(), 72);
    const std::unique_ptr<cairo_font_options_t, void (*)(cairo_font_options_t*)> options(cairo_font_options_create(),
                                                                                         cairo_font_options_destroy);
    cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(context_.get(), options.get());
  }

  const Palette& colours() const { return colours_; }
  bool sound() const { return cairo_status(cairo_.get()) == CAIRO_STATUS_SUCCESS; }

  void paint(Colour colour) {
    use(colour);
    cairo_paint(cairo_.get());
  }
  void disc(double x, double y, double radius, Colour colour) {
    use(colour);
    cairo_arc(cairo_.get(), x, y, radius, 0, 2 * pi);
    cairo_fill(cairo_.get());
  }
  void box(double x, double y, double width, double height, double radius, Colour colour) {
    cairo_t* c = cairo_.get();
    use(colour);
    cairo_new_sub_path(c);
    cairo_arc(c, x + width - radius, y + radius, radius, -pi / 2, 0);
    cairo_arc(c, x + width - radius, y + height - radius, radius, 0, pi / 2);
    cairo_arc(c, x + radius, y + height - radius, radius, pi / 2, pi);
    cairo_arc(c, x + radius, y + radius, radius, pi, 3 * pi / 2);
    cairo_close_path(c);
    cairo_fill(c);
  }
  /// Five petals around a heart.
  void flower(double x, double y, double size, Colour petals, Colour heart) {
    for (int i = 0; i < 5; ++i) {
      const double angle = -pi / 2 + i * 2 * pi / 5;
      disc(x + std::cos(angle) * size * 0.52, y + std::sin(angle) * size * 0.52, size * 0.40, petals);
    }
    disc(x, y, size * 0.24, heart);
  }

  /// Writes text into a box of that width whose top is `y`, ellipsized after `style.lines`; its height is returned. Whatever the text is
  /// made of, nothing is drawn far outside its lines.
  double text(double x, double y, double width, std::string_view words, const Style& style, Colour colour) {
    const Owned<PangoLayout> layout = lay_out(words, width, style);
    int shown_height = 0;
    pango_layout_get_pixel_size(layout.get(), nullptr, &shown_height);
    cairo_t* c = cairo_.get();
    cairo_save(c);
    cairo_rectangle(c, x - 4, y - style.size * 0.35, width + 8, shown_height + style.size * 0.7);
    cairo_clip(c);
    use(colour);
    cairo_move_to(c, x, y);
    pango_cairo_show_layout(c, layout.get());
    cairo_restore(c);
    return shown_height;
  }
  /// The same in the middle of a box of that height.
  void text_in(double x, double y, double width, double height, std::string_view words, const Style& style, Colour colour) {
    text(x, y + (height - height_of(words, width, style)) / 2, width, words, style, colour);
  }
  /// As wide as it would be in one line.
  double width_of(std::string_view words, const Style& style) {
    const Owned<PangoLayout> layout = lay_out(words, card_width, style);
    int width = 0;
    pango_layout_get_pixel_size(layout.get(), &width, nullptr);
    return width;
  }
  /// The same text in a smaller size where it would not fit into one line, down to `least`.
  Style fitting(std::string_view words, double width, Style style, double least) {
    while (style.size > least && width_of(words, style) > width) style.size = std::max(least, style.size * 0.9);
    return style;
  }

 private:
  double height_of(std::string_view words, double width, const Style& style) {
    const Owned<PangoLayout> layout = lay_out(words, width, style);
    int height = 0;
    pango_layout_get_pixel_size(layout.get(), nullptr, &height);
    return height;
  }
  void use(Colour colour) { cairo_set_source_rgba(cairo_.get(), colour.red, colour.green, colour.blue, colour.alpha); }

  Owned<PangoLayout> lay_out(std::string_view words, double width, const Style& style) {
    Owned<PangoLayout> layout(pango_layout_new(context_.get()));
    const Owned<PangoFontDescription> font(pango_font_description_from_string("Noto Sans, Noto Sans CJK JP, sans-serif"));
    pango_font_description_set_absolute_size(font.get(), style.size * PANGO_SCALE);
    pango_font_description_set_weight(font.get(), style.weight);
    pango_layout_set_font_description(layout.get(), font.get());
    pango_layout_set_width(layout.get(), static_cast<int>(width * PANGO_SCALE));
    pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
    pango_layout_set_height(layout.get(), -style.lines);
    pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
    pango_layout_set_text(layout.get(), words.data(), static_cast<int>(words.size()));
    // Pango's left is the side where a text begins; here columns stay columns whatever is written in them.
    const bool from_right = pango_layout_get_direction(layout.get(), 0) == PANGO_DIRECTION_RTL;
    const bool to_right = (style.align == Align::right) != from_right;
    pango_layout_set_alignment(layout.get(), style.align == Align::centre ? PANGO_ALIGN_CENTER
                                             : to_right                   ? PANGO_ALIGN_RIGHT
                                                                          : PANGO_ALIGN_LEFT);
    return layout;
  }

  Owned<cairo_t> cairo_;
  Owned<PangoContext> context_;
  const Palette& colours_;
};

// ---------------------------------------------------------------------------------------------------------------------------- parts

void draw_ground(Canvas& canvas) {
  const Palette& colours = canvas.colours();
  canvas.paint(colours.ground);
  canvas.flower(970, 150, 330, colours.petal, colours.petal_other);
  canvas.flower(60, 1290, 290, colours.petal_other, colours.petal);
}

double draw_header(Canvas& canvas, const RecapCard& card) {
  const Palette& colours = canvas.colours();
  canvas.flower(margin + 22, margin + 24, 40, colours.accent, colours.on_accent);
  canvas.text(margin + 72, margin, 360, "BloomWatch", {.size = 36, .weight = PANGO_WEIGHT_SEMIBOLD}, colours.accent);
  const std::string name = fit_for_card(card.name);
  const Style style = canvas.fitting(name, inner_width, {.size = 84, .weight = PANGO_WEIGHT_BOLD}, 60);
  canvas.text_in(margin, 138, inner_width, 116, name, style, colours.text);
  canvas.text(margin, 254, inner_width, card.caption + " · " + card.period, {.size = 42}, colours.muted);
  return 338;
}

double draw_numbers(Canvas& canvas, const RecapCard& card, double y) {
  constexpr double height = 176;
  const Palette& colours = canvas.colours();
  const auto count = static_cast<double>(card.numbers.size());
  const double width = (inner_width - item_gap * (count - 1)) / count;
  double x = margin;
  for (const RecapCard::Line& number : card.numbers) {
    canvas.box(x, y, width, height, corner, colours.tile);
    const Style style = canvas.fitting(number.value, width - 40, {.size = 84, .weight = PANGO_WEIGHT_BOLD, .align = Align::centre}, 44);
    canvas.text_in(x + 20, y + 10, width - 40, 112, number.value, style, colours.accent);
    canvas.text(x + 20, y + 114, width - 40, number.text, {.size = 34, .align = Align::centre}, colours.muted);
    x += width + item_gap;
  }
  return y + height + item_gap;
}

double draw_titles(Canvas& canvas, const RecapCard& card, double y, std::size_t titles_max) {
  if (card.titles.empty()) return y;
  constexpr double row = 74, head = 76, value_width = 132;
  const Palette& colours = canvas.colours();
  const std::size_t count = std::min(card.titles.size(), titles_max);
  const double height = head + row * static_cast<double>(count) + 12;
  canvas.box(margin, y, inner_width, height, corner, colours.tile);
  canvas.text(margin + 36, y + 20, inner_width - 72, card.titles_label, {.size = 34}, colours.muted);
  double line = y + head;
  for (std::size_t i = 0; i < count; ++i) {
    const RecapCard::Line& title = card.titles[i];
    canvas.text_in(margin + 36, line + 2, inner_width - 72 - value_width - 20, 60, fit_for_card(title.text),
                   {.size = 42, .weight = PANGO_WEIGHT_SEMIBOLD}, colours.text);
    const double left = margin + inner_width - 36 - value_width;
    canvas.box(left, line + 2, value_width, 60, 30, colours.accent);
    canvas.text_in(left, line + 2, value_width, 60, title.value, {.size = 38, .weight = PANGO_WEIGHT_BOLD, .align = Align::centre},
                   colours.on_accent);
    line += row;
  }
  return y + height + item_gap;
}

void draw_fact(Canvas& canvas, const RecapCard::Fact& fact, double x, double y, double width, double height) {
  const Palette& colours = canvas.colours();
  canvas.box(x, y, width, height, corner, colours.tile);
  canvas.text(x + 32, y + 12, width - 64, fact.label, {.size = 32}, colours.muted);
  const Style style = canvas.fitting(fact.value, width - 64, {.size = 48, .weight = PANGO_WEIGHT_BOLD}, 34);
  canvas.text_in(x + 32, y + 54, width - 64, 66, fact.value, style, colours.text);
  if (!fact.note.empty()) canvas.text_in(x + 32, y + 116, width - 64, 44, fact.note, {.size = 32}, colours.muted);
}

double draw_facts(Canvas& canvas, const RecapCard& card, double y, double end) {
  constexpr double height = 172;
  for (std::size_t i = 0; i < card.facts.size() && i < 4; i += 2) {
    if (y + height > end) break;
    const bool alone = i + 1 == card.facts.size();
    const double width = alone ? inner_width : (inner_width - item_gap) / 2;
    draw_fact(canvas, card.facts[i], margin, y, width, height);
    if (!alone) draw_fact(canvas, card.facts[i + 1], margin + width + item_gap, y, width, height);
    y += height + item_gap;
  }
  return y;
}

/// Names side by side, each with its number below.
double draw_members(Canvas& canvas, const RecapCard& card, double y, double end) {
  constexpr double height = members_height;
  if (card.members.empty() || y + height > end) return y;
  const Palette& colours = canvas.colours();
  const std::size_t count = std::min(card.members.size(), card_members_max);
  const double width = (inner_width - item_gap * static_cast<double>(count - 1)) / static_cast<double>(count);
  double x = margin;
  for (std::size_t i = 0; i < count; ++i) {
    canvas.box(x, y, width, height, corner, colours.tile);
    const std::string name = fit_for_card(card.members[i].text);
    const Style large = {.size = 40, .weight = PANGO_WEIGHT_SEMIBOLD, .align = Align::centre};
    canvas.text_in(x + 16, y + 10, width - 32, 60, name, canvas.fitting(name, width - 32, large, 30), colours.text);
    const Style small = canvas.fitting(card.members[i].value, width - 32, {.size = 32, .align = Align::centre}, 26);
    canvas.text_in(x + 16, y + 66, width - 32, 44, card.members[i].value, small, colours.muted);
    x += width + item_gap;
  }
  return y + height + item_gap;
}

void draw_empty(Canvas& canvas, const RecapCard& card, double y) {
  const Palette& colours = canvas.colours();
  canvas.box(margin, y, inner_width, 400, corner, colours.tile);
  canvas.flower(card_width / 2.0, y + 140, 110, colours.petal, colours.accent);
  canvas.text(margin + 48, y + 270, inner_width - 96, card.empty_note, {.size = 42, .lines = 2, .align = Align::centre}, colours.text);
}

void draw_all(Canvas& canvas, const RecapCard& card) {
  constexpr double end = card_height - 36;
  draw_ground(canvas);
  double y = draw_header(canvas, card);
  if (!card.numbers.empty()) y = draw_numbers(canvas, card, y);
  if (!card.empty_note.empty()) return draw_empty(canvas, card, y);
  const bool crowded = card.facts.size() > 2 && !card.members.empty();
  y = draw_titles(canvas, card, y, crowded ? card_titles_max - 1 : card_titles_max);
  const double facts_end = card.members.empty() ? end : end - members_height - item_gap;
  y = draw_facts(canvas, card, y, facts_end);
  draw_members(canvas, card, y, end);
}

// ------------------------------------------------------------------------------------------------------------------------- surfaces

cairo_status_t append_bytes(void* to, const unsigned char* bytes, unsigned int count) {
  static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(bytes), count);
  return CAIRO_STATUS_SUCCESS;
}

void draw_on(cairo_surface_t* surface, const RecapCard& card, const Palette& colours) {
  Canvas canvas(surface, colours);
  draw_all(canvas, card);
  if (!canvas.sound()) throw std::runtime_error("a recap card could not be drawn");
}

/// What a screen reader says of the picture, after the opening tag.
void describe(std::string& svg, const RecapCard& card) {
  const std::size_t opening = svg.find("<svg");
  const std::size_t close = opening == std::string::npos ? opening : svg.find('>', opening);
  if (close == std::string::npos) return;
  svg.insert(close + 1, "\n<title>" + escape_xml(fit_for_card(card.name) + ", " + card.caption + ", " + card.period) + "</title>");
}

/// cairo numbers surfaces through a process's life; here they are numbered in their order, so that the same card is the same bytes, as a
/// strong entity tag promises.
std::string renumbered(std::string_view svg) {
  std::map<std::string, std::size_t, std::less<>> numbers;
  std::string out;
  out.reserve(svg.size());
  while (!svg.empty()) {
    const std::size_t quote = std::min(svg.find('"'), svg.size() - 1);
    out += svg.substr(0, quote + 1);
    svg.remove_prefix(quote + 1);
    if (svg.starts_with('#')) out += '#', svg.remove_prefix(1);
    for (const std::string_view name : {"surface", "image"}) {
      if (!svg.starts_with(name)) continue;
      const std::size_t end = std::min(svg.find_first_not_of("0123456789", name.size()), svg.size());
      if (end == name.size()) continue;
      const auto number = numbers.try_emplace(std::string(svg.substr(0, end)), numbers.size()).first->second;
      out += std::string(name) + std::to_string(number);
      svg.remove_prefix(end);
      break;
    }
  }
  return out;
}

std::string draw_svg(const RecapCard& card, const Palette& colours) {
  std::string svg;
  const Owned<cairo_surface_t> surface(cairo_svg_surface_create_for_stream(append_bytes, &svg, card_width, card_height));
  cairo_svg_surface_set_document_unit(surface.get(), CAIRO_SVG_UNIT_PX);
  draw_on(surface.get(), card, colours);
  cairo_surface_finish(surface.get());
  describe(svg, card);
  return renumbered(svg);
}

/// As PNG. libpng by itself and told to be fast takes a fourth of the time that cairo's own way takes, and pictures of flat colours are
/// even smaller without filters.
std::string compress(cairo_surface_t* surface) {
  constexpr std::size_t row_bytes = std::size_t{3} * card_width;
  std::vector<unsigned char> pixels(row_bytes * card_height);
  const unsigned char* from = cairo_image_surface_get_data(surface);
  const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(surface));
  for (std::size_t y = 0; y < card_height; ++y)
    for (std::size_t x = 0; x < card_width; ++x) std::memcpy(&pixels[y * row_bytes + x * 3], from + y * stride + x * 4, 3);
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = card_width;
  image.height = card_height;
  image.format = PNG_FORMAT_BGR;  // as cairo has it on machines whose lowest byte comes first, which are all that we know
  image.flags = PNG_IMAGE_FLAG_FAST;
  std::string png(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = png.size();
  if (png_image_write_to_memory(&image, png.data(), &size, 0, pixels.data(), 0, nullptr) == 0)
    throw std::runtime_error("a recap card could not be written as PNG");
  png.resize(size);
  png.shrink_to_fit();
  return png;
}

std::string draw_png(const RecapCard& card, const Palette& colours) {
  const Owned<cairo_surface_t> surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, card_width, card_height));
  draw_on(surface.get(), card, colours);
  cairo_surface_flush(surface.get());
  return compress(surface.get());
}

}  // namespace

std::string draw_card(const RecapCard& card, CardTheme theme, CardFormat format) {
  const Palette& colours = theme == CardTheme::dark ? dark : pastel;
  return format == CardFormat::svg ? draw_svg(card, colours) : draw_png(card, colours);
}

}  // namespace bloomwatch
