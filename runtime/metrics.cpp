// The registry and what is counted of HTTP: every metric of a route is looked up when the observer is made, none while serving.
#include "runtime/metrics.h"

#include <prometheus/family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>

namespace bloomwatch {
namespace {

constexpr std::size_t status_classes = 6;

/// The metrics of one route's answers.
struct RouteMetrics {
  std::array<prometheus::Counter*, status_classes> answers = {};
  prometheus::Histogram* seconds = nullptr;
};

std::size_t class_of(int status) { return status >= 100 && status < 600 ? static_cast<std::size_t>(status / 100) : 0; }

RouteMetrics metrics_of(Metrics& metrics, const Metrics::Labels& labels) {
  RouteMetrics route;
  for (std::size_t i = 2; i < status_classes; ++i) {
    Metrics::Labels with_status = labels;
    with_status["status"] = std::to_string(i) + "xx";
    route.answers[i] = &metrics.counter("bloomwatch_http_answers_total", "Answers given, by route and class of status.", with_status);
  }
  route.answers[0] = route.answers[1] = route.answers[status_classes - 1];
  route.seconds =
      &metrics.histogram("bloomwatch_http_answer_seconds", "From the whole header read to the answer given.", latency_bounds(), labels);
  return route;
}

}  // namespace

Metrics::Metrics() : registry_(std::make_shared<prometheus::Registry>()) {}
Metrics::~Metrics() = default;

prometheus::Counter& Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Gauge& Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Histogram& Metrics::histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                                          const Labels& labels) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(*registry_).Add(labels, bounds);
}

void Metrics::before_render(std::function<void()> refresh) { refreshes_.push_back(std::move(refresh)); }

std::string Metrics::render() const {
  for (const auto& refresh : refreshes_) refresh();
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

http::Observer Metrics::http_observer(const http::Routes& routes, const std::string& service) {
  std::vector<RouteMetrics> by_route;
  for (const http::RouteEntry& route : routes.table())
    by_route.push_back(
        metrics_of(*this, {{"service", service}, {"route", route.pattern}, {"method", std::string(http::to_string(route.method))}}));
  by_route.push_back(metrics_of(*this, {{"service", service}, {"route", "none"}, {"method", "any"}}));
  return [by_route = std::move(by_route)](const http::Exchange& exchange) {
    const RouteMetrics& route = by_route[std::min(exchange.route, by_route.size() - 1)];
    route.answers[class_of(exchange.status)]->Increment();
    route.seconds->Observe(std::chrono::duration<double>(exchange.duration).count());
  };
}

const std::vector<double>& latency_bounds() {
  static const std::vector<double> bounds = {0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.008, 0.015,
                                             0.03,   0.06,    0.125,  0.25,  0.5,   1,     2.5,   5,     10};
  return bounds;
}

}  // namespace bloomwatch
