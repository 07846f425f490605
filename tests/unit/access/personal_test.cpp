// A box opens by its person's key as it was sealed, and not at all when anything about it is another.
#include "events/personal.h"

#include <gtest/gtest.h>

namespace bloomwatch {
namespace {

const DataKey frida = DataKey::make(UserId(Uuid::v7(now())));
const DataKey george = DataKey::make(UserId(Uuid::v7(now())));
const Personal calm = frida.seal("calm, and a little sad");

std::string bytes_in(const Personal& box) { return parse_base64_url(box.box).value(); }

TEST(Personal, opens_as_it_was_sealed) {
  EXPECT_EQ(frida.open(calm), "calm, and a little sad");
  EXPECT_EQ(calm.account(), frida.account());
  EXPECT_EQ(frida.open(frida.seal("")), "");
}

TEST(Personal, stays_closed_when_one_bit_is_another) {
  const std::string bytes = bytes_in(calm);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(frida.open({base64_url(changed)}), std::nullopt) << "bit " << bit;
  }
  for (std::size_t at = 0; at < calm.box.size(); ++at) {
    Personal changed = calm;
    for (const char other : {'A', 'B', '*'}) {
      changed.box[at] = other;
      if (changed != calm) EXPECT_EQ(frida.open(changed), std::nullopt) << other << " at " << at;
    }
  }
}

TEST(Personal, stays_closed_when_it_is_cut_or_longer) {
  for (std::size_t kept = 0; kept < calm.box.size(); ++kept) EXPECT_EQ(frida.open({calm.box.substr(0, kept)}), std::nullopt) << kept;
  const std::string bytes = bytes_in(calm);
  for (std::size_t kept = 0; kept < bytes.size(); ++kept) EXPECT_EQ(frida.open({base64_url(bytes.substr(0, kept))}), std::nullopt) << kept;
  EXPECT_EQ(frida.open({base64_url(bytes + '\0')}), std::nullopt);
  EXPECT_EQ(frida.open({calm.box + "="}), std::nullopt);
}

TEST(Personal, of_somebody_else_stays_closed_whoever_it_says_that_it_is_of) {
  const Personal others = george.seal("calm, and a little sad");
  EXPECT_EQ(frida.open(others), std::nullopt);
  constexpr std::size_t header = 17;  // version and account
  const Personal relabelled{base64_url(bytes_in(calm).substr(0, header) + bytes_in(others).substr(header))};
  EXPECT_EQ(relabelled.account(), frida.account());
  EXPECT_EQ(frida.open(relabelled), std::nullopt);
  EXPECT_EQ(george.open(relabelled), std::nullopt);
  // Nor by the right key under another name: the account is authenticated, too.
  const MasterKeys master = MasterKeys::derive_from(SecretKey::random());
  EXPECT_EQ(DataKey::unwrap(george.account(), frida.wrap(master), master), std::nullopt);
}

}  // namespace
}  // namespace bloomwatch
