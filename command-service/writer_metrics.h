// The writer as Prometheus sees it. Apart from the writer, so that nobody who submits commands needs prometheus-cpp.
#pragma once

#include "command-service/writer_loop.h"
#include "runtime/metrics.h"

namespace bloomwatch {

/// Shows what `writer.status()` says in each rendering. Both outlive the registry's last rendering.
void show(const Writer& writer, Metrics& metrics);

}  // namespace bloomwatch
