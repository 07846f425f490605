// The fold of `history`. What nearly every event touches follows from its members: `profile` is whom it is about, `session` and
// `invitation` are what its field is of, else its stream is. Those of which more is to be said have a `refine` below.
#include "projector/history/history.h"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

#include "events/fields.h"
#include "projector/model.h"
#include "runtime/crypto.h"

namespace bloomwatch {
namespace {

/// What an event touches beside its envelope.
struct Touch {
  std::optional<ProfileId> person = {};
  std::optional<Uuid> sets = {};
  std::optional<Uuid> looks_at = {};
  std::vector<Uuid> also_sets = {};
  std::vector<ProfileId> also_about = {};
};

template <class E>
std::optional<ProfileId> person_of(const E& e, const Meta& meta) {
  if constexpr (requires {
                  { e.profile } -> std::same_as<const ProfileId&>;
                })
    return e.profile;
  else if constexpr (std::is_same_v<typename projection::HomeOf<E>::Partition, UserId>)
    return ProfileId(meta.partition_key.uuid);  // an account's first profile has its UUID
  else
    return std::nullopt;
}

template <class E>
Uuid subject_of(const E& e, const Meta& meta) {
  if constexpr (requires {
                  { e.session } -> std::same_as<const WatchSessionId&>;
                })
    return e.session.uuid;
  else if constexpr (requires {
                       { e.invitation } -> std::same_as<const InvitationId&>;
                     })
    return e.invitation.uuid;
  else
    return meta.stream.id;
}

/// What most events need no more than.
template <class E>
void refine(Touch&, const E&, const Meta&) {}

void only_looks(Touch& touch) { touch.sets.reset(); }
void only_sets(Touch& touch) { touch.looks_at.reset(); }
void no_value(Touch& touch) {
  only_looks(touch);
  only_sets(touch);
}

void refine(Touch& touch, const UserRegistered& e, const Meta& meta) {
  for (const auto what : {field<DisplayNameChanged>, field<HandleChanged>})
    touch.also_sets.push_back(thing(meta.stream.id, what, e.profile));
}
/// Each is a step of the session's life, none the value before the next.
void refine(Touch& touch, const LoginSessionStarted&, const Meta&) { no_value(touch); }
void refine(Touch& touch, const LoginSessionRefreshed&, const Meta&) { no_value(touch); }
void refine(Touch& touch, const LoginSessionEnded&, const Meta&) { no_value(touch); }

void refine(Touch& touch, const WatchSpaceCreated&, const Meta& meta) {
  for (const auto what : {field<WatchSpaceRenamed>, field<WatchSpaceTimeZoneChanged>, field<WatchSpaceThemeChanged>})
    touch.also_sets.push_back(thing(meta.stream.id, what));
}
/// Whoever comes back starts again with these.
void refine(Touch& touch, const MemberJoined& e, const Meta& meta) {
  for (const auto what : {field<SessionConsentChanged>, field<RecapConsentChanged>})
    touch.also_sets.push_back(thing(meta.stream.id, what, e.profile));
}
Uuid membership(const Meta& meta, ProfileId profile) { return thing(meta.stream.id, field<MemberJoined>, profile); }
void refine(Touch& touch, const MemberRoleChanged& e, const Meta& meta) { touch.sets = touch.looks_at = membership(meta, e.profile); }
void refine(Touch& touch, const OwnershipTransferred& e, const Meta& meta) {
  touch.person = e.to;
  touch.sets = touch.looks_at = membership(meta, e.to);
  touch.also_sets.push_back(membership(meta, e.from));
  touch.also_about.push_back(e.from);
}

void refine(Touch& touch, const AnimeAdded&, const Meta& meta) {
  only_sets(touch);
  touch.also_sets.push_back(thing(meta.stream.id, field<SharedStatusChanged>));
}
/// What was added is the value; that it is away or back is no other one.
void refine(Touch& touch, const AnimeRemoved&, const Meta&) { only_looks(touch); }
void refine(Touch& touch, const AnimeRestored&, const Meta&) { only_looks(touch); }

void refine(Touch& touch, const WatchSessionRecorded& e, const Meta&) {
  only_sets(touch);
  for (const Attendee& attendee : e.participants) touch.also_about.push_back(attendee.profile);
}
void refine(Touch& touch, const WatchSessionRemoved&, const Meta&) { only_looks(touch); }
void refine(Touch& touch, const WatchSessionRestored&, const Meta&) { only_looks(touch); }

/// What a source says of a title is a value for itself. Some events add to what is known and give no whole value: of those nothing is
/// before.
void of_source(Touch& touch, std::string_view what, const std::string& source, const Meta& meta) {
  touch.sets = touch.looks_at = thing(meta.stream.id, std::string(what) + ':' + source);
}
void refine(Touch& touch, const TitleNamesChanged& e, const Meta& meta) { of_source(touch, field<TitleNamesChanged>, e.source, meta); }
void refine(Touch& touch, const TitleGenresChanged& e, const Meta& meta) { of_source(touch, field<TitleGenresChanged>, e.source, meta); }
void refine(Touch& touch, const TitleTagsChanged& e, const Meta& meta) { of_source(touch, field<TitleTagsChanged>, e.source, meta); }
void refine(Touch& touch, const TitleStudiosChanged& e, const Meta& meta) { of_source(touch, field<TitleStudiosChanged>, e.source, meta); }
void refine(Touch& touch, const TitleProducersChanged& e, const Meta& meta) {
  of_source(touch, field<TitleProducersChanged>, e.source, meta);
}
void refine(Touch& touch, const TitleRelationsChanged& e, const Meta& meta) {
  of_source(touch, field<TitleRelationsChanged>, e.source, meta);
}
void refine(Touch& touch, const TitleStandingChanged& e, const Meta& meta) {
  of_source(touch, field<TitleStandingChanged>, e.source, meta);
}
void refine(Touch& touch, const TitleAvailabilityChanged& e, const Meta& meta) {
  of_source(touch, field<TitleAvailabilityChanged>, e.source, meta);
}
void refine(Touch& touch, const TitleAdded&, const Meta&) { no_value(touch); }
void refine(Touch& touch, const TitleReferencesAdded&, const Meta&) { no_value(touch); }
void refine(Touch& touch, const TitleReferencesRemoved&, const Meta&) { no_value(touch); }
void refine(Touch& touch, const TitleDetailsChanged&, const Meta&) { no_value(touch); }
void refine(Touch& touch, const TitleMerged&, const Meta&) { no_value(touch); }
void refine(Touch& touch, const TitleAbsorbed&, const Meta&) { no_value(touch); }

/// Whoever is looked at is told.
void refine(Touch& touch, const AuditQueried& e, const Meta&) {
  touch.person = e.person;
  no_value(touch);
}

template <class E>
Touch touch_of(const E& e, const Meta& meta) {
  Touch touch;
  touch.person = person_of(e, meta);
  touch.sets = touch.looks_at = thing(subject_of(e, meta), field<E>, touch.person);
  refine(touch, e, meta);
  return touch;
}

template <class E>
ChangeRow row_of(const E& e, const Meta& meta, const Touch& touch) {
  ChangeRow row;
  row.position = meta.position;
  row.type = type_name<E>();
  row.actor = meta.by.profile;
  row.person = touch.person;
  row.sets = touch.sets;
  row.looks_at = touch.looks_at;
  row.at = meta.recorded_at;
  if constexpr (std::is_same_v<typename projection::HomeOf<E>::Partition, WatchSpaceId>)
    row.watch_space = WatchSpaceId(meta.partition_key.uuid);
  if constexpr (std::is_same_v<typename projection::HomeOf<E>::Stream, AnimeId>) row.anime = meta.key<AnimeId>();
  if constexpr (std::is_same_v<typename projection::HomeOf<E>::Stream, TitleId>) row.title = meta.key<TitleId>();
  row.event = meta.event_id;
  row.undoes = meta.undoes;
  row.command = meta.by.command;
  row.origin = meta.by.origin.kind;
  row.provider = meta.by.origin.provider;
  row.reference = meta.by.origin.reference;
  row.schema_version = static_cast<std::int16_t>(schema_version_of<E>());
  projection::detail::each_id<Personal>(e, [&](const Personal& text) {
    if (!row.sealed_by) row.sealed_by = text.account();
  });
  row.data = encode(e);
  return row;
}

/// One part for each other thing and each other person, whoever did it left out: they find it as theirs already.
void put_parts(projection::Puts<ChangeRow>& changes, const ChangeRow& whole, const Touch& touch) {
  std::int16_t part = 0;
  const auto put = [&](std::optional<Uuid> sets, std::optional<ProfileId> person) {
    ChangeRow row;
    row.position = whole.position;
    row.part = ++part;
    row.type = whole.type;
    row.actor = whole.actor;
    row.person = person;
    row.sets = sets;
    changes.put(std::move(row));
  };
  for (const Uuid& sets : touch.also_sets) put(sets, std::nullopt);
  if (!touch.also_about.empty() && std::ranges::find(types_about_several, whole.type) == types_about_several.end())
    throw std::logic_error("an event is about several people, and is not among types_about_several");
  std::set<ProfileId> known;
  if (whole.person) known.insert(*whole.person);
  for (const ProfileId person : touch.also_about)
    if (known.insert(person).second) put(std::nullopt, person);
}

template <class E>
void fold_as(History& history, const void* event, const Meta& meta) {
  const E& e = *static_cast<const E*>(event);
  const Touch touch = touch_of(e, meta);
  ChangeRow row = row_of(e, meta, touch);
  put_parts(history.changes, row, touch);
  history.changes.put(std::move(row));
  if constexpr (std::is_same_v<E, AuditQueried>)
    history.queries.put(
        {meta.key<AuditQueryId>(), meta.by.profile, meta.recorded_at, e.person, e.watch_space, e.anime, e.types, e.field, e.from, e.until});
}

}  // namespace

Uuid thing(const Uuid& subject, std::string_view what, const std::optional<ProfileId>& person) {
  std::string name(what);
  if (person) name += as_text(person->uuid.bytes);
  return Uuid::v5(subject, name);
}

void History::apply_at(std::size_t index, const void* event, const Meta& meta) {
  using Fold = void (*)(History&, const void*, const Meta&);
  static constexpr auto folds = []<class... Es>(boost::mp11::mp_list<Es...>) {
    return std::array<Fold, sizeof...(Es)>{&fold_as<Es>...};
  }(AllEvents{});
  folds.at(index)(*this, event, meta);
}

}  // namespace bloomwatch
