// From NOTIFY to the hub.
#include "events/log_news.h"

#include <charconv>

namespace bloomwatch {

std::unique_ptr<pg::Listener> log_news(const std::string& database_url, Hub& hub) {
  return std::make_unique<pg::Listener>(pg::Options{.url = database_url, .application_name = "bloomwatch log news"},
                                        std::vector<std::string>{"log"}, [&hub](const pg::Notification& news) {
                                          std::int64_t position = 0;
                                          const char* end = news.payload.data() + news.payload.size();
                                          if (std::from_chars(news.payload.data(), end, position).ptr == end)
                                            hub.publish(Hub::log_topic, position);
                                        });
}

}  // namespace bloomwatch
