// Whom requests came from, with and without proxies between.
#include "runtime/trusted_proxies.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace bloomwatch {
namespace {

TEST(TrustedProxies, believes_nobody_unless_told_to) {
  const TrustedProxies nobody;
  EXPECT_FALSE(nobody);
  EXPECT_FALSE(TrustedProxies(" , "));
  EXPECT_EQ(nobody.client("127.0.0.1", "203.0.113.7"), "127.0.0.1");
  const TrustedProxies other("10.0.0.1");
  EXPECT_EQ(other.client("127.0.0.1", "203.0.113.7"), "127.0.0.1");
  EXPECT_EQ(other.client("10.0.0.1", std::nullopt), "10.0.0.1") << "a proxy may speak for itself";
}

TEST(ClientNetwork, is_an_address_or_what_one_subscriber_has) {
  EXPECT_EQ(client_network("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(client_network("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(client_network("2001:db8:1:2:3:4:5:6"), client_network("2001:db8:1:2:ffff::1"));
  EXPECT_NE(client_network("2001:db8:1:2::1"), client_network("2001:db8:1:3::1"));
  EXPECT_EQ(client_network("somewhere"), "somewhere");
}

TEST(TrustedProxies, takes_the_last_address_that_is_not_trusted) {
  const TrustedProxies proxies("127.0.0.1, 10.0.0.0/8, fd00::/8,2001:db8::1");
  ASSERT_TRUE(proxies);
  EXPECT_EQ(proxies.client("127.0.0.1", "203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(proxies.client("10.200.3.4", "198.51.100.1, 203.0.113.7, 10.0.0.9"), "203.0.113.7")
      << "198.51.100.1 is only what a client says";
  EXPECT_EQ(proxies.client("fd00::17", "2001:db8::2,2001:db8::1"), "2001:db8::2");
  EXPECT_EQ(proxies.client("127.0.0.1", "10.1.1.1, 10.0.0.9"), "10.1.1.1") << "a client of the network itself";
  EXPECT_EQ(proxies.client("11.0.0.1", "203.0.113.7"), "11.0.0.1") << "one bit beside the network";
}

TEST(TrustedProxies, takes_an_address_of_ipv4_within_ipv6_for_what_it_is) {
  const TrustedProxies proxies("10.0.0.0/8");
  EXPECT_EQ(proxies.client("::ffff:10.0.0.1", "::ffff:203.0.113.7"), "203.0.113.7");
}

TEST(TrustedProxies, stops_at_what_is_no_address) {
  const TrustedProxies proxies("10.0.0.0/8");
  EXPECT_EQ(proxies.client("10.0.0.1", ""), "10.0.0.1");
  EXPECT_EQ(proxies.client("10.0.0.1", "203.0.113.7, unknown"), "10.0.0.1");
  EXPECT_EQ(proxies.client("10.0.0.1", "unknown, 10.0.0.2"), "10.0.0.2");
}

TEST(TrustedProxies, names_what_is_neither_address_nor_network) {
  for (const char* list : {"10.0.0.0/33", "localhost", "10.0.0.1;10.0.0.2", "fd00::/129", "10.0.0/8"}) {
    try {
      const TrustedProxies proxies(list);
      ADD_FAILURE() << list;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(list), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace bloomwatch
