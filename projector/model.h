// What a read model is to the chassis: a described struct of tables with one `apply` per event that it cares about. Here an event reaches
// the folds, and the ids that it names become the keys of the rows that a fold may ask for.
// Pure; no database.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "events/codec.h"
#include "events/envelope.h"
#include "projector/rows.h"
#include "runtime/json.h"

namespace bloomwatch::projection {

/// A model that has an `apply` for the event.
template <class Model, class Event>
concept Folds = requires(Model& model, const Event& event, const Meta& meta) { model.apply(event, meta); };

/// Which id types an event's stream and partition key are, by the list that it is in. A new context adds a line.
template <class Event>
struct HomeOf {
  template <class List>
  static constexpr bool in = boost::mp11::mp_contains<List, Event>::value;
  using Stream = boost::mp11::mp_cond<boost::mp11::mp_bool<in<AnimeEvents>>, AnimeId,            //
                                      boost::mp11::mp_bool<in<WatchSpaceEvents>>, WatchSpaceId,  //
                                      boost::mp11::mp_bool<in<LoginSessionEvents>>, SessionId,   //
                                      boost::mp11::mp_bool<in<TitleEvents>>, TitleId,            //
                                      boost::mp11::mp_bool<in<RecapShareEvents>>, RecapShareId,  //
                                      boost::mp11::mp_bool<in<AuditQueryEvents>>, AuditQueryId,  //
                                      boost::mp11::mp_bool<in<UserEvents>>, UserId>;
  using Partition = boost::mp11::mp_cond<boost::mp11::mp_bool<in<AnimeEvents> || in<WatchSpaceEvents>>, WatchSpaceId,  //
                                         boost::mp11::mp_bool<in<TitleEvents>>, TitleId,                               //
                                         boost::mp11::mp_true, UserId>;
};

/// Calls `visit(name, table)` for each table of a model, in the order of its description.
template <class Model, class Visitor>
void each_table(Model& model, Visitor&& visit) {
  boost::mp11::mp_for_each<boost::describe::describe_members<std::remove_const_t<Model>, boost::describe::mod_public>>(
      [&](auto D) { visit(D.name, model.*D.pointer); });
}

template <class Model>
struct FoldedBy {
  template <class Event>
  using fn = boost::mp11::mp_bool<Folds<Model, Event>>;
};
/// The events that a model has an `apply` for.
template <class Model>
using FoldedEvents = boost::mp11::mp_copy_if_q<AllEvents, FoldedBy<Model>>;

/// Folds an event into the model, and says whether it has an `apply` for it. `table.fold_for` tells each table whose partition writes.
template <class Model>
bool fold(Model& model, const AnyEvent& event, const Meta& meta) {
  return visit_one_of<FoldedEvents<Model>>(event, [&](const auto& e) {
    each_table(model, [&](const char*, auto& table) { table.fold_for(meta.partition); });
    model.apply(e, meta);
  });
}

namespace detail {

/// Calls `take` with every id of type IdType in `value`: members, what is optional, elements, structs within.
template <class IdType, class T, class Take>
void each_id(const T& value, Take&& take) {
  if constexpr (std::is_same_v<T, IdType>) {
    take(value);
  } else if constexpr (json::detail::is_optional<T>) {
    if (value) each_id<IdType>(*value, take);
  } else if constexpr (json::detail::is_vector<T>) {
    for (const auto& element : value) each_id<IdType>(element, take);
  } else if constexpr (json::DescribedStruct<T>) {
    boost::mp11::mp_for_each<MembersOf<T>>([&](auto D) { each_id<IdType>(value.*D.pointer, take); });
  }
}

/// All ids of one type that an event names: its stream's, its partition key's, its members'.
template <class IdType, class E, class Take>
void each_announced(const E& event, const Meta& meta, Take&& take) {
  if constexpr (std::is_same_v<typename HomeOf<E>::Stream, IdType>) take(IdType(meta.stream.id));
  if constexpr (std::is_same_v<typename HomeOf<E>::Partition, IdType> && !std::is_same_v<typename HomeOf<E>::Stream, IdType>)
    take(IdType(meta.partition_key.uuid));
  each_id<IdType>(event, take);
}

/// Wants every key that can be made of the event's ids.
template <class Key, class E, class Table, std::size_t I = 0, class... Chosen>
void want_keys(const E& event, const Meta& meta, Table& table, const Chosen&... chosen) {
  if constexpr (I == KeyParts<Key>::count)
    table.want(Key(chosen...));
  else
    each_announced<typename KeyParts<Key>::template Part<I>>(
        event, meta, [&](const auto& id) { want_keys<Key, E, Table, I + 1>(event, meta, table, chosen..., id); });
}

}  // namespace detail

/// Tells the model's Rows which rows the event's fold may ask for.
template <class Model>
void announce(Model& model, const AnyEvent& event, const Meta& meta) {
  visit_one_of<FoldedEvents<Model>>(event, [&](const auto& e) {
    each_table(model, [&]<class Table>(const char*, Table& table) {
      if constexpr (is_rows<Table>) detail::want_keys<typename Table::Key>(e, meta, table);
    });
  });
}

}  // namespace bloomwatch::projection
