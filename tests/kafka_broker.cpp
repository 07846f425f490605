// The tests' Kafka is started outside (ops/test): a broker takes seconds to start, and each test has topics of its own in it.
#include "tests/kafka_broker.h"

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "events/log.h"
#include "runtime/postgres.h"
#include "tests/postgres_cluster.h"

namespace bloomwatch::test {

std::string kafka_bootstrap() {
  for (const char* name : {"KAFKA_BOOTSTRAP", "BLOOMWATCH_TEST_KAFKA"}) {
    if (const char* given = std::getenv(name); given != nullptr && *given != '\0') return given;
  }
  throw std::runtime_error("this test needs Kafka: export BLOOMWATCH_TEST_KAFKA=$(ops/kafka start --home DIR); ops/test does so");
}

std::string fresh_log() {
  std::string url = fresh_database();
  pg::Connection connection({.url = url, .application_name = "bloomwatch tests", .statement_timeout = {}});
  begin_epoch(connection);
  return url;
}

std::string fresh_kafka_name(const std::string& prefix) { return prefix + '.' + Uuid::v7(now()).to_string(); }

}  // namespace bloomwatch::test
