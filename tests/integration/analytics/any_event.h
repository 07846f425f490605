// Random events of every type, made from their description, and what a table of their members would hold: the other half of the proof that
// the analytics views show what the program decodes. Seeded.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "events/codec.h"
#include "events/log.h"
#include "runtime/json.h"

namespace bloomwatch::test {

/// The text of a member as the view should show it, and whether it is JSON (compared as jsonb).
struct ExpectedCell {
  std::optional<std::string> text;
  bool is_json = false;
};

class AnyEventMaker {
 public:
  explicit AnyEventMaker(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 5; ++i) keys_.push_back(DataKey::make(UserId(uuid())));
  }

  /// One event of each type, `times` over.
  std::vector<NewEvent> every_type(int times) {
    std::vector<NewEvent> events;
    for (int i = 0; i < times; ++i) {
      boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, AllEvents>>(
          [&]<class E>(std::type_identity<E>) { events.push_back(wrap(make<E>())); });
    }
    return events;
  }

  /// What was said, and the boxes that hold it.
  const std::vector<std::string>& personal_texts() const { return texts_; }
  const std::vector<std::string>& boxes() const { return boxes_; }

  template <class T>
  T make() {
    if constexpr (json::detail::is_optional<T>) {
      return below(2) == 0 ? T{} : T{make<typename T::value_type>()};
    } else if constexpr (std::is_same_v<T, Personal>) {
      texts_.push_back("said in confidence " + std::to_string(below(1'000'000'000)));
      const Personal personal = keys_[below(keys_.size())].seal(texts_.back());
      boxes_.push_back(personal.box);
      return personal;
    } else if constexpr (json::DescribedEnum<T>) {
      std::vector<T> all;
      boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto D) { all.push_back(D.value); });
      return all[below(all.size())];
    } else if constexpr (std::is_same_v<T, bool>) {
      return below(2) == 0;
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(random_());
    } else if constexpr (std::is_same_v<T, std::string>) {
      static const std::vector<std::string> texts = {"",     "plain",     "it's \"quoted\" \\ and\nbroken", "ユーリ, ünïcode; $1",
                                                     "null", "{\"a\": 1}"};
      return texts[below(texts.size())];
    } else if constexpr (is_id<T>) {
      return T(uuid());
    } else if constexpr (std::is_same_v<T, Time>) {
      return Time(std::chrono::milliseconds(946'684'800'000 + static_cast<std::int64_t>(below(3'000'000'000'000))));
    } else if constexpr (json::detail::is_vector<T>) {
      T items(below(4));
      for (auto& item : items) item = make<typename T::value_type>();
      return items;
    } else {
      T value;
      boost::mp11::mp_for_each<json::detail::MembersOf<T>>(
          [&](auto D) { value.*D.pointer = make<std::remove_cvref_t<decltype(value.*D.pointer)>>(); });
      return value;
    }
  }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  Uuid uuid() {
    Uuid id;
    for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(below(256));
    return id;
  }

  template <class E>
  NewEvent wrap(const E& event) {
    NewEvent wrapped;
    wrapped.stream = {"anything", uuid()};
    wrapped.version = 1;
    wrapped.type = type_name<E>();
    wrapped.event_id = EventId(uuid());
    wrapped.partition_key = PartitionKey(uuid());
    wrapped.recorded_at = time_ += std::chrono::milliseconds(below(100'000));
    wrapped.by.account = make<std::optional<UserId>>();
    wrapped.by.profile = make<std::optional<ProfileId>>();
    wrapped.by.origin = {make<OriginKind>(), make<std::optional<std::string>>(), make<std::optional<std::string>>()};
    wrapped.by.command = CommandId(uuid());
    wrapped.by.correlation = CorrelationId(uuid());
    wrapped.by.causation = make<std::optional<EventId>>();
    wrapped.undoes = make<std::optional<EventId>>();
    wrapped.data = encode(event);
    return wrapped;
  }

  std::mt19937_64 random_;
  std::vector<DataKey> keys_;
  std::vector<std::string> texts_;
  std::vector<std::string> boxes_;
  Time time_ = *parse_rfc3339("2026-01-05T00:00:00Z");
};

/// The cells of a member of type `T`, in the order of the view's columns; `value` is null where an optional above it is absent.
template <class T>
void expect_cells(std::vector<ExpectedCell>& cells, const T* value) {
  const auto add = [&cells, value](auto text_of) { cells.push_back({value ? std::optional<std::string>(text_of(*value)) : std::nullopt}); };
  if constexpr (json::detail::is_optional<T>) {
    expect_cells<typename T::value_type>(cells, value && *value ? &**value : nullptr);
  } else if constexpr (std::is_same_v<T, Personal>) {
    add([](const Personal& personal) { return personal.account()->to_string(); });
  } else if constexpr (json::DescribedEnum<T>) {
    add([](T named) { return std::string(json::name_of(named)); });
  } else if constexpr (std::is_same_v<T, bool>) {
    add([](bool truth) { return truth ? "true" : "false"; });
  } else if constexpr (std::is_integral_v<T>) {
    add([](T number) { return std::to_string(number); });
  } else if constexpr (std::is_same_v<T, std::string>) {
    add([](const std::string& text) { return text; });
  } else if constexpr (is_id<T>) {
    add([](const T& id) { return id.to_string(); });
  } else if constexpr (std::is_same_v<T, Time>) {
    add([](Time time) { return std::to_string(time.time_since_epoch().count()); });
  } else if constexpr (json::DescribedStruct<T>) {
    boost::mp11::mp_for_each<json::detail::MembersOf<T>>([&](auto D) {
      using Member = std::remove_cvref_t<decltype(value->*D.pointer)>;
      expect_cells<Member>(cells, value ? &(value->*D.pointer) : nullptr);
    });
  } else {
    ExpectedCell cell{.text = {}, .is_json = true};
    if (value) json::write_sparse(cell.text.emplace(), *value);
    cells.push_back(std::move(cell));
  }
}

}  // namespace bloomwatch::test
