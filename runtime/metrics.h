// Metrics, by prometheus-cpp: counters, gauges and histograms by name and labels, rendered as text for a scrape.
// Ask for a metric once and keep the reference: it lives as long as the registry, and any thread may use it.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/http.h"

namespace prometheus {
class Registry;
}

namespace bloomwatch {

class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// Names are `bloomwatch_<part>_<what>_<unit>`; counters end in `_total`. The same name with other labels is one family.
  prometheus::Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  prometheus::Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  prometheus::Histogram& histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                                   const Labels& labels = {});
  /// Called before each rendering, to set gauges that are cheaper to ask than to keep.
  void before_render(std::function<void()> refresh);

  /// The text format of Prometheus.
  std::string render() const;

  /// Counts and times a server's answers by route, method and class of status; for ServerOptions::on_answered. `service` tells servers
  /// apart.
  http::Observer http_observer(const http::Routes& routes, const std::string& service);

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  std::vector<std::function<void()>> refreshes_;
};

/// Upper bounds in seconds for what takes from a fraction of a millisecond to seconds.
const std::vector<double>& latency_bounds();

}  // namespace bloomwatch
