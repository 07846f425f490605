// From NOTIFY to the hub.
#include "query-service/news.h"

#include <charconv>

#include "projector/projector.h"
#include "query-service/page_rows.h"

namespace bloomwatch {

void tell_projection(Hub& hub, std::string_view payload) {
  if (payload == projection::checkpoints_moved) return tell_of_checkpoints(hub);
  Position position = 0;
  std::from_chars(payload.data(), payload.data() + payload.size(), position);
  for (const Model model : all_models) hub.publish(Hub::model_topic(name_of(model)), position);
}

std::unique_ptr<pg::Listener> projection_news(const std::string& database_url, Hub& hub) {
  return std::make_unique<pg::Listener>(pg::Options{.url = database_url, .application_name = "bloomwatch projection news"},
                                        std::vector<std::string>{"projection"},
                                        [&hub](const pg::Notification& news) { tell_projection(hub, news.payload); });
}

}  // namespace bloomwatch
