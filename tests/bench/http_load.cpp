// Talks to a running instance as many clients do: prepares the spaces and anime that wrk then rates, and measures how long a command takes
// to become visible in a page, at a fixed rate. Blocking sockets, one thread a connection: simple, and no cost where it is paced.
// Usage: http_load prepare PORT OUTPUT SPACES ANIME | http_load visible PORT TARGETS RATE SECONDS
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int connections = 32;
constexpr int people_count = 40;  // password hashing is slow on purpose, so few people own many spaces

struct Answer {
  int status = 0;
  std::string body;
};

/// One keep-alive connection to 127.0.0.1. Throws std::runtime_error on anything unexpected.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("cannot connect");
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Answer call(std::string_view method, std::string_view path, std::string_view token = {}, std::string_view body = {}) {
    std::string request = fmt::format("{} {} HTTP/1.1\r\nHost: bench\r\n", method, path);
    if (!token.empty()) request += fmt::format("Authorization: Bearer {}\r\n", token);
    if (method != "GET") request += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
    request += "\r\n";
    request += body;
    if (send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
      throw std::runtime_error("cannot send");
    return receive();
  }

 private:
  Answer receive() {
    std::size_t head_end = 0;
    while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) more();
    Answer answer;
    std::from_chars(buffer_.data() + 9, buffer_.data() + 12, answer.status);
    std::size_t length = 0;
    const std::size_t at = buffer_.find("Content-Length: ");
    if (at != std::string::npos && at < head_end) std::from_chars(buffer_.data() + at + 16, buffer_.data() + head_end + 2, length);
    while (buffer_.size() < head_end + 4 + length) more();
    answer.body = buffer_.substr(head_end + 4, length);
    buffer_.erase(0, head_end + 4 + length);
    return answer;
  }
  void more() {
    char chunk[16384];
    const ssize_t got = recv(socket_, chunk, sizeof chunk, 0);
    if (got <= 0) throw std::runtime_error("the connection was closed");
    buffer_.append(chunk, static_cast<std::size_t>(got));
  }

  int socket_;
  std::string buffer_;
};

/// The value of a member of flat JSON, as text. Enough for the answers of commands.
std::string member(const std::string& json, std::string_view name) {
  const std::string key = fmt::format("\"{}\":", name);
  const std::size_t at = json.find(key);
  if (at == std::string::npos) throw std::runtime_error(fmt::format("no {} in {}", name, json));
  std::size_t start = at + key.size();
  const bool text = json[start] == '"';
  if (text) ++start;
  return json.substr(start, (text ? json.find('"', start) : json.find_first_of(",}", start)) - start);
}

std::string expect(const Answer& answer, std::initializer_list<int> statuses, std::string_view name = {}) {
  if (std::find(statuses.begin(), statuses.end(), answer.status) == statuses.end())
    throw std::runtime_error(fmt::format("answered {}: {}", answer.status, answer.body));
  return name.empty() ? std::string{} : member(answer.body, name);
}

/// Runs `work(client, index)` for 0 ≤ index < count on all connections; the first exception ends the program.
template <class Work>
void in_parallel(std::uint16_t port, int count, const Work& work) {
  std::atomic<int> next{0};
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < connections; ++thread) {
    threads.emplace_back([&] {
      try {
        Client client(port);
        for (int index = next++; index < count; index = next++) work(client, index);
      } catch (const std::exception& error) {
        fmt::print(stderr, "http_load: {}\n", error.what());
        std::_Exit(1);
      }
    });
  }
}

struct Person {
  std::string email;
  std::string token;
};

/// Each space has two members; targets alternate between them. Writes lines `space anime token`.
void prepare(std::uint16_t port, const std::string& output, int spaces, int anime) {
  std::vector<Person> people(people_count);
  in_parallel(port, people_count, [&](Client& client, int index) {
    Person& person = people[static_cast<std::size_t>(index)];
    person.email = fmt::format("bench{}@example.org", index);
    const std::string password = "a bench is to sit on";
    expect(client.call(
               "POST", "/api/auth/register", {},
               fmt::format(R"({{"email":"{}","handle":"bench_{}","displayName":"Bench","password":"{}"}})", person.email, index, password)),
           {201});
    person.token =
        expect(client.call("POST", "/api/auth/login", {}, fmt::format(R"({{"email":"{}","password":"{}"}})", person.email, password)),
               {200}, "accessToken");
  });
  std::ofstream file(output);
  std::mutex mutex;
  in_parallel(port, spaces, [&](Client& client, int index) {
    const Person& owner = people[static_cast<std::size_t>(index % people_count)];
    const Person& other = people[static_cast<std::size_t>((index + 1) % people_count)];
    const std::string space =
        expect(client.call("POST", "/api/watch-spaces", owner.token, fmt::format(R"({{"name":"Bench {}"}})", index)), {201}, "id");
    const std::string path = "/api/watch-spaces/" + space;
    const std::string token =
        expect(client.call("POST", path + "/invitations", owner.token, fmt::format(R"({{"email":"{}"}})", other.email)), {201}, "token");
    expect(client.call("POST", "/api/watch-spaces/invitations/" + token + "/accept", other.token), {200});
    std::string lines;
    for (int number = 1; number <= anime; ++number) {
      const std::string id =
          expect(client.call("POST", path + "/anime", owner.token,
                             fmt::format(R"({{"anilistMediaId":{0},"preferredTitle":"Title {0}","episodeCount":12,"sharedStatus":"{1}"}})",
                                         number, number % 3 == 0 ? "watching" : "backlog")),
                 {201}, "id");
      for (const std::string& token_of_one : {owner.token, other.token}) lines += fmt::format("{} {} {}\n", space, id, token_of_one);
    }
    const std::scoped_lock lock(mutex);
    file << lines;
  });
}

struct Target {
  std::string space, anime, token;
};

std::vector<Target> read_targets(const std::string& path) {
  std::vector<Target> targets;
  std::ifstream file(path);
  for (Target target; file >> target.space >> target.anime >> target.token;) targets.push_back(target);
  return targets;
}

/// From the command's answer to a dashboard that has it, at `rate` commands a second, each on its schedule whether the last was slow or
/// not.
void visible(std::uint16_t port, const std::string& targets_path, int rate, int seconds) {
  const std::vector<Target> targets = read_targets(targets_path);
  std::mutex mutex;
  std::vector<double> waits_ms;
  const auto begin = Clock::now() + std::chrono::milliseconds(100);
  in_parallel(port, connections, [&](Client& client, int connection) {
    std::minstd_rand random(static_cast<unsigned>(connection) + 1);
    std::vector<double> mine;
    for (int number = connection; number < rate * seconds; number += connections) {
      std::this_thread::sleep_until(begin + std::chrono::nanoseconds(1'000'000'000LL * number / rate));
      const Target& target = targets[random() % targets.size()];
      const double score = static_cast<double>(random() % 20 + 1) / 2;
      const std::string path = "/api/watch-spaces/" + target.space;
      const std::string position = expect(client.call("PATCH", path + "/anime/" + target.anime + "/participant-rating", target.token,
                                                      fmt::format(R"({{"score":{}}})", score)),
                                          {200}, "position");
      const auto acknowledged = Clock::now();
      expect(client.call("GET", path + "/dashboard?atLeast=" + position, target.token), {200});
      mine.push_back(std::chrono::duration<double, std::milli>(Clock::now() - acknowledged).count());
    }
    const std::scoped_lock lock(mutex);
    waits_ms.insert(waits_ms.end(), mine.begin(), mine.end());
  });
  const double took = std::chrono::duration<double>(Clock::now() - begin).count();
  std::sort(waits_ms.begin(), waits_ms.end());
  const auto percentile = [&](double part) { return waits_ms[static_cast<std::size_t>(part * static_cast<double>(waits_ms.size() - 1))]; };
  fmt::print("{{\"p50\": {:.3f}, \"p99\": {:.3f}, \"rate\": {:.0f}}}\n", percentile(0.5), percentile(0.99),
             static_cast<double>(waits_ms.size()) / took);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.size() == 5 && arguments[0] == "prepare") {
      prepare(static_cast<std::uint16_t>(std::stoi(arguments[1])), arguments[2], std::stoi(arguments[3]), std::stoi(arguments[4]));
    } else if (arguments.size() == 5 && arguments[0] == "visible") {
      visible(static_cast<std::uint16_t>(std::stoi(arguments[1])), arguments[2], std::stoi(arguments[3]), std::stoi(arguments[4]));
    } else {
      fmt::print(stderr, "usage: http_load prepare PORT OUTPUT SPACES ANIME | http_load visible PORT TARGETS RATE SECONDS\n");
      return 2;
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "http_load: {}\n", error.what());
    return 1;
  }
  return 0;
}
