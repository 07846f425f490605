// A real Kafka for tests: the broker that ops/test started (or KAFKA_BOOTSTRAP names), and logs whose topics nobody else has.
// There is no skipping: without a broker a test fails and says how to start one.
#pragma once

#include <string>

namespace bloomwatch::test {

/// HOST:PORT of the broker for all tests. Throws std::runtime_error where neither KAFKA_BOOTSTRAP nor BLOOMWATCH_TEST_KAFKA is set.
std::string kafka_bootstrap();

/// `fresh_database()` with an epoch, and so a topic `bloomwatch.events.<epoch>`, of its own (its template's copies share one). The URL.
std::string fresh_log();

/// A name with `prefix` that nobody else has: for topics and consumer groups. Topics are left to whoever started the broker.
std::string fresh_kafka_name(const std::string& prefix);

}  // namespace bloomwatch::test
