// The route table: a tree of path segments, searched literal first, so that `members/me` wins over `members/{userId}`.
// Read-only once the server runs; searching allocates only the parameters it finds.
#include <algorithm>
#include <array>
#include <map>

#include "runtime/http.h"
#include "runtime/invariant.h"
#include "runtime/problem.h"
#include "runtime/utf8.h"

namespace bloomwatch::http {
namespace {

constexpr std::size_t method_count = static_cast<std::size_t>(Method::other) + 1;
constexpr int no_route = -1;
/// No route is deeper; a longer path is not found.
constexpr std::size_t segments_max = 16;

std::size_t index_of(Method method) { return static_cast<std::size_t>(method); }

struct Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::array<int, method_count> routes;

  Node() { routes.fill(no_route); }
  bool is_leaf() const {
    return std::any_of(routes.begin(), routes.end(), [](int route) { return route != no_route; });
  }
};

/// A path cut at its slashes. Parts point into the path, or into `decoded_` where they were encoded: so it is never copied.
class Segments {
 public:
  explicit Segments(std::string_view path) {
    if (path.starts_with('/')) path.remove_prefix(1);
    while (add(path.substr(0, path.find('/')))) {
      const std::size_t slash = path.find('/');
      if (slash == std::string_view::npos) return;
      path.remove_prefix(slash + 1);
    }
  }
  Segments(const Segments&) = delete;
  Segments& operator=(const Segments&) = delete;

  std::array<std::string_view, segments_max> parts;
  std::size_t count = 0;
  bool too_many = false;
  bool malformed = false;

 private:
  bool add(std::string_view part) {
    too_many = count == segments_max;
    if (too_many) return false;
    if (part.find('%') != std::string_view::npos || !is_utf8(part)) {
      auto decoded = percent_decode(part, false);
      malformed = !decoded;
      if (malformed) return false;
      decoded_.reserve(segments_max);  // so that no part moves
      part = decoded_.emplace_back(std::move(*decoded));
    }
    parts[count++] = part;
    return true;
  }

  std::vector<std::string> decoded_;
};

bool is_parameter(std::string_view segment) { return segment.size() > 2 && segment.front() == '{' && segment.back() == '}'; }

/// Collects the leaves that fit, best first.
struct Search {
  const Segments& segments;
  std::array<const Node*, 8> leaves = {};
  std::size_t found = 0;

  void at(const Node& node, std::size_t depth) {
    if (found == leaves.size()) return;
    if (depth == segments.count) {
      if (node.is_leaf()) leaves[found++] = &node;
      return;
    }
    const std::string_view part = segments.parts[depth];
    if (const auto literal = node.literals.find(part); literal != node.literals.end()) at(*literal->second, depth + 1);
    if (node.parameter && !part.empty()) at(*node.parameter, depth + 1);
  }
};

}  // namespace

struct Routes::Tree {
  Node root;
  std::vector<RouteEntry> table;
  std::vector<Handler> handlers;
  HeaderCheck header_check;

  std::string allow(const Search& search) const;
  Parameters parameters(const RouteEntry& entry, const Segments& segments) const;
};

std::string Routes::Tree::allow(const Search& search) const {
  std::array<bool, method_count> allowed = {};
  for (std::size_t i = 0; i < search.found; ++i)
    for (std::size_t method = 0; method < method_count; ++method) allowed[method] |= search.leaves[i]->routes[method] != no_route;
  allowed[index_of(Method::head)] |= allowed[index_of(Method::get)];
  allowed[index_of(Method::options)] = true;
  std::string out;
  for (std::size_t method = 0; method < method_count; ++method) {
    if (!allowed[method]) continue;
    if (!out.empty()) out += ", ";
    out += to_string(static_cast<Method>(method));
  }
  return out;
}

Parameters Routes::Tree::parameters(const RouteEntry& entry, const Segments& segments) const {
  Parameters parameters;
  std::string_view pattern = std::string_view(entry.pattern).substr(1);
  for (std::size_t i = 0; i < segments.count; ++i) {
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    const std::string_view segment = pattern.substr(0, end);
    if (is_parameter(segment)) parameters.emplace_back(segment.substr(1, segment.size() - 2), segments.parts[i]);
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }
  return parameters;
}

Routes::Routes() : tree_(std::make_unique<Tree>()) {}
Routes::Routes(Routes&&) noexcept = default;
Routes& Routes::operator=(Routes&&) noexcept = default;
Routes::~Routes() = default;

void Routes::add(Method method, std::string_view pattern, Access access, Handler handler, RouteOptions options) {
  invariant(!pattern.empty() && pattern.front() == '/', "a route's pattern begins with a slash");
  const Segments segments(pattern);
  invariant(!segments.too_many && !segments.malformed, "a route's pattern is short and not encoded");
  Node* node = &tree_->root;
  for (std::size_t i = 0; i < segments.count; ++i) {
    const std::string_view part = segments.parts[i];
    auto& child = is_parameter(part) ? node->parameter : node->literals[std::string(part)];
    if (!child) child = std::make_unique<Node>();
    node = child.get();
  }
  int& route = node->routes[index_of(method)];
  invariant(route == no_route, "two routes have the same method and shape");
  if (!options.content) options.content = method == Method::get ? Content::none : Content::json;
  route = static_cast<int>(tree_->table.size());
  tree_->table.push_back({method, std::string(pattern), access, options});
  tree_->handlers.push_back(std::move(handler));
}

void Routes::check_headers(HeaderCheck check) { tree_->header_check = std::move(check); }

const HeaderCheck& Routes::header_check() const { return tree_->header_check; }

const std::vector<RouteEntry>& Routes::table() const { return tree_->table; }

Routes::Match Routes::find(Method method, std::string_view path) const {
  Match match;
  if (path.empty() || path.front() != '/') return match;
  const Segments segments(path);
  match.malformed = segments.malformed;
  if (segments.malformed || segments.too_many) return match;
  Search search{segments};
  search.at(tree_->root, 0);
  const auto take = [&](Method wanted) {
    for (std::size_t i = 0; i < search.found && !match.handler; ++i) {
      const int route = search.leaves[i]->routes[index_of(wanted)];
      if (route == no_route) continue;
      match.entry = &tree_->table[static_cast<std::size_t>(route)];
      match.handler = &tree_->handlers[static_cast<std::size_t>(route)];
      match.path_params = tree_->parameters(*match.entry, segments);
    }
  };
  take(method);
  if (!match.handler && method == Method::head) take(Method::get);
  if (!match.handler && search.found > 0) match.allow = tree_->allow(search);
  return match;
}

void Routes::dispatch(Request request, Responder responder) const {
  Match match = find(request.method, request.path);
  if (match.malformed) return responder(to_response(problems::malformed("The path is not well encoded."), request.request_id));
  if (!match.handler && match.allow.empty()) return responder(to_response(problems::not_found(), request.request_id));
  if (!match.handler) return responder(to_response(problems::method_not_allowed(match.allow), request.request_id));
  if (request.method == Method::head) request.method = Method::get;
  request.pattern = match.entry->pattern;
  request.access = match.entry->access;
  request.path_params = std::move(match.path_params);
  (*match.handler)(std::move(request), std::move(responder));
}

}  // namespace bloomwatch::http
